# Two commands: `make run` and `make test`. Python >= 3.11 and make are all they need.

SHELL := /bin/bash

# The first Python that will do, but rather one that was compiled with its profiles, as a distribution's is: one without,
# as pyenv makes it, takes half as long again for everything. PYTHON=python3.12 names another.
PYTHON ?= $(shell for wish in quick any; do for p in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	$$p -c 'import ensurepip, sys, sysconfig; \
	is_quick = sys.base_prefix == "/usr" or "--enable-optimizations" in sysconfig.get_config_var("CONFIG_ARGS"); \
	sys.exit(sys.version_info < (3, 11) or sys.argv[1] == "quick" and not is_quick)' $$wish 2>/dev/null \
	&& echo $$p && exit; done; done)
VENV := .venv
# Whatever the environment says: dozens of processes start in a test run, and each would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
BIN := $(VENV)/bin

# Install what a file pins, and say how far that is: a minute of silence looks like a fault.
define install
	@echo "Installing $(1) into $(VENV): $(or $(2),about a minute the first time)."
	@set -o pipefail; $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --no-deps \
		--require-hashes -r $(1) | awk -v total=$$(grep -cE '^[a-z0-9A-Z][^ ]*==' $(1)) \
		'/^Collecting/ { n++; if (n % 20 == 0 || n == total) print "  " n " of " total " packages"; fflush() } \
		/^Installing/ { print "  installing"; fflush() }'
endef

# The same by uv, pinned in the file itself, in a tenth of the time. Pip then finds nothing left to do, or all of it where
# uv has failed: behind a mirror that only pip's configuration names.
define install_quickly
	@echo "Installing $(1) into $(VENV): some seconds the first time."
	@awk '/^uv==/ { inside = 1 } inside { print } !/\\$$/ { inside = 0 }' $(1) >$(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.txt
	-@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r $(1)
	$(call install,$(1),what uv has left)
endef

.PHONY: run test test-fast test-deep faults bench checks lint types imports lock messages clean

# Lint, types and import rules run beside the tests that $(1) starts; what they say is printed afterwards, whole.
define beside_checks
@said=$$(mktemp) && code=0 && { $(MAKE) --no-print-directory --keep-going checks >"$$said" 2>&1 & } && \
	{ $(1) || code=$$?; wait $$! || code=$$?; cat "$$said"; rm -f "$$said"; exit $$code; }
endef
# A commit's number chooses what rotates and seeds what is random; TURN=17 repeats another, TURN=random draws one.
PYTEST = $(BIN)/python -m pytest -n auto $(if $(TURN),--turn $(TURN))
DEEP = $(BIN)/python -m tests.deep $(if $(TURN),--turn $(TURN))

run: $(VENV)/run.stamp ## Set everything up and run it: database, Omnitron sandbox, web, worker, demo
	@$(if $(IDENTITY),AFTERCART_IDENTITY=$(IDENTITY)) exec $(BIN)/aftercart run

test: $(VENV)/dev.stamp ## Set everything up and run every check and test; of what rotates, this commit's turn
	$(call beside_checks,$(PYTEST) --durations=20 tests)

test-fast: $(VENV)/dev.stamp ## The inner loop: checks, and what tests/unit and tests/db can show within a minute
	$(call beside_checks,$(PYTEST) -q -m "not slow" tests/unit tests/db)

test-deep: $(VENV)/dev.stamp ## Everything at full strength, before a release; FIFTH=1: the fifth whose turn it is
	$(if $(FIFTH),$(DEEP) --fifth,$(call beside_checks,$(DEEP)))

faults: $(VENV)/dev.stamp ## Kill processes, cut lines and lose answers for MINUTES, then check the books (SEED repeats)
	$(BIN)/python -m tests.faults.harness --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) \
		$(if $(MUTATION),--mutation $(MUTATION))

bench: $(VENV)/dev.stamp ## Measure reads, cancellations and growth; write docs/benchmarks.md. PEERS=1: other shops, too
	$(BIN)/python -m bench.reads --write
	$(BIN)/python -m bench.cancellations --write
	$(BIN)/python -m bench.growth --write
	$(if $(PEERS),$(BIN)/python -m bench.peers --write)

checks: lint types imports

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

imports: $(VENV)/dev.stamp
	$(BIN)/lint-imports

lock: $(VENV)/dev.stamp ## Write requirements/*.txt anew from requirements/*.in
	for name in run dev; do $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
		--universal --python-version 3.11 --custom-compile-command "make lock" \
		requirements/$$name.in -o requirements/$$name.txt; done

messages: $(VENV)/dev.stamp ## Collect messages (wants GNU gettext) and compile the translations
	cd src/aftercart && AFTERCART_VAR="$(CURDIR)/var" DJANGO_SETTINGS_MODULE=aftercart.settings \
		../../$(BIN)/django-admin makemessages -l tr --no-location --no-wrap --no-obsolete && \
		../../$(BIN)/pybabel compile -D django -d locale

clean: ## Delete what was set up here; var/ too, with the demo's data
	rm -rf $(VENV) var .coverage* .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Aftercart needs Python 3.11 or newer." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	$(call install,requirements/run.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(call install_quickly,requirements/dev.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run.stamp
