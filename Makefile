# The project's own commands; `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := demo
KILLS ?= 500
# three workers for two processors, since tests wait for servers and browsers
WORKERS ?= $(shell expr '(' 3 '*' $$($(PYTHON) -c 'import os; print(os.cpu_count() or 1)') + 1 ')' / 2)
# a file of tests at a time for each worker, in the order that tests/conftest.py gives them
PARALLEL ?= -n $(WORKERS) --maxprocesses 4 --max-worker-restart 3 --dist loadfile --no-loadscope-reorder
# every worker reads the tests, and every process that they start the code: compiled once, kept
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -rR $(PARALLEL)

.PHONY: help install demo serve test test-fast test-full lint lint-types lint-code docs faults bench fuzz clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=24'

# what is installed follows pyproject.toml and constraints.txt
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

install: $(VENV)/.installed ## make .venv and install Backfile into it

demo: $(VENV)/.installed ## ingest the sample archive and ask it three questions
	@$(BIN)/backfile ingest --sample --archive $(DEMO)
	@for question in "What did South Korea threaten?" \
		"How many soldiers has North Korea sent to Russia, and who says so?" \
		"What did the Pope say?"; do \
		printf '\n\033[1m%s\033[0m\n\n' "$$question"; \
		$(BIN)/backfile ask "$$question" --asked-on 2024-11-15 --archive $(DEMO) || exit 1; \
	done
	@printf '\nTo ask your own in a browser: make serve\n'

serve: $(VENV)/.installed ## open the page over the sample archive
	@$(BIN)/backfile ingest --sample --archive $(DEMO)
	$(BIN)/backfile serve --archive $(DEMO)

test: $(VENV)/.installed-test ## run the tests, with the model and in a browser: 6 minutes on two cores
	$(PYTEST) -m "not full"

test-fast: $(VENV)/.installed-test ## run the quick tests, without the model and a browser: a minute
	$(PYTEST) -m "not slow and not full and not model and not browser"

test-full: $(VENV)/.installed-test ## run every test, the slow ones too, on more examples: what CI runs
	$(PYTEST) --hypothesis-profile full --durations 40

lint: $(VENV)/.installed-test ## ruff, mypy, bandit, the import contracts and words that we don't use
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint-types lint-code

lint-types: # beside the rest: it takes as long, on one processor
	$(BIN)/mypy

lint-code:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lint.security
	$(BIN)/python -m tests.lint.prose

docs: $(VENV)/.installed-docs ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo 'Built site/. To read and search it: $(BIN)/python -m http.server --directory site'

faults: $(VENV)/.installed-test ## kill KILLS=500 writers, fill the disk, search beside a writer: 30 minutes
	FAULTS=full KILLS=$(KILLS) $(BIN)/python -m pytest tests/faults

bench: $(VENV)/.installed-test ## measure speed, and write it into docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks.report

fuzz: $(VENV)/.installed-test ## read a thousand damaged inputs of every kind
	$(BIN)/python -m tests.fuzz

clean: ## remove what these commands made
	rm -rf $(VENV) $(DEMO) artefacts site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
