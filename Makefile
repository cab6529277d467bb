SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
RUNS := .venv/.run
READY := .venv/.ready
unexport PYTHONDONTWRITEBYTECODE # the tests start hundreds of processes, each of which would compile all again

PURE := tests/unit tests/contract tests/meaning tests/test_architecture.py

.PHONY: run unit test properties demo bench chaos lint types events schema reference help

run: $(RUNS) ## start Kafka, Postgres and every role; Ctrl-C stops them
	@exec $(BIN)/crm up

unit: $(READY) ## the tests that need no server, in a minute
	@$(BIN)/python -m pytest -q -n logical --dist worksteal --hypothesis-profile=quick $(PURE)

test: $(READY) ## all tests, on real Kafka and Postgres that they start themselves
	@$(BIN)/python -m pytest -q -n logical --dist loadfile

properties: $(READY) ## the property tests with new random examples; `make test` tries the same ones each time
	@$(BIN)/python -m pytest -q -n logical --dist loadfile --hypothesis-profile=new -m hypothesis

demo: $(RUNS) ## play the stories against the running stack
	@$(BIN)/crm demo

bench: $(RUNS) ## list the benchmarks; each prints JSON
	@$(BIN)/python -m tests.bench --help

chaos: $(RUNS) ## break a stack of its own in every way and prove that nothing is lost; takes over an hour
	@$(BIN)/python -m tests.chaos --fault all

lint: $(READY) ## format, lint, import rules and the contract
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.support.private_words
	@$(BIN)/python -m crm.contract.evolution
	@$(BIN)/python -m api.evolution
	@$(BIN)/python -m streams.rebuild.golden

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

events: $(READY) ## Python classes, ids and golden records from schemas/avro; golden rows of folds; lists of connectors and events
	@$(BIN)/python -m crm.contract.generate
	@$(BIN)/python -m crm.contract.publishing
	@$(BIN)/python -m streams.rebuild.golden write
	@$(BIN)/python -m services.connectors.reference
	@$(BIN)/python -m services.reference

schema: $(READY) ## schema.graphql, the tables of docs/graphql.md and docs/totals.md and the views of docs/sql.md, from the code
	@$(BIN)/python -m api.sdl > schema.graphql
	@$(BIN)/python -m api.schema.filter_table
	@$(BIN)/python -m api.schema.totals_table
	@$(BIN)/python -m api.sql_reference

reference: $(READY) ## the API's reference as one page, build/reference/index.html
	@$(BIN)/python -m api.reference

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml bootstrap.sh tests/tools/requirements.lock tests/node/package-lock.json tests/go/go.sum
	@bash bootstrap.sh

ifeq ($(wildcard $(READY)),)
$(RUNS): requirements-up.lock pyproject.toml bootstrap.sh
	@bash bootstrap.sh run
else
$(RUNS): $(READY) # everything is here and is kept up to date
endif
