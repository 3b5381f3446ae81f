# make demo   sets everything up and shows the agent getting better        make check  what CI runs, and style and types
# make test   sets everything up and runs the tests                        make clean  removes what setup made
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Waiting threads sleep instead of spinning: much faster on a busy machine, no slower on a free one.
export OMP_WAIT_POLICY = PASSIVE

.PHONY: demo test check style types setup training models-test models-demo env-example reference clean

demo: setup models-demo
	$(BIN)/python -m evals.demo

test: setup training models-test
	$(BIN)/python -m pytest

check: setup training models-test style types
	$(BIN)/python -m pytest

style:
	$(BIN)/ruff format --check skillagent tests evals
	$(BIN)/ruff check skillagent tests evals

types:
	$(BIN)/mypy

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml scripts/setup
	PYTHON=$(PYTHON) VENV=$(VENV) bash scripts/setup
	touch $@

# What trains the router is a gigabyte: the tests need it, the demo does not.
training: $(VENV)/.ready-train

$(VENV)/.ready-train: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet -e '.[train]'
	touch $@

models-test:
	$(BIN)/skillagent models pull smollm2-135m
	$(BIN)/skillagent models pull minilm-int8

models-demo:
	$(BIN)/skillagent models pull qwen2.5-coder-1.5b
	$(BIN)/skillagent models pull minilm-int8

env-example:
	$(BIN)/python -c "from skillagent.config import example_file; print(example_file(), end='')" > .env.example

reference:
	$(BIN)/python -m skillagent.cli.reference > docs/cli.md

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
