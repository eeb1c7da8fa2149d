# Two commands: `make demo` shows the product, `make test` proves it. Both need Python 3.11 or
# newer and make, and nothing else; everything lives in .venv.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What is installed is compiled once, unless --no-compile leaves that to the first import.
COMPILE := --compile
# Installs a lock in two halves side by side: unpacking keeps one processor busy.
install = awk '/^[^ ]/ {half = 1 - half} {print > ("$(VENV)/half" half ".lock")}' $(1) && \
	printf '0\n1\n' | xargs -P 2 -I {} \
	$(PIP) install $(COMPILE) --no-deps --require-hashes -r $(VENV)/half{}.lock

.PHONY: help demo app quick test test-long test-all bench hold simulate lint format docs gallery migration lock clean

help:
	@echo "make demo    build the demonstration ledger, walk the journey, serve the app on 127.0.0.1:$(PORT)"
	@echo "make app     serve the app on your own ledger there (another port: make app PORT=8502)"
	@echo "make quick   check style and run the quick tests: no browser, server or simulation (a minute)"
	@echo "make test    test every behaviour (tests in a browser need Chromium)"
	@echo "make test-all  test everything: every width and theme, simulations, all examples"
	@echo "make bench   measure speed and memory against what people use today"
	@echo "make hold    kill writers, servers, imports; cut the power; fill the disk; a hostile session"
	@echo "make simulate  measure by simulation how often reports err (40 minutes)"
	@echo "make lint    ruff, mypy strict, import-linter"
	@echo "make docs    write the pages of docs/ that are made from the code"
	@echo "make gallery  open every page in Chromium and write its picture to docs/gallery"
	@echo "make lock    resolve the dependencies anew"
	@echo "make clean   remove what make made"

demo: $(VENV)/.runs
	@$(BIN)/forecasts demo --port $(PORT)

app: $(VENV)/.runs
	@$(BIN)/forecasts app --port $(PORT)

# The tests start many processes. If Python may not keep what it compiles, each of them compiles
# the project again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --dist worksteal
# Some tests wait for a browser or a server, so there is one more worker than processors.
WORKERS = $(shell $(BIN)/python -c 'import os; print(1 + (os.cpu_count() or 1))')

quick: $(VENV)/.tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(PYTEST) -n auto -m "not (browser or server or simulation or slow or long or nightly)"

test: $(VENV)/.tests
	$(PYTEST) -n $(WORKERS) $(ARGS)

test-long: $(VENV)/.tests
	LEDGER_TESTS_EXAMPLES=all $(PYTEST) -n $(WORKERS) -m "(long or hypothesis) and not nightly"

test-all:
	LEDGER_TESTS_EXAMPLES=all $(MAKE) test ARGS='-m "not nightly" $(ARGS)'

bench: $(VENV)/.tests
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.reporting
	$(BIN)/python -m benchmarks.scale

hold: $(VENV)/.tests
	$(BIN)/pytest tests/outages tests/fuzz/test_resolvers.py tests/app/test_presses.py -m "nightly or not nightly"
	$(BIN)/python -m benchmarks.conditionals
	$(BIN)/python -m benchmarks.hostile
	$(BIN)/python -m benchmarks.bulk_writing --whole

simulate: $(VENV)/.tests
	$(BIN)/python -m benchmarks.simulate

lint: $(VENV)/.tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.tests
	$(BIN)/python docs/write_commands.py
	$(BIN)/python docs/write_json.py
	$(BIN)/python docs/write_architecture.py
	$(BIN)/python docs/write_catalogue.py

gallery: $(VENV)/.tests
	$(BIN)/python docs/write_gallery.py

migration: $(VENV)/.tests
	$(BIN)/python docs/draft_migration.py "$(MESSAGE)"

format: $(VENV)/.tests
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Forecast Ledger needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing (a minute or two, once) ..."
	@$(call install,requirements.lock)
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tests: requirements-dev.lock $(VENV)/.runs
	@$(call install,requirements-dev.lock)
	@touch $@

# The locks hold hashes and no addresses, so plain pip installs them from whatever index it uses;
# and they are complete, so that it need not look for anything that they do not name.
lock:
	$(PIP) install uv
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
		--quiet --upgrade pyproject.toml --extra build --extra api --extra postgres --output-file requirements.lock
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
		--quiet --upgrade pyproject.toml --extra build --extra api --extra postgres --extra dev --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
