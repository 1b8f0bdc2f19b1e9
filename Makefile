# Each target works as the first command in a fresh clone: what it needs, it makes.
#   PYTHON=python3.12 make test    another interpreter (>= 3.11)
#   make test ARGS="-k starttls"   more words for pytest
#   make test SPREAD=              one test at a time, as `.venv/bin/python -m pytest` does it
#   make soak MINUTES=60           longer; ARGS="--seed N" plays the same faults again
#   make bench BENCH="--only W1"   more words for the rig (bench/README.md)
#   make fuzz SECONDS=60           for so long in all; FUZZ="gates" one of them, or inputs to be tried again
#   make lock LOCK=--upgrade       the newest versions that pyproject.toml allows, not just what has changed there
# All that is installed from elsewhere is named in requirements/ with its version and the hashes of its files.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := $(PIP) install --require-hashes --requirement
ARGS   ?=
# Whole files to three processes: most tests wait as often as they work, and those of the testbed, which one of the three
# begins with, mostly wait. More would be in the way of tests that start crowds.
SPREAD ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder
MINUTES ?= 15
BENCH  ?=
SECONDS ?= 600
FUZZ   ?=
LOCK   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test soak check format bench fuzz portraits encores served anonymised lock audit system clean
.DELETE_ON_ERROR:

help:  ## What can be made
	@sed -n 's/^\([a-z]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 11

demo: $(VENV)/.demo  ## A recorded session from beginning to end; needs Python and pip only
	$(BIN)/imaptap demo

test: $(VENV)/.test system  ## Install what the tests need (system packages too, where allowed), run them all
	$(BIN)/python -m pytest $(SPREAD) $(ARGS)

soak: $(VENV)/.test system  ## Real clients at work for a quarter of an hour, or MINUTES, while all kinds of things go wrong
	$(BIN)/python -m pytest --soak --minutes $(MINUTES) --timeout 7200 --capture no $(ARGS)

check: $(VENV)/.check  ## Format, lint, types, import floors
	@tools/system-packages check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy $(PLUGIN)
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	$(BIN)/lint-imports

format: $(VENV)/.check  ## Let ruff put the layout right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.demo  ## Measure imaptap beside the proxies that are installed here
	$(BIN)/python -m bench.run $(BENCH)

fuzz: $(VENV)/.fuzz  ## Let atheris look for input that breaks the language, ten minutes or SECONDS=...
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(FUZZ)

portraits: $(VENV)/.test  ## docs/clients.md anew, from the clients of the testbed beside the repository
	$(BIN)/python -m tests.end_to_end.portraits

encores: $(VENV)/.test  ## docs/encores.md anew: the same clients' sessions replayed at other servers, and compared
	$(BIN)/python -m tests.end_to_end.encores

served: $(VENV)/.test  ## docs/served.md anew: the same clients at work without their server, from a recording
	$(BIN)/python -m tests.end_to_end.served

anonymised: $(VENV)/.test  ## docs/anonymised.md anew: the same clients' sessions anonymised, searched for private strings, and served
	$(BIN)/python -m tests.end_to_end.anonymised

lock: $(VENV)/.lock  ## Bring requirements/ in line with pyproject.toml (LOCK=--upgrade: take the newest)
	BIN=$(BIN) tools/lock $(LOCK)

audit: $(VENV)/.lock  ## Ask PyPI for known vulnerabilities of everything in requirements/
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
		$(addprefix --requirement ,$(wildcard requirements/*.txt))

# Quick when nothing is missing, so it needs no stamp; never fails: need() in the tests says what that costs.
system:
	@tools/system-packages

clean:  ## Remove what the other targets made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python without ensurepip (Debian's, without python3-venv) still has its own pip to put one there.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "imaptap needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV) 2> /dev/null || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet --require-hashes --requirement requirements/pip.txt; }
	$(LOCKED) requirements/pip.txt
	@touch $@

# Editable, so that one environment serves the demo, the tests and the work on both. Without isolation, because pip
# would fetch whatever build backend is newest; the locked one is there by then.
OURSELVES := $(PIP) install --no-deps --no-build-isolation --editable .
PLUGIN    := plugins/pytest-imaptap

$(VENV)/.demo: pyproject.toml requirements/demo.txt | $(VENV)/.made
	$(LOCKED) requirements/demo.txt
	$(OURSELVES)
	@touch $@

$(VENV)/.test: pyproject.toml $(PLUGIN)/pyproject.toml requirements/test.txt | $(VENV)/.made
	$(LOCKED) requirements/test.txt
	$(OURSELVES) --editable $(PLUGIN)
	@touch $@ $(VENV)/.demo

$(VENV)/.check: pyproject.toml $(PLUGIN)/pyproject.toml requirements/check.txt | $(VENV)/.made
	$(LOCKED) requirements/check.txt
	$(OURSELVES) --editable $(PLUGIN)
	@touch $@ $(VENV)/.test $(VENV)/.demo

# Beside what the tests need, because the harnesses are made of the tests' own parts.
$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.test
	$(LOCKED) requirements/fuzz.txt
	@touch $@

$(VENV)/.lock: requirements/lock.txt | $(VENV)/.made
	$(LOCKED) requirements/lock.txt
	@touch $@
