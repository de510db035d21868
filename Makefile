# Every target works on a fresh machine with python3 and make: it makes .venv, installs what it needs, and runs.
PYTHON ?= python3
BIN := .venv/bin
FASHIONBERT_SHARED ?= ../shared
export FASHIONBERT_SHARED

.PHONY: help demo test test-shared test-slow test-lowest check docs bench clean
help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[serve]'
	@touch $@ .venv/.base

.venv/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ .venv/.base .venv/.demo

.venv/.check: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test,check]'
	@touch $@ .venv/.test .venv/.demo .venv/.base

.venv/.docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@ .venv/.base

.venv-lowest/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct --editable '.[test]'
	@touch $@

demo: .venv/.demo ## draw a shop, train on it, measure, search in it: some minutes on two cores, offline
	$(BIN)/fashionbert demo

test: .venv/.test ## unit tests: no network, no data, about a minute
	$(BIN)/python -m pytest -n auto --dist loadscope -m 'not shared and not slow'

test-slow: .venv/.test ## whole commands, trainings and exports, the page in a browser: some minutes
	$(BIN)/python -m pytest -n auto --dist loadscope -m 'slow and not shared'

test-shared: .venv/.test ## tests on the data and weights that FASHIONBERT_SHARED names
	$(BIN)/python -m pytest -m shared

# The oldest versions that pyproject.toml allows warn of their own dependencies, hence -W default.
test-lowest: .venv-lowest/.test ## unit tests and an export with the oldest versions of what we build on
	.venv-lowest/bin/python -m pytest -n auto --dist loadscope -W default -m 'not shared and not slow'
	.venv-lowest/bin/python -m pytest -W default tests/cli/test_export.py

check: .venv/.check ## lint, types, import contracts, docstrings against signatures
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/pydoclint --quiet src

docs: .venv/.docs ## build the documentation, warnings are errors
	$(BIN)/mkdocs build --strict

bench: .venv/.base ## measure speed on this machine
	$(BIN)/fashionbert bench scoring --out benchmarks/results
	$(BIN)/fashionbert bench features --out benchmarks/results
	$(BIN)/fashionbert bench training --out benchmarks/results

clean: ## remove what the targets made
	rm -rf .venv .venv-lowest site demo
