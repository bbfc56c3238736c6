# The few commands a person needs. `make demo` and `make test` set up all they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard csrc/*) setup.py pyproject.toml

.PHONY: demo test lint bench clean

# The main job: a genuine report and a genuine quote, judged; the quote at a time when its collateral held.
demo: $(VENV)/.demo
	$(BIN)/snpverify verify examples/data/report_milan.hex --certs examples/data/vcek_milan.der
	$(BIN)/tdxverify verify examples/data/quote_td15ex.bin --collateral examples/data/collateral_td15ex.json --at 2026-10-20T00:00:00Z

# Linters, types, layers and the whole test suite, on a build in place.
test: $(VENV)/.test
	$(MAKE) lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/gen_codes.py --check

# Speed against the goals and against peers; prints CPU and engine.
bench: $(VENV)/.test
	$(BIN)/python benches/report.py

clean:
	rm -rf $(VENV) build dist *.egg-info attestcore/_native*.so

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check .
	touch $@

$(VENV)/.test: $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@
