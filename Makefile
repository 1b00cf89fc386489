# Cuemark. `make demo` shows it, `make test` proves it, `make check` is the quick look.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
PAGE := src/cuemark/gateway/page/index.html
INSTALL := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-header --no-emit-index-url --custom-compile-command "make locks"

.PHONY: install demo test check unit fuzz soak bench bench-edge bench-control bench-encoding locks page clean format
.DEFAULT_GOAL := install

install: $(VENV)/.installed $(PAGE)

$(VENV)/.uv: locks/uv.lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Cuemark needs Python 3.11 or newer: install it and run make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; } || { \
	  echo "Python's venv module is missing: run apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.lock.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.uv requirements.lock locks/build.lock pyproject.toml
	@echo "Installing Cuemark and its engines"
	@$(INSTALL) -r requirements.lock -r locks/build.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed locks/dev.lock
	@echo "Installing the tools of the tests"
	@$(INSTALL) -r locks/dev.lock
	@touch $@

page: $(PAGE)

$(PAGE): $(VENV)/.installed $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
	@echo "Building the page"
	@$(BIN)/python web/build.py
	@touch $@

demo: install
	@$(BIN)/python -m samples.demo --data $(DEMO)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports >/dev/null || $(BIN)/lint-imports
	@$(BIN)/pytest -q -n 2 tests/unit tests/contract

unit: $(VENV)/.dev
	@$(BIN)/pytest -q tests/unit

test: install $(VENV)/.dev
	@$(BIN)/python tests/debian.py bird2 chromium e2fsprogs gcc iproute2 softhsm2
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports >/dev/null || $(BIN)/lint-imports
	@$(BIN)/python web/build.py test
	@$(BIN)/pytest --durations=15 -n 2 --dist worksteal --hypothesis-profile=ci --ignore=tests/e2e tests $(PYTEST_FLAGS)
	@$(BIN)/python -m tests.e2e $(PYTEST_FLAGS)

bench: install $(VENV)/.dev
	@$(BIN)/python tests/debian.py bird2 iproute2 nghttp2-client varnish wrk
	@$(INSTALL) --no-deps -r locks/caches.lock
	@$(BIN)/python -m benches $(BENCH)

bench-edge:
	@$(MAKE) --no-print-directory bench BENCH="--edge $(BENCH)"

bench-control:
	@$(MAKE) --no-print-directory bench BENCH="--control $(BENCH)"

bench-encoding: install
	@$(BIN)/python -m benches.encoding $(BENCH)

soak: install $(VENV)/.dev
	@CUEMARK_TEST_KILLS=$${KILLS:-200} CUEMARK_TEST_SEED=$${SEED:-$$(date +%s)} \
	  $(BIN)/pytest -q tests/e2e/kills $(PYTEST_FLAGS)

fuzz: $(VENV)/.dev
	@for parser in $$($(BIN)/python -c 'from tests.fuzz import tables; print(*tables.every())'); do \
	  echo "$$parser"; $(BIN)/python -m tests.fuzz $$parser $${FUZZ_S:-60} $${FUZZ_SEED:-0} \
	    .fuzz/$$parser >.fuzz.log 2>&1 || { tail -40 .fuzz.log >&2; exit 1; }; done; rm -f .fuzz.log

format: $(VENV)/.dev
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

locks: $(VENV)/.uv
	@echo uv | $(COMPILE) - -o locks/uv.lock.txt
	@$(COMPILE) pyproject.toml -o requirements.lock
	@$(COMPILE) --group build -c requirements.lock -o locks/build.lock
	@$(COMPILE) --group dev -c requirements.lock -o locks/dev.lock
	@$(COMPILE) --group caches --no-deps -o locks/caches.lock

clean:
	rm -rf $(VENV) $(DEMO) web/node_modules src/cuemark/gateway/page
