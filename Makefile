# Two commands: `make parity` runs the main job against the embedded lab, `make test` the tests.
# Each sets up what it needs in .venv from requirements.lock (hashes checked); a second run takes no set-up time.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# Tests run in several processes, each with a server and a lab of its own; neighbours share a process and what a file sets up.
WORKERS := -n logical --maxprocesses 4 --dist worksteal

# Compiled modules are kept, whatever the machine's default: azure-ai-ml alone imports three times as fast with them.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: parity test lint format lock clean

parity: $(READY)
	$(BIN)/python -m pytest suites/ -p no:hypothesispytest

test: $(READY)
	$(BIN)/python -m pytest tests/ -q $(WORKERS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing/api.py
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# pip alone is enough; uv, itself taken from the lock, only makes the first run faster.
$(READY): requirements.lock requirements-uv.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	touch $(READY)

lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --all-extras --upgrade \
	  --python-version 3.11 --custom-compile-command 'make lock' pyproject.toml -o requirements.lock
	grep -A 200 '^uv==' requirements.lock | sed -n '1p;2,/^[a-z]/{/^    --hash/p}' > requirements-uv.lock

clean:
	rm -rf .venv
