# make build: .venv, archc in it, and one spec compiled to a Keras model, Keras source and a diagram.
# make test: everything that CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

export TF_CPP_MIN_LOG_LEVEL ?= 3
export TF_ENABLE_ONEDNN_OPTS ?= 0

.PHONY: build test lint types imports unit bench parity parity-torch every docs gallery clean

build: $(VENV)/installed
	$(BIN)/archc build vgg:A -o build

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --editable '.[tensorflow,train]'
	$(BIN)/python -m compileall -q archc
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(PIP) install 'hypothesis>=6.100' 'import-linter>=2.0' 'pyright>=1.1.400' 'pytest>=8.0' 'pytest-cov>=5.0' 'ruff>=0.9' types-PyYAML build 'jax>=0.4.30'
	touch $@

test: lint types imports unit

lint: $(VENV)/tested
	$(BIN)/ruff check .

types: $(VENV)/tested
	$(BIN)/pyright

imports: $(VENV)/tested
	$(BIN)/lint-imports --no-cache

unit: $(VENV)/tested
	$(BIN)/pytest --cov --cov-report=term:skip-covered --cov-fail-under=90

bench: $(VENV)/tested
	$(BIN)/python -m tests.benchmarks

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
	ARCHC_EVERY=1 $(BIN)/pytest tests/test_agreement.py tests/test_determinism.py tests/test_commands.py

docs: $(VENV)/installed
	$(BIN)/python -m archc.reference

gallery: $(VENV)/installed
	$(BIN)/python -m archc.gallery

clean:
	rm -rf build dist .coverage .pytest_cache .ruff_cache .hypothesis
