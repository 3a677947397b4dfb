# Everything a person types, by section. Needs Python >= 3.11 and make; the rest it fetches.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
export UV_NO_PROGRESS := 1
# a virtual environment that happens to be activated is not this project's
unexport VIRTUAL_ENV
DEMO ?= 1

##@ Start here
.PHONY: help
help:  ## this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/ready  ## a complete collection round of one area on this machine
	$(BIN)/tabian demo

.PHONY: run
run: $(VENV)/ready  ## the whole system in one process with demo data; prints address and accounts
	$(BIN)/tabian up --demo

##@ In containers
.PHONY: up
up: $(VENV)/ready  ## the stack in containers with demo data (DEMO= for an empty one); prints address and accounts
	deploy/setup/containers
	$(BIN)/tabian stack up $(if $(DEMO),--demo)

.PHONY: down
down: $(VENV)/ready  ## stop the stack; what it holds stays
	$(BIN)/tabian stack down

.PHONY: logs
logs:  ## follow the stack's logs
	docker compose --project-name tabian logs --follow --tail 100

.PHONY: e2e
e2e: $(VENV)/ready  ## a whole round on a stack, then tests that break and load one; summary in .tabian/e2e
	deploy/setup/containers
	$(BIN)/tabian stack e2e
	$(BIN)/pytest -m stack tests/stack --ignore tests/stack/test_alerts.py
	$(BIN)/pytest -m stack tests/stack/test_alerts.py

EXAMPLES ?= 200
.PHONY: fuzz
fuzz: $(VENV)/ready  ## a stack asked at random through the edge, in every role, so often for each address (EXAMPLES=200)
	deploy/setup/containers
	TABIAN_TEST_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -m fuzz tests/stack/test_fuzz.py

.PHONY: alerts
alerts: $(VENV)/ready  ## every alert, seen to come for a real fault on a stack: half an hour; .tabian/e2e/every-alert.json
	deploy/setup/containers
	deploy/setup/wrk
	rm -f .tabian/e2e/every-alert.json
	$(BIN)/pytest -m alerts tests/stack/test_every_alert.py

SEEDS ?= 5
.PHONY: chaos
chaos: $(VENV)/ready  ## rounds on a stack that is being broken (SEEDS=5); summary in .tabian/chaos
	deploy/setup/containers
	$(BIN)/tabian chaos --seeds $(SEEDS)

.PHONY: drill
drill: $(VENV)/ready  ## a stack lost in the middle of a round and put back; report in .tabian/drill
	deploy/setup/containers
	$(BIN)/tabian drill

SCHOOLS ?= 1479
.PHONY: bench
bench: $(VENV)/ready  ## a stack under the load of a part of the country (SCHOOLS=1479); figures in .tabian/bench
	deploy/setup/containers
	deploy/setup/wrk
	$(BIN)/tabian bench --schools $(SCHOOLS)

NATION ?=
.PHONY: bench-nation
bench-nation: $(VENV)/ready  ## the same of the whole country (NATION=folder of one made before); figures in .tabian/bench-nation
	deploy/setup/containers
	deploy/setup/wrk
	$(BIN)/tabian bench $(if $(NATION),--nation $(NATION),--all) --json .tabian/bench-nation/summary.json

.PHONY: bench-smoke
bench-smoke: $(VENV)/ready  ## every part of a bench with twelve schools: that it works and leaves no figure out
	deploy/setup/containers
	deploy/setup/wrk
	$(BIN)/tabian bench --schools 12 --rate 10 --seconds 5 --step 1 --complete --json .tabian/bench-smoke/summary.json

PROFILE ?= last-hour
.PHONY: rehearse
rehearse: $(VENV)/ready  ## the deadline day on a stack (PROFILE=last-hour SCHOOLS=1479); report in .tabian/rehearse
	deploy/setup/containers
	deploy/setup/wrk
	$(BIN)/tabian rehearse day --profile $(PROFILE) --schools $(SCHOOLS)

##@ Develop
.PHONY: test
test: $(VENV)/ready  ## all tests (sets up PostgreSQL and a browser for itself)
	deploy/setup/browser
	deploy/setup/rabbitmq
	deploy/setup/haproxy
	deploy/setup/prometheus
	deploy/setup/wrk
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

.PHONY: docs
docs: $(VENV)/ready  ## write the documents that are made from the code
	$(BIN)/python -m deploy.documents

.PHONY: audit
audit: $(VENV)/ready  ## what is in the image (.tabian/sbom.json), and whether a weakness of any of it is known
	$(BIN)/python -m deploy.supply

.PHONY: secrets
secrets: $(VENV)/ready  ## write down what looks like a secret and is none; look at what it writes
	$(BIN)/detect-secrets scan --no-verify --slim --exclude-files '^.secrets.baseline$$' > .secrets.new && mv .secrets.new .secrets.baseline

.PHONY: lock
lock: $(VENV)/uv-ready  ## renew requirements.lock from pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	    --group dev pyproject.toml --output-file requirements.lock
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	    --constraint requirements.lock pyproject.toml --output-file deploy/requirements.lock

.PHONY: edge
edge: $(VENV)/ready  ## write the edge's configuration from the table of routes
	$(BIN)/python -m gateway.edge

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
