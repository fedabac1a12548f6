# make build: .venv, archc in it, and one spec compiled to a Keras model, Keras source and a diagram.
# make test: everything that CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

export TF_CPP_MIN_LOG_LEVEL ?= 3
export TF_ENABLE_ONEDNN_OPTS ?= 0

.PHONY: build test lint types imports unit bench worst fuzz parity parity-torch every docs gallery clean

build: $(VENV)/installed
	$(BIN)/archc build vgg:A -o build

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --editable '.[tensorflow,train]'
	$(BIN)/python -m compileall -q archc
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(PIP) install --editable '.[tensorflow,dev]'
	touch $@

test: lint types imports unit

lint: $(VENV)/tested
	$(BIN)/ruff check .

types: $(VENV)/tested
	$(BIN)/pyright

imports: $(VENV)/tested
	$(BIN)/lint-imports --no-cache

unit: $(VENV)/tested
	$(BIN)/pytest --numprocesses 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=90

bench: $(VENV)/tested
	$(BIN)/python -m tests.benchmarks

# The most costly files within the limits: time and memory of `archc check`.
worst: $(VENV)/tested
	$(BIN)/python -m tests.benchmarks.worst

# Bytes and drawn specs, guided by coverage where atheris installs. `make fuzz MINUTES=60`; finds stay in build/fuzz.
MINUTES ?= 10
fuzz: $(VENV)/tested
	$(PIP) install atheris || echo "no atheris here: Hypothesis draws the inputs"
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# Equal weights, equal outputs, for every network that names one of keras.applications.
parity: $(VENV)/installed
	$(BIN)/python -m tests.parity keras.applications

# The same against torchvision, in an environment of its own: PyTorch takes gigabytes.
parity-torch: .venv-torch/installed
	KERAS_BACKEND=torch .venv-torch/bin/python -m tests.parity torchvision.models

.venv-torch/installed: pyproject.toml
	test -x .venv-torch/bin/python || $(PYTHON) -m venv .venv-torch
	.venv-torch/bin/python -m pip install --quiet --editable . keras torch torchvision
	touch $@

# The tests that walk one network of each family, on every network of the zoo. Takes hours.
every: $(VENV)/tested
	ARCHC_EVERY=1 $(BIN)/pytest tests/test_agreement.py tests/test_determinism.py tests/test_commands.py tests/test_learning.py tests/test_spread.py tests/test_training.py

docs: $(VENV)/installed
	$(BIN)/python -m archc.reference

gallery: $(VENV)/installed
	$(BIN)/python -m archc.gallery

clean:
	rm -rf build dist .coverage .pytest_cache .ruff_cache .hypothesis
