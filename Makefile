# `make help` lists the targets. Each builds the environment if it must.

PYTHON ?= python3
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
REQUIREMENTS := $(patsubst %,requirements/%.txt,mmlab runtime tests docs export web)
SOURCES := mmcape tools tests setup.py

.DEFAULT_GOAL := help
.PHONY: help setup demo web test lint format type docs check install-full \
        clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' \
	    Makefile

setup: $(STAMP)  ## build .venv, again when the requirements changed

# pip installs MMPose apart, without the dependencies that it cannot build.
$(STAMP): $(REQUIREMENTS) requirements/mmlab-no-deps.txt setup.py setup.cfg
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit( \
	    not (3, 10) <= v <= (3, 12) and "make setup needs Python 3.10 to " \
	    "3.12, but $(PYTHON) is %d.%d. Try: make setup PYTHON=python3.11" \
	    % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(REQUIREMENTS:%=-r %)
	$(BIN)/pip install --quiet --no-deps -r requirements/mmlab-no-deps.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --use-pep517 \
	    --editable .
	@touch $@

demo: setup  ## learn and predict made-up animals, start to end
	$(BIN)/python tools/demo.py

web: setup  ## serve the web page with the model of the demo
	$(BIN)/python tools/web.py

test: setup  ## run the tests; PYTEST_ARGS='-k heads' runs some
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup  ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: setup  ## repair style and formatting
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

type: setup  ## check types
	$(BIN)/mypy mmcape tools

# Warnings are errors: broken links, names, undocumented options.
docs: setup  ## build the documentation in build/docs
	$(BIN)/python -m sphinx --fresh-env --fail-on-warning --quiet \
	    -d build/doctrees docs build/docs
	@echo open build/docs/index.html

check: lint type test docs  ## all of the above that only look

# Compiles MMCV's operators for the torch in .venv, which takes a C++ compiler
# and tens of minutes (with nvcc also the CUDA ones). mmcape needs none of
# them. `make clean setup` goes back to mmcv-lite.
install-full: setup  ## replace mmcv-lite in .venv by a compiled mmcv
	$(BIN)/pip uninstall --yes mmcv-lite
	$(BIN)/pip install --quiet ninja
	MMCV_WITH_OPS=1 $(BIN)/pip install --no-deps --no-build-isolation \
	    --no-binary mmcv mmcv==2.2.0

clean:  ## remove .venv, builds and caches
	rm -rf $(VENV) build dist mmcape.egg-info mmcape/.mim docs/api/*.rst
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +
