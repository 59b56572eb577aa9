# What can be run here. A fresh machine needs Python 3.11+ (with venv), git and make; everything else comes with pip,
# pinned and checked by hash in the two lock files.

PYTHON ?= python3
VENV ?= .venv
DEMO_HOME ?= demo-home
PYTEST_ARGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PATHS := detector tests benchmarks sample_logs docs
# rule_rates reads a home that was scanned into
MEASURES := $(filter-out %/rule_rates.py,$(wildcard benchmarks/[a-z]*.py))

.PHONY: demo test quick lint lock samples docs bench clean help

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.installed ## scan the sample logs, then list the alerts
	$(BIN)/detector scan sample_logs --home $(DEMO_HOME)
	$(BIN)/detector alerts list --home $(DEMO_HOME)

test: $(VENV)/.dev ## every test
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

quick: $(VENV)/.dev ## the tests of less than ten seconds that need no server
	$(BIN)/python -m pytest -n 2 -m "not slow and not server" $(PYTEST_ARGS)

lint: $(VENV)/.dev ## style, types, imports that go down the house only, and the shipped rules with their examples
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/detector rules check rules --strict
	$(BIN)/detector rules test rules --require-coverage

lock: $(VENV)/.dev ## write both lock files anew, with the newest versions that pyproject.toml allows
	$(call compile,--group build) --output-file requirements.lock pyproject.toml
	$(call compile,--group dev --extra postgresql --extra spark --constraint requirements.lock) \
		--output-file requirements-dev.lock pyproject.toml

samples: $(VENV)/.installed ## write the sample logs anew (the same bytes, unless make_samples.py changed)
	$(BIN)/python sample_logs/make_samples.py --seed 7 sample_logs

docs: $(VENV)/.installed ## write the generated parts of the documentation anew (a minute or two)
	$(BIN)/python docs/generate.py --demo
	$(BIN)/python docs/formats.py
	$(BIN)/python docs/rules_page.py

bench: $(VENV)/.dev ## the measurements, each at its default size (some minutes)
	for each in $(basename $(notdir $(MEASURES))); do $(BIN)/python -m benchmarks.$$each || exit 1; done
	$(BIN)/detector scan sample_logs --home $(DEMO_HOME)
	$(BIN)/python -m benchmarks.rule_rates $(DEMO_HOME)

clean: ## remove what was made here
	rm -rf $(VENV) demo-home build dist

compile = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(1)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed; name one with: make PYTHON=python3.13 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A changed lock or pyproject.toml installs anew; `--require-hashes` refuses whatever is not in the lock.
$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# pyspark alone comes as source: its hash is checked like any other, and it is built by the setuptools of the lock, which
# is here already, and not by one fetched for the purpose.
$(VENV)/.dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) install --require-hashes --only-binary :all: --no-binary pyspark --no-build-isolation -r requirements-dev.lock
	@touch $@
