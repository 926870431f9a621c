# Everything runs from .venv, which the targets below build by themselves from the hash-pinned locks.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ANVIL  := .anvil
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo run test check explore lockstep days kills proof bench lock clean

demo: $(VENV)/.run
	@$(BIN)/perpdesk demo $(ARGS)

run: $(VENV)/.run
	@$(BIN)/perpdesk run $(ARGS)

# Three at a time where there are two processors, a file in one hand: much of the time is spent waiting.
test: $(VENV)/.dev $(ANVIL)/.stamp
	$(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The long form of the histories that drive the exchange against its independent models: TIMES as many.
lockstep: $(VENV)/.dev
	PERPDESK_LOCKSTEP=$(or $(TIMES),20) $(BIN)/python -m pytest tests/venue/exchange/test_lockstep.py \
		tests/venue/exchange/test_laws.py tests/venue/exchange/pools/test_lockstep.py

# Days of trading against everything that can go wrong; a day that breaks is replayed by its seed.
days: $(VENV)/.dev
	PERPDESK_DAYS=$(or $(DAYS),2000) $(BIN)/python -m pytest tests/simulation

# Many random deaths of the live sender, and kill -9 of the real program at every question it asks of its node.
kills: $(VENV)/.dev $(ANVIL)/.stamp
	REQUIRE_ANVIL=1 PERPDESK_KILLS=$(or $(TIMES),50) $(BIN)/python -m pytest tests/chain/test_fleet.py \
		tests/cli/test_live_kills.py

# Properties on examples nobody has tried yet; `make test` tries the same ones each time.
explore: $(VENV)/.dev $(ANVIL)/.stamp
	PERPDESK_HYPOTHESIS=explore $(BIN)/python -m pytest $(ARGS)

# What perpdesk promises, as twelve checks of one JSON line each: SHORT=1 in minutes, ONLY=crash-matrix one of them,
# SEED=7 other histories.
proof: $(VENV)/.dev $(ANVIL)/.stamp
	@$(BIN)/python -m tests.proof $(ONLY) $(if $(SHORT),--short) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.bench $(ONLY)

# Maintainers only: needs uv. The locks carry hashes and no index addresses.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) $(ANVIL)

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

# The node of the chain tests, through npm and by hash. Where it cannot be had they are skipped, unless
# REQUIRE_ANVIL=1 says that they must run.
$(ANVIL)/.stamp: tests/chain/package.json tests/chain/package-lock.json
	@mkdir -p $(ANVIL) && cp $^ $(ANVIL)/
	@if ! command -v npm >/dev/null; then echo "npm is missing: the chain tests are skipped" >&2; \
	elif npm ci --prefix $(ANVIL) --ignore-scripts --no-audit --no-fund --silent; then touch $@; \
	else echo "npm could not fetch anvil: the chain tests are skipped" >&2; fi
