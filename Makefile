# Everything runs from .venv, which the targets below build by themselves from the hash-pinned locks.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo run test check explore lockstep days bench lock clean

demo: $(VENV)/.run
	@$(BIN)/perpdesk demo $(ARGS)

run: $(VENV)/.run
	@$(BIN)/perpdesk run $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The long form of the histories that drive the exchange against its independent models: TIMES as many.
lockstep: $(VENV)/.dev
	PERPDESK_LOCKSTEP=$(or $(TIMES),20) $(BIN)/python -m pytest tests/venue/exchange/test_lockstep.py \
		tests/venue/exchange/pools/test_lockstep.py

# Days of trading against everything that can go wrong; a day that breaks is replayed by its seed.
days: $(VENV)/.dev
	PERPDESK_DAYS=$(or $(DAYS),2000) $(BIN)/python -m pytest tests/simulation

# Properties on examples nobody has tried yet; `make test` tries the same ones each time.
explore: $(VENV)/.dev
	PERPDESK_HYPOTHESIS=explore $(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.bench $(ONLY)

# Maintainers only: needs uv. The locks carry hashes and no index addresses.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "perpdesk needs Python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) -r requirements-dev.lock
	@touch $@
