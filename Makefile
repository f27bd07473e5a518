# `make demo` and `make test` need only Python 3.11+, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo demo-web test test-services lint bench commands schemas picture screenshots clean
.DEFAULT_GOAL := help

help:  ## Say what can be made.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/pip:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed  ## See the bot at work on a small LMS that lives, with Zulip in the terminal.
	$(BIN)/lms-bot demo

demo-web: $(VENV)/installed  ## See its pages in the browser, without any account.
	$(BIN)/python -m pip install --quiet --editable '.[web]'
	$(BIN)/lms-bot demo --web

test: $(VENV)/installed-dev  ## Run every test (PostgreSQL comes from a wheel).
	$(BIN)/python -m pytest

test-services: $(VENV)/installed-dev  ## Run the tests that need more than Python on the machine: a C compiler, MariaDB, Chromium, npm.
	$(BIN)/python -m pytest -m services

lint: $(VENV)/installed-dev  ## Check style, types and layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed-dev  ## Measure what docs/benchmarks.md says.
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.burst $$kind 100000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.empty $$kind 1000000; done
	$(BIN)/python -m benchmarks.empty_moodle 1000000
	$(BIN)/python -m benchmarks.delivery 3000
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.questions $$kind 1000000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.writing $$kind 1000000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.streaks $$kind 100000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.sync $$kind 3000000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.space $$kind 1000000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.alerts $$kind 1000000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.patterns $$kind 1000000; done
	$(BIN)/python -m benchmarks.alerts days
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.academics $$kind; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.snapshots $$kind 100000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.web $$kind 1000000; done
	for kind in sqlite postgresql; do $(BIN)/python -m benchmarks.beside $$kind; done
	$(BIN)/python -m benchmarks.copying 200000
	$(BIN)/python -m benchmarks.stopping 5
	$(BIN)/python -m benchmarks.answering 5

commands: $(VENV)/installed  ## Write docs/commands.md anew.
	$(BIN)/python -m lms_bot.handlers.reference > docs/commands.md

schemas: $(VENV)/installed-dev  ## Make the stores anew that tests upgrade from the current schema, before it is released.
	$(BIN)/python -m tests.schemas.make

picture: $(VENV)/installed  ## Draw the conversation of the README anew.
	$(BIN)/python docs/conversation.py

screenshots: $(VENV)/installed-dev  ## Make the screenshot of the README anew (needs Debian's chromium).
	$(BIN)/python docs/screenshot.py

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
