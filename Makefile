# `make help` lists what can be done. Nothing here needs root, and everything lands in .venv and .reefpoint.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check fix bench assets docs lock

BIN := .venv/bin
# Without its compiled files kept, Python reads a thousand sources at each start, and the tests start it often.
unexport PYTHONDONTWRITEBYTECODE
# One more than there are processors: a test often waits for a browser, a worker or the database.
PARALLEL = -n $$($(BIN)/python -c 'import os; print(min((os.cpu_count() or 1) + 1, 5))') --dist loadfile

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv with everything that is needed (all other targets do this first)
	@sh tools/setup.sh

demo: setup ## Run a lending desk through the crash of 2020, then keep its console open
	@$(BIN)/reefpoint demo

test: setup ## Run all tests
	@$(BIN)/pytest $(PARALLEL)

test-fast: setup ## Run the tests that need neither a browser nor ten seconds
	@$(BIN)/pytest $(PARALLEL) -m "not slow and not browser"

check: setup ## Format, lint, types, import floors, migrations, docs: what must be green before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	REEFPOINT_SECRET_KEY=check $(BIN)/mypy
	$(BIN)/lint-imports
	REEFPOINT_SECRET_KEY=check $(BIN)/python -W ignore -m django makemigrations --check --dry-run --settings reefpoint.config.settings
	$(BIN)/python tools/check_docs.py

fix: setup ## Format, and fix what can be fixed by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure against the peers that the bench lock pins, and write docs/benchmarks.md
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.lock
	@$(BIN)/reefpoint bench all --write docs/benchmarks.md

assets: setup ## Build the browser parts that are committed, with Node from a Python package
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tools/assets/requirements.lock
	cd tools/assets && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci && PATH="$(CURDIR)/$(BIN):$$PATH" npm run build

docs: setup ## Check the documents: links, paths, the glossary, a docstring for every package
	$(BIN)/python tools/check_docs.py

lock: setup ## Resolve the dependencies anew into the lock files
	$(BIN)/uv pip compile --quiet pyproject.toml --universal --generate-hashes -o requirements.lock
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --universal --generate-hashes -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet pyproject.toml --extra bench --extra scale --universal --generate-hashes -o requirements-bench.lock
	cd tools/assets && "$(CURDIR)/$(BIN)/uv" pip compile --quiet requirements.in --universal --generate-hashes -o requirements.lock
