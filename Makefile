# Every target makes what it needs; a fresh machine has Python 3.11, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export ASSAYHOUSE_HOME ?= $(CURDIR)/home
export DAGSTER_HOME ?= $(ASSAYHOUSE_HOME)/dagster
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false

.PHONY: demo test check dev bench fuzz docs lock clean

# Modules are compiled on every core once all are there; pip would do it one after the other.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	touch $@

demo: $(VENV)/.installed     ## simulate the reference study, carry it through Dagster, draw the figure
	$(BIN)/python -m dagster_project.demo

test: $(VENV)/.installed     ## every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.installed    ## lint, types, contracts, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/architecture tests/sql tests/unit/contracts tests/unit/intake tests/unit/readers tests/unit/stats tests/unit/derive

dev: $(VENV)/.installed      ## Dagster's pages with the demo in them, on http://127.0.0.1:3000
	$(BIN)/python -m dagster_project.dev

bench: $(VENV)/.installed    ## measurements against peers; minutes, not part of the tests
	$(BIN)/python -m bench

fuzz: $(VENV)/.installed     ## 100,000 mutated files per reader of instruments; an hour or more
	ASSAYHOUSE_FUZZ=$(or $(FUZZ),100000) $(BIN)/python -m pytest -q -n 2 -k fuzz tests/property

docs: $(VENV)/.installed     ## write the generated pages anew
	$(BIN)/assayhouse dictionary --out docs/data-dictionary.md

lock:                        ## resolve the pins anew (needs pip-tools in the environment)
	$(BIN)/pip-compile --quiet --extra dev --allow-unsafe --generate-hashes --no-strip-extras \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --output-file requirements.lock pyproject.toml

clean:
	rm -rf home build .pytest_cache .mypy_cache .ruff_cache
