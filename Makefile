# Everything one does with this repository. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.priyom-run
DEV_STAMP := $(VENV)/.priyom-dev
RUN_EXTRAS := encoder,ru
DEV_EXTRAS := encoder,ru,test,dev
CODE := gateway channels nlu desk_core models presets tests benchmarks
# Two at a time on two cores; more only where there are cores for them.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$(( n < 2 ? 2 : n > 8 ? 8 : n )))
# Hundreds of processes are started by the tests. Where bytecode is not kept (images often say so, and pip is told to make none), each
# would compile all it imports: five seconds and more.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/build/pycache
# As in `make test ARGS="tests/unit -k lanes"`.
ARGS ?=

##@ Use it
.PHONY: help
help: ## List what can be made
	@awk 'BEGIN {FS = ":.*## "; print "make <target>"} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9_-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(RUN_STAMP) ## Start the whole desk here: SQLite, sandboxes for Telegram and mail, first administrator made on first start
	@PRIYOM_SANDBOX=$${PRIYOM_SANDBOX:-1} exec $(VENV)/bin/priyom run

.PHONY: demo
demo: $(RUN_STAMP) ## Play one story per channel against the running desk and tell what became of each
	@exec $(VENV)/bin/priyom demo

##@ Build it
.PHONY: setup
setup: $(DEV_STAMP) ## Make the virtual environment with everything for development

.PHONY: test
test: $(DEV_STAMP) ## Run every test; PostgreSQL, a Redis-compatible server and a browser are brought along. ARGS="path -k word" narrows it
	@$(PY) -m tests.services.browser
	@$(PY) -m tests.acceptance.trained
	@$(PY) -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: check
check: $(DEV_STAMP) ## Everything that can be said without running the product: style, types, imports, lints, translations, migrations, docs
	@echo "ruff check";        $(VENV)/bin/ruff check $(CODE)
	@echo "ruff format";       $(VENV)/bin/ruff format --check $(CODE)
	@echo "house lints";       $(PY) -m tests.lint $(CODE)
	@$(MAKE) arch
	@echo "templates";         $(VENV)/bin/djlint --quiet --lint channels gateway
	@echo "spelling";          $(VENV)/bin/codespell $(CODE) docs README.md CONTRIBUTING.md CHANGELOG.md Makefile
	@$(MAKE) types
	@echo "translations, migrations, docs"; $(PY) -m pytest -q tests/house

.PHONY: fmt
fmt: $(DEV_STAMP) ## Format the code and fix what can be fixed by itself
	@$(VENV)/bin/ruff check --fix-only $(CODE)
	@$(VENV)/bin/ruff format $(CODE)

.PHONY: types
types: $(DEV_STAMP) ## mypy, strict, on our packages
	@echo "mypy"; $(VENV)/bin/mypy

.PHONY: arch
arch: $(DEV_STAMP) ## Who may import whom (contracts in pyproject.toml)
	@echo "import contracts"; $(VENV)/bin/lint-imports --no-logo

.PHONY: i18n
i18n: $(DEV_STAMP) ## Bring new texts into the Russian catalogue and list what is untranslated
	@$(PY) -m tests.house.translations update

.PHONY: migrate
migrate: $(RUN_STAMP) ## Bring the store of this folder to the newest tables
	@$(VENV)/bin/priyom db upgrade

.PHONY: revision
revision: $(DEV_STAMP) ## Write a migration from the difference between models and tables: make revision m="add a column"
	@test -n "$(m)" || { echo 'usage: make revision m="what changes"' >&2; exit 2; }
	@$(PY) -m tests.house.revision "$(m)"

##@ Measure it (QUICK=1 for two minutes; results in build/reports)
.PHONY: bench
bench: $(DEV_STAMP) ## Speed and memory beside a baseline measured in the same run
	@$(PY) -m benchmarks $(if $(QUICK),--quick)

.PHONY: bench-nlu
bench-nlu: $(DEV_STAMP) ## Understanding on public sets (../shared/data or PRIYOM_DATA) beside a lexical baseline. ARGS="hwu64" narrows it
	@$(PY) -m benchmarks.nlu $(ARGS)

.PHONY: mail-corpus
mail-corpus: $(DEV_STAMP) ## Every mail of the public sets through reading, quotes and reports; lists what was read otherwise. ARGS=--misses shows it
	@$(PY) -m benchmarks.mail_corpus $(ARGS)

.PHONY: telegram-corpus
telegram-corpus: $(DEV_STAMP) ## Every public Telegram update and 10,000 generated ones from receiving to the console; 1 where one is lost, raises or shows wrong
	@$(PY) -m benchmarks.telegram_corpus $(if $(QUICK),--quick) $(ARGS)

.PHONY: mail-fuzz
mail-fuzz: $(DEV_STAMP) ## 100,000 mutated mails through the parser and the filters; what trips is kept in build/mail-fuzz. ARGS="--seed 7"
	@$(PY) -m benchmarks.mail_fuzz $(ARGS)

.PHONY: mail-clients
mail-clients: $(DEV_STAMP) ## swaks, mutt, s-nail and smtplib write to a real desk, which fetches from Dovecot and pymap. ARGS="--only mutt"
	@$(PY) -m benchmarks.mail_clients $(ARGS)

.PHONY: bench-blind
bench-blind: $(DEV_STAMP) ## How well the shipped preset understands messages nobody trained on. FILE=tests/data/dev_200.jsonl, ARGS=--misses
	@$(PY) -m benchmarks.blind $(FILE) $(ARGS)

.PHONY: chaos
chaos: $(DEV_STAMP) ## Kill processes at random under load; nothing may be lost, doubled or out of order. ARGS=mail or telegram: 2,000 messages each
	@$(PY) -m benchmarks.chaos $(if $(QUICK),--quick) $(ARGS)

.PHONY: soak
soak: $(DEV_STAMP) ## An hour of steady traffic, watching memory, files and latency
	@$(PY) -m benchmarks.soak $(if $(QUICK),--quick)

.PHONY: rasa-check
rasa-check: $(DEV_STAMP) ## Real Rasa 3.6.21 (Python 3.10, an environment of its own) trains the exported preset and fills two forms; writes docs/rasa.md
	@$(PY) -m benchmarks.rasa_check

##@ Tidy up
.PHONY: clean
clean: ## Remove what was built and the caches; the desk's data in var/ and the environment stay
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The environment. Running needs less than developing, and starts sooner for it. uv does it where present (and where it reaches
# the packages), otherwise venv and pip. A stamp makes the second call instant; it is older when what we depend on has changed.
$(VENV)/bin/python:
	@python=""; for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if command -v $$name >/dev/null && $$name -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -n "$$python" ] && $$python -m venv $(VENV); then \
	  $(PY) -m pip install -q --disable-pip-version-check --upgrade pip || true; \
	elif command -v uv >/dev/null; then uv venv -q --seed --python '>=3.11' $(VENV); \
	else echo "Priyom needs Python 3.11 or newer with the venv module. On Debian or Ubuntu: sudo apt-get install -y python3 python3-venv" >&2; exit 2; fi

define install
	@echo "Installing Priyom into $(VENV), extras $(1) ..."
	@if ! { command -v uv >/dev/null && uv pip install -q --python $(PY) -c constraints.txt -e ".[$(1)]" 2>/dev/null; }; then \
	  $(PY) -m pip install -q --no-compile --disable-pip-version-check -c constraints.txt -e ".[$(1)]"; fi
endef

$(RUN_STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	$(call install,$(RUN_EXTRAS))
	@touch $@

$(DEV_STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	$(call install,$(DEV_EXTRAS))
	@touch $(RUN_STAMP) $@
