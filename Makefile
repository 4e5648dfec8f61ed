# Two commands do everything:  make run [DATA=/path/to/videos]  ·  make test
# The rest: make ui · make lint · make lock · make clean

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough; name another one with PYTHON=…
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
UV = $(shell command -v uv || echo $(BIN)/uv)

# Usage reports and update checks of all tools are off (reelflow/base/telemetry.py does it elsewhere).
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.PHONY: run test results bench-embed bench-extract bench-scale bench-train ui lint format lock install clean

run: $(VENV)/.runtime  ## the whole pipeline, on sample videos or on DATA=/path/to/videos
	@$(BIN)/reelflow run $(if $(DATA),--data "$(DATA)") $(ARGS)

test: $(VENV)/.development  ## every test
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

results: $(VENV)/.development  ## every network on groups that it has not seen, SETS="NAME=/path …": docs/results.md
	@$(BIN)/python -m benchmarks.results --docs $(SETS) $(ARGS)

bench-train: $(VENV)/.development  ## gradient steps a second, beside plain Keras, and what embeddings cost: docs/training.md
	@$(BIN)/python -m benchmarks.train --docs

bench-embed: $(VENV)/.development  ## embeddings and a linear classifier on unseen groups, on DATA="/path/to/videos …"
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.embeddings $(DATA)

bench-scale: $(VENV)/.development  ## the reader and growth to a million videos: docs/scale.md
	@$(BIN)/python -m benchmarks.scale

ui: $(VENV)/.runtime  ## the Prefect UI and the MLflow UI, until Ctrl-C
	@$(BIN)/reelflow ui

lint: $(VENV)/.development  ## style, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/.runtime

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) …"
	@$(UV) pip install --quiet --python $(VENV) --require-hashes --compile-bytecode -r requirements.lock
	@$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	@$(UV) pip install --quiet --python $(VENV) --require-hashes --compile-bytecode -r requirements-dev.lock
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name it with make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet uv

bench-extract: $(VENV)/.development  ## reading clips, beside other readers: docs/extraction.md
	@$(BIN)/python -m benchmarks.extract --docs

lock:  ## renew both lock files (no addresses in them)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $(ARGS) \
		pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $(ARGS) \
		pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:  ## remove what can be made again: neither videos, nor their splits, nor the history of runs
	rm -rf data/manifest.parquet data/quarantine.csv data/quarantine_extract.csv data/near_duplicates.csv data/frames data/embeddings \
		data/prepared models metrics/*.json plots reports/*.html reports/*.csv reports/*.md reports/validate dvc.lock \
		.reelflow/frames .reelflow/features
