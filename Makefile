# Cloverleaf: every target sets up what it needs; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: help setup run test check bench docs clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## create .venv and install everything from the lock file

$(STAMP): pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --frozen --inexact
	@touch $@

run: setup ## the built-in district study: four arms, side by side
	$(BIN)/cloverleaf run

test: setup check ## all checks and tests; this is what CI runs
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: setup ## lock file, lint and types
	$(BIN)/uv lock --check --quiet
	$(BIN)/ruff check .
	$(BIN)/mypy --no-error-summary

bench: setup ## reproduce every row of the performance table
	$(BIN)/cloverleaf bench all

docs: setup ## render the reference pages from the docstrings
	$(BIN)/python docs/build.py

clean: ## remove what `make` made
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
