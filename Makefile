.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# Tests and servers start hundreds of interpreters: each would compile all that it imports.
export PYTHONDONTWRITEBYTECODE =
BIN := .venv/bin
STAMP := .venv/.installed

# uv does not read pip's configuration: it is handed pip's index; empty counts as unset.
UV_INDEX = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$($(PYTHON) -m pip config list 2>/dev/null | sed -n "s/.*\.index-url='\(.*\)'.*/\1/p" | tail -n 1)}"
WITH_INDEX = $(UV_INDEX); if [ -n "$$UV_DEFAULT_INDEX" ]; then export UV_DEFAULT_INDEX; else unset UV_DEFAULT_INDEX; fi

# What the images of both apps run on: nothing of development, and only versions that the tests ran with.
RUN = pyproject.toml --extra service --extra flask --extra fastapi --extra msal --extra postgres --extra redis --constraint requirements/dev.lock

.PHONY: help setup test servers pythons parity wire resilience cutover bench faults check style measured lint flask fastapi openapi migrate dist lock clean
.DELETE_ON_ERROR:

help:  ## list the commands
	@sed -n 's/^\([a-z][a-z_-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

setup: $(STAMP)  ## make .venv from the locked requirements (the other commands do it by themselves)

$(STAMP): pyproject.toml requirements/bootstrap.lock requirements/dev.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing. Install it: apt-get install python3 python3-venv python3-pip"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@rm -rf .venv
	@if $(PYTHON) -m pip --python "$$(command -v $(PYTHON))" --version >/dev/null 2>&1; then \
	  $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python $(BIN)/python install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock; \
	else \
	  $(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock; \
	fi || { echo "The virtual environment could not be made. On Debian: apt-get install python3-venv python3-pip"; exit 1; }
	@$(WITH_INDEX); $(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.lock \
	  || { echo "uv could not install; pip does it, more slowly."; $(BIN)/python -m pip install -q --require-hashes -r requirements/dev.lock; }
	@UV_OFFLINE=1 $(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

test: $(STAMP)  ## run the tests that need nothing but Python, and say how many it leaves to `make servers`
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not servers and not services"

servers: $(STAMP)  ## run the tests that start servers, or need PostgreSQL, Redis, Node.js, a proxy or a browser
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "servers or services"

pythons: $(STAMP)  ## run the contract suite on each other Python from 3.11 to 3.14 that is found, with fresh apps on the first (PYTHONS=3.13: on that one)
	@$(WITH_INDEX); $(BIN)/python -m contract_tests.tests.pythons $(PYTHONS)

parity: $(STAMP)  ## start both apps on real servers and give the verdict: do they answer alike?
	@$(BIN)/python -m contract_tests.live

wire: $(STAMP)  ## measure what a naive port does otherwise on the wire, and write docs/wire.md (4 minutes)
	@$(BIN)/python -m contract_tests.live.probes.measuring --write
	@$(BIN)/python -m contract_tests.live.probes.page

resilience: $(STAMP)  ## bursts, signals, kills, a full disk and a database that goes away, on real servers
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile contract_tests/live/resilience

cutover: $(STAMP)  ## move traffic from one app to the other and back, with nginx and with HAProxy, under load
	@$(BIN)/python -m contract_tests.live.cutover

bench: $(STAMP)  ## what each route costs, on both apps, the smallest and the usual ones, under bench-report/ (15 minutes)
	@$(BIN)/python -m contract_tests.live.bench

faults: $(STAMP)  ## plant each of the known faults in a copy, and say which test notices it (15 minutes)
	@$(BIN)/python -m contract_tests.tests.faults

check: $(STAMP)  ## exactly what CI runs: style, tests, servers, parity, other Pythons, wire, resilience, cutover
	@$(MAKE) --no-print-directory -j2 $(SYNC) style test servers parity pythons measured resilience cutover

# Two at once: half of them wait for servers more than they compute. What one prints stays together.
SYNC = $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

style: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

measured: $(STAMP)
	@$(BIN)/python -m contract_tests.live.probes.measuring

lint: $(STAMP)  ## format the code, and mend what the linter can mend
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

flask: $(STAMP)  ## run the original on http://HOST:PORT (127.0.0.1:8000)
	@threads=$$($(BIN)/python -m shared_core.settings threads) && exec $(BIN)/gunicorn "flask_app:create_app()" --worker-class gthread --threads $$threads --no-control-socket --forwarded-allow-ips= --bind $(HOST):$(PORT)

fastapi: $(STAMP)  ## run the port on http://HOST:PORT (127.0.0.1:8000)
	@exec $(BIN)/uvicorn fastapi_app:create_app --factory --http fastapi_app.wire.protocol:GunicornHttp --no-proxy-headers --no-access-log --host $(HOST) --port $(PORT)

openapi: $(STAMP)  ## write shared_core/openapi.json from the port's typed routes
	@$(BIN)/python -m fastapi_app.openapi_file

migrate: $(STAMP)  ## bring the database of DATABASE_URL to the newest revision
	@$(BIN)/python -m shared_core.migrations

dist: $(STAMP)  ## build the wheel of the engine, to be installed beside anyone's two apps, into dist/
	@rm -rf dist
	@$(BIN)/python -m hatchling build -t wheel

lock:  ## write the hashed lock files anew from pyproject.toml
	@test -x $(BIN)/uv || $(MAKE) --no-print-directory setup
	@$(WITH_INDEX); for pair in "pyproject.toml --all-extras --group dev:dev" "$(RUN):run" "requirements/bootstrap.in:bootstrap"; do \
	  $(BIN)/uv pip compile -q $${pair%:*} --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/$${pair##*:}.lock || exit 1; done

clean:  ## remove what the other commands made
	rm -rf .venv .venv-3.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis parity-report bench-report dist var
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
