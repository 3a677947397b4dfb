# Everything a person types, by section. Needs Python >= 3.11 and make; the rest it fetches.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
export UV_NO_PROGRESS := 1

##@ Start here
.PHONY: help
help:  ## this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/ready  ## a complete collection round of one area on this machine
	$(BIN)/tabian demo

.PHONY: run
run: $(VENV)/ready  ## the whole system in one process with demo data; prints address and accounts
	$(BIN)/tabian up --demo

##@ Develop
.PHONY: test
test: $(VENV)/ready  ## all tests (sets up PostgreSQL and a browser for itself)
	deploy/setup/browser
	deploy/setup/rabbitmq
	$(BIN)/pytest -n auto --dist loadgroup

.PHONY: lint
lint: $(VENV)/ready  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/ready  ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: contracts
contracts: $(VENV)/ready  ## store the schemas and examples of all events
	$(BIN)/python -m tests.contracts.store

.PHONY: lock
lock: $(VENV)/uv-ready  ## renew requirements.lock from pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	    --group dev pyproject.toml --output-file requirements.lock

##@ Set-up
.PHONY: setup
setup: $(VENV)/ready  ## the virtual environment with everything locked

.PHONY: clean
clean:  ## remove the environment and what runs left behind
	rm -rf $(VENV) .tabian

$(VENV)/uv-ready: deploy/setup/venv
	PYTHON="$(PYTHON)" UV_VERSION="$(UV_VERSION)" deploy/setup/venv $(VENV)
	@touch $@

$(VENV)/ready: $(VENV)/uv-ready requirements.lock pyproject.toml
	$(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
