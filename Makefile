SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export MINDTWIN_TRITON_VENV ?= .triton
TRITON := $(MINDTWIN_TRITON_VENV)
export MINDTWIN_VAR ?= $(CURDIR)/var
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt

.DEFAULT_GOAL := help

##@ Start
help: ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {print "\n" substr($$0, 5)} \
	  /^[a-z]+:.*##/ {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.full ## Make .venv with everything: runtime, training, tests; and the database
	@$(BIN)/python manage.py migrate -v 0

demo: .venv/.runtime ## The main job on simulated patients; EHR=<url> DIARY=<csv> BUNDLES=<folder> TODAY=<date>
	@$(BIN)/python manage.py migrate -v 0
	@$(BIN)/python manage.py demo $(if $(EHR),--ehr "$(EHR)") \
	  $(if $(DIARY),--diary "$(DIARY)") $(if $(BUNDLES),--bundles "$(BUNDLES)") \
	  $(if $(TODAY),--today "$(TODAY)")

serve: .venv/.runtime ## Leave EHR and site running with demo accounts; PORT=8080
	@$(BIN)/python manage.py migrate -v 0
	@$(BIN)/python manage.py serve_demo $(if $(PORT),--port $(PORT))

triton: .venv/.runtime $(TRITON)/.ready ## NVIDIA's Triton on the model repository, until Ctrl-C; PORT=8001
	@$(BIN)/python manage.py triton --venv $(TRITON) $(if $(PORT),--port $(PORT)) $(ARGS)

##@ Work
test: .venv/.full $(TRITON)/.ready check ## Everything that must be true: checks, then tests; T=path for some
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report= $(T)
	@$(if $(T),true,$(BIN)/python -m tests.coverage_bar)

check: .venv/.full ## Format, lint, types, imports, migrations
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@DJANGO_SETTINGS_MODULE=backend.settings.test $(BIN)/python manage.py makemigrations --check --dry-run -v 0
	@DJANGO_SETTINGS_MODULE=backend.settings.test $(BIN)/python manage.py check --fail-level WARNING -v 0

tables: .venv/.runtime ## Check the tables that advice on medicines comes from; SINCE=<commit> for changed rows
	@$(BIN)/python manage.py tables $(if $(SINCE),--since "$(SINCE)")

fix: .venv/.full ## Format and repair what a tool can repair
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix .

##@ Models
export: .venv/.full ## Train and publish one model: M=symptom_transformer, PRESET=compact or specification
	@test -n "$(M)" || { echo "name a model: make export M=symptom_transformer"; exit 2; }
	@$(BIN)/python -m export_scripts.$(M) $(if $(PRESET),--preset $(PRESET)) $(ARGS)

evaluate: .venv/.full ## Score the served paths; writes docs/benchmarks.md; M=biometric_correlation for that alone
	@$(if $(filter biometric_correlation,$(M)),true,$(BIN)/python -m export_scripts.evaluate)
	@$(if $(filter-out biometric_correlation,$(M)),true,$(BIN)/python -m export_scripts.evaluate_correlation $(ARGS))

bench: .venv/.full ## Speed as ratios within one run; writes docs/benchmarks.md
	@$(BIN)/python -m tests.bench.straight_line
	@$(BIN)/python -m tests.bench.correlation_cost
	@$(BIN)/python -m tests.bench.pharmacogenomics_cli

prove: .venv/.full ## Bent resources by the 100,000; writes docs/reliability.md
	@$(BIN)/python -m pytest -q -s -p no:cacheprovider tests/prove

.venv/bin/python:
	@$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing the runtime (once)"
	@$(PIP) -e .
	@touch $@

.venv/.full: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing runtime, training and test tools (once; some minutes)"
	@$(PIP) torch==2.13.0
	@$(PIP) -e '.[production,train,test]'
	@touch $@ .venv/.runtime

# The stub that runs our backend is built per minor version of Python; 3.11 and 3.12 are
# among them.
$(TRITON)/.ready: docker/triton/constraints.txt
	@echo "installing Triton (once)"
	@$(PYTHON) -m venv $(TRITON)
	@$(TRITON)/bin/python -m pip --disable-pip-version-check -q install --no-deps -r $<
	@touch $@

.PHONY: help setup demo serve triton test check tables fix export evaluate bench prove
