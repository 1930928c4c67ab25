# Everything runs in .venv, which the first target sets up. A fresh machine needs Python >= 3.11, make and git.

PYTHON ?= python3
BIN := .venv/bin
CORPUS ?= work/corpus
RUN ?= work/run
CONFIG ?= music
MODEL ?= music
MODELS ?= work/models
MUTANTS ?= 10000

.PHONY: demo test slow check lint types fuzz bench corpus train export evaluate compare clean

demo: .venv/installed
	$(BIN)/python -m mp3fix.report.demo

# On all cores, up to 4: each process imports everything anew. The slow tests run alone, many of them measure.
test: .venv/tests
	$(BIN)/python -m pytest -m "not slow" -n logical --maxprocesses 4 --dist worksteal

slow: .venv/tests
	$(BIN)/python -m pytest -m slow

check: lint types test

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

fuzz: .venv/tests
	$(BIN)/python tests/torture/fuzz.py --mutants $(MUTANTS)

bench: .venv/lab
	$(BIN)/mp3fix-lab bench

# The lab needs PyTorch: install the build that fits the machine into .venv first, or let pip choose.
corpus: .venv/lab
	$(BIN)/mp3fix-lab corpus $(CORPUS)

train: .venv/lab
	$(BIN)/mp3fix-lab train $(CONFIG) --corpus $(CORPUS) --run $(RUN)

export: .venv/lab
	$(BIN)/mp3fix-lab export $(RUN) --models $(MODELS)

evaluate: .venv/lab
	$(BIN)/mp3fix-lab evaluate $(MODEL) --corpus $(CORPUS)

compare: .venv/lab
	$(BIN)/mp3fix-lab compare --corpus $(CORPUS)

clean:
	rm -rf .venv build dist *.egg-info demo

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "mp3fix needs Python 3.11 or later; this is $$($(PYTHON) --version)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "this Python cannot make virtual environments; on Debian and Ubuntu: apt install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[plot]'
	@touch $@

.venv/tests: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[plot,page,test]'
	@touch $@

.venv/dev: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

.venv/lab: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[plot,lab]'
	@touch $@
