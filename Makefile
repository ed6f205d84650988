# Needs make and Python 3.11 or newer; everything else goes into .venv, and `make clean` takes it away again.
SHELL := /bin/sh
BIN := .venv/bin
PYTHON = $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
MIGRATIONS = $(sort $(wildcard chassis/migrations/*.sql services/*/migrations/*.sql))
COMPILE = uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--python-version 3.11 pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo bench test test-fast test-servers histories faults compose-up compose-test lint lock clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/made ## The main job on real Kafka and PostgreSQL; `make demo ARGS="--referrals 500 --keep"`
	@$(BIN)/furthest demo $(ARGS)

bench: .venv/made ## Speed, latency, cost and memory, a quarter to half an hour; `make bench ARGS="--quick --only c,d"`
	@$(BIN)/furthest bench $(ARGS)

test: .venv/made ## Every test but the slow tiers, two at a time; starts PostgreSQL and Kafka, on free ports
	@$(BIN)/pytest -n 2 --no-loadscope-reorder $(ARGS)

test-fast: .venv/made ## The pure rules only; starts no server
	@$(BIN)/pytest -q -m "not servers" --hypothesis-profile=fast $(ARGS)

test-servers: .venv/made ## Only the tests that need PostgreSQL or Kafka
	@$(BIN)/pytest -m servers $(ARGS)

histories: .venv/made ## The tests of invariants with thousands of random histories; `make histories ARGS=tests/referrals`
	@$(BIN)/pytest -m invariant --hypothesis-profile=thousands $(ARGS)

faults: .venv/made ## Tries to lose, double or disorder a referral; `make faults ARGS="--referrals 20000 --faults 100 --seed 1"`
	@$(BIN)/python -m tests.faults $(ARGS)

compose-up: ## The deployment in containers, on this host; see deploy/.env.example
	@docker compose -f deploy/compose.yaml up --build --wait

compose-test: .venv/made ## The main job over compose while containers die; `make compose-test ARGS="--referrals 500 --keep"`
	@$(BIN)/python -m tests.compose $(ARGS)

lint: .venv/made ## Style, types, who may import whom, migrations
	@failed=; \
	for check in "ruff check --quiet ." "ruff format --quiet --check ." mypy "lint-imports --no-logo" \
		"squawk $(MIGRATIONS)"; do \
		$(BIN)/$$check || failed="$$failed $${check%% *}"; \
	done; \
	test -z "$$failed" || { echo "Failed:$$failed" >&2; exit 1; }

lock: ## Pin the dependencies of pyproject.toml again; `make lock ARGS=--upgrade` takes newer ones
	@$(check-python)
	@set -e; uv=$$(mktemp -d); trap 'rm -rf "$$uv"' EXIT; \
	echo "Resolving with uv, in a throw-away environment"; \
	$(PYTHON) -m venv "$$uv"; \
	"$$uv/bin/pip" install --quiet --disable-pip-version-check uv; \
	"$$uv/bin"/$(COMPILE) --all-extras -o requirements/dev.txt $(ARGS) >/dev/null; \
	"$$uv/bin"/$(COMPILE) -c requirements/dev.txt -o requirements/run.txt >/dev/null

clean: ## Take away .venv and what tools left; keeps .furthest, where `furthest up` has its data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		tests/contracts/asyncapi/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made: requirements/dev.txt pyproject.toml
	@$(check-python)
	@echo "Making .venv with $$($(PYTHON) --version): about a minute, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

define check-python
test -n "$(PYTHON)" || { \
	echo "Python 3.11 or newer is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "$$($(PYTHON) --version) lacks the venv module: on Debian and Ubuntu, apt-get install python3-venv" >&2; \
	exit 1; }
endef
