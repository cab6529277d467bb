SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
RUNS := .venv/.run
READY := .venv/.ready

.PHONY: run test demo bench chaos lint types events schema reference lock help

run: $(RUNS) ## start Kafka, Postgres and every role; Ctrl-C stops them
	@exec $(BIN)/crm up

test: $(READY) ## all tests, on real Kafka and Postgres that they start themselves
	@$(BIN)/python -m pytest

demo: $(RUNS) ## play the five stories against the running stack
	@$(BIN)/crm demo

bench: $(RUNS) ## list the benchmarks; each prints JSON
	@$(BIN)/crm bench --help

chaos: $(RUNS) ## break a stack of its own in every way and prove that nothing is lost; takes over an hour
	@$(BIN)/crm chaos --fault all

lint: $(READY) ## format, lint, import rules and the contract
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m crm.contract.evolution
	@$(BIN)/python -m api.evolution
	@$(BIN)/python -m streams.rebuild.golden

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

events: $(READY) ## Python classes, ids and golden records from schemas/avro; golden rows of folds
	@$(BIN)/python -m crm.contract.generate
	@$(BIN)/python -m crm.contract.publishing
	@$(BIN)/python -m streams.rebuild.golden write

schema: $(READY) ## schema.graphql from the code
	@$(BIN)/python -m api.sdl > schema.graphql

reference: $(READY) ## the API's reference as one page, build/reference/index.html
	@$(BIN)/python -m api.reference

lock: $(READY) ## the newest packages that fit, with their hashes, into the locks
	@bash bootstrap.sh lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml bootstrap.sh tests/tools/requirements.lock tests/node/package-lock.json
	@bash bootstrap.sh

ifeq ($(wildcard $(READY)),)
$(RUNS): requirements-up.lock pyproject.toml bootstrap.sh
	@bash bootstrap.sh run
else
$(RUNS): $(READY) # everything is here and is kept up to date
endif
