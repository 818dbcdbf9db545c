# The whole workflow. Every target says in one line what it does: make help.

PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
PIP := $(RUN) pip install --disable-pip-version-check --no-input --no-deps --no-compile
COMPILE := uv pip compile --quiet --no-header --no-annotate --generate-hashes --universal --python-version 3.11
TESTS := -m "not browser and not faults" -n 2 --dist worksteal
USED := .venv/used.stamp
DEVELOPED := .venv/developed.stamp
unexport PYTHONDONTWRITEBYTECODE # each of some hundred processes would compile everything anew

.DEFAULT_GOAL := help
.PHONY: help demo install develop check types patterns test coverage faults chaos fuzz test-browser pictures floors audit lock clean

help: ## Show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: install ## Try everything: four phones and the officers' console on this machine
	@$(BIN)/kentongan demo

install: $(USED) ## Set up .venv with pinned packages, to run

develop: $(DEVELOPED) ## Set up .venv with pinned packages, to run and to test

check: develop ## Check format, lint, types, imports and known bad patterns
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(BIN)/lint-imports --no-cache
	$(MAKE) --no-print-directory --jobs=2 types patterns

types:
	$(RUN) mypy

patterns:
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive bot handlers storage

test: check ## Check, then run the tests; what is above storage on SQLite alone (lanes of their own: faults, browser)
	$(RUN) pytest $(TESTS) -k "not postgresql or storage"

coverage: check ## Every test on its stores, traced where it stands beside the code (below 95 % of branches it fails)
	$(RUN) coverage erase
	$(RUN) coverage run -m pytest $(TESTS) -p tests.tools.both_stores -p tests.tools.traced
	$(RUN) coverage combine --quiet
	$(RUN) coverage report

faults: develop ## Kill servers, stores and providers in short runs, a short chaos among them
	$(RUN) pytest -m faults -n 3 --maxschedchunk 1 # they wait more than they work

chaos: develop ## Kill servers 30 times under 200 reporters, on both databases (15 min; CHAOS_SEED=… again)
	$(RUN) tests.tools.chaos

fuzz: develop ## Change inputs of every reader for FUZZ_SECONDS each (60); what breaks one is kept
	$(RUN) tests.tools.fuzzing

test-browser: develop ## Drive the demo in a real Chromium
	$(RUN) pytest -m browser -n 2

pictures: develop ## Take the pictures of docs/officers.md and docs/petugas.md anew
	$(RUN) tests.tools.pictures

floors: develop ## Draw the floors of docs/architecture.md anew from the imports
	$(RUN) tests.tools.floors

audit: develop ## Ask for known weaknesses of the pinned packages (needs the advisory database)
	$(RUN) pip_audit --requirement requirements.lock --disable-pip

lock: ## Write both lock files anew (needs uv)
	@echo setuptools | $(COMPILE) --extra postgres --extra s3 - pyproject.toml -o requirements.lock
	@echo setuptools | $(COMPILE) --extra dev -c requirements.lock - pyproject.toml -o requirements-dev.lock

clean: ## Remove what these targets made, the demo's folder too
	rm -rf .venv .demo .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Kentongan needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "This Python cannot make virtual environments; install the package python3-venv (Debian, Ubuntu)"; exit 1; }
	@echo "Setting up .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(USED): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing pinned packages"
	@$(PIP) --require-hashes -r requirements.lock
	@$(RUN) compileall -q -j 0 .venv/lib # by every core; a service may not write there
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(DEVELOPED): requirements-dev.lock $(USED)
	@echo "Installing pinned packages for tests"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
