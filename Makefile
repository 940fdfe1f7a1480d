# Each target does its own set-up; the first needs some minutes, every later one seconds.
#   make run     start the dashboard, its worker and its Temporal server (Ctrl-C ends all three)
#   make test    all tests; ARGS="tests/domain -x" or ARGS=tests/browser runs a part
#   make lint    every check that needs no run        make format   put the code into its form
#   make bench   measure against baselines; ARGS="overhead lists" does a part (docs/bench.md)
#   make lock    resolve the requirements anew        make clean    take away what can be made again

export PORT := $(or $(PORT),8000)
export PYTHONUNBUFFERED := 1
unexport DJANGO_SETTINGS_MODULE

BIN := $(CURDIR)/.venv/bin
# The temporal binary and the programs of a test come from the environment, too.
IN_VENV := PATH="$(BIN):$$PATH"
TEMPLATES = $(shell find templates -name '*.html')
LOCK = "$(BIN)/uv" pip compile --quiet pyproject.toml --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate --python-version 3.11 $(ARGS)

# Playwright's synchronous interface and asyncio's tests cannot share a process: two runs of pytest.
# A path in ARGS says which of the two is meant.
PYTEST := $(IN_VENV) "$(BIN)/python" -m pytest
BROWSER_PATHS = $(filter tests/browser%,$(ARGS))
MAIN_PATHS = $(filter-out $(BROWSER_PATHS),$(filter tests tests/%,$(ARGS)))
MAIN = $(if $(MAIN_PATHS),yes,$(if $(BROWSER_PATHS),,yes))
# The tests of the database plugins run real servers, and fail where there is none.
SERVER = $(if $(MAIN),$(if $(MAIN_PATHS),$(filter tests tests/ tests/plugins tests/plugins/ tests/plugins/$(1)%,$(MAIN_PATHS)),yes))
BROWSER = $(if $(BROWSER_PATHS),yes,$(if $(MAIN_PATHS),,yes))

.PHONY: run test bench lint format lock clean run-requirements dev-requirements

run: run-requirements
	@$(IN_VENV) "$(BIN)/python" manage.py prepare
	@$(IN_VENV) exec "$(BIN)/python" -m fossul_dashboard.supervisor

test: dev-requirements
	@failed=; \
	$(if $(call SERVER,postgres),sh requirements/install.sh postgresql || failed=1;) \
	$(if $(call SERVER,mariadb),sh requirements/install.sh mariadb || failed=1;) \
	$(if $(call SERVER,container_basic),sh requirements/install.sh busybox || failed=1;) \
	$(if $(call SERVER,restic),sh requirements/install.sh restic || failed=1;) \
	$(if $(MAIN),$(PYTEST) $(ARGS) || failed=1;) \
	$(if $(BROWSER),sh requirements/install.sh chromium && \
		$(PYTEST) -c tests/browser/pytest.ini --rootdir=. $(if $(BROWSER_PATHS),,tests/browser) $(ARGS) || failed=1;) \
	test -z "$$failed"

bench: dev-requirements
	@$(if $(filter log load,$(or $(ARGS),log)),sh requirements/install.sh chromium,:)
	@$(IN_VENV) "$(BIN)/python" -m tests.bench $(ARGS)

lint: dev-requirements
	@failed=; \
	for check in "ruff check ." "ruff format --check ." mypy lint-imports \
		"djade --check $(TEMPLATES)" "djlint --quiet --lint templates"; do \
		output=$$($(IN_VENV) $$check 2>&1) || { printf '%s\n' "$${check%% templates/*}:" "$$output"; failed=1; }; \
	done; \
	test -z "$$failed"

format: dev-requirements
	@"$(BIN)/ruff" check --quiet --fix .
	@"$(BIN)/ruff" format --quiet .
	@"$(BIN)/djade" $(TEMPLATES)

lock: dev-requirements
	@$(LOCK) --output-file requirements/run.txt
	@$(LOCK) --group dev --constraint requirements/run.txt --output-file requirements/dev.txt

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage test-results
	@find . -name __pycache__ -prune -exec rm -rf {} +

run-requirements:
	@sh requirements/install.sh run

dev-requirements:
	@sh requirements/install.sh dev
