# make build: .venv, archc in it, and one spec compiled to a Keras model, Keras source and a diagram.
# make test: everything that CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

export TF_CPP_MIN_LOG_LEVEL ?= 3
export TF_ENABLE_ONEDNN_OPTS ?= 0

.PHONY: build test lint types imports unit bench docs gallery clean

build: $(VENV)/installed
	$(BIN)/archc build vgg:A -o build

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --editable '.[tensorflow]'
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

docs: $(VENV)/installed
	$(BIN)/python -m archc.reference

gallery: $(VENV)/installed
	$(BIN)/python -m archc.gallery

clean:
	rm -rf build dist .coverage .pytest_cache .ruff_cache .hypothesis
