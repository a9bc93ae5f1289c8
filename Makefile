# make setup   build .venv with everything          make check    format, lint, types, layers, docs
# make deploy  deploy YOLOv8n for an SM8650         make format   format the sources
# make test    the quick tests                      make docs     generate docs/reference
# make test-all  every test                         make bench    measure, print the table

PYTHON ?= python3
BIN := .venv/bin
SOURCES := server scripts tests examples benchmarks
MODEL ?= yolov8n
SOC ?= sm8650
JOBS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: setup deploy test test-all check format docs bench clean
.DEFAULT_GOAL := deploy

# Up to date when the stamp holds the hash of what decides the environment.
setup:
	@$(PYTHON) scripts/setup_environment.py

deploy: setup
	@cd examples && ../$(BIN)/aipc deploy $(MODEL) --soc $(SOC) --target simulator
ifeq ($(MODEL),yolov8n)
	@cd examples && ../$(BIN)/python yolov8n/detect.py .aipc/packages/yolov8n-$(SOC)-fp16
endif

test: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-all: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "slow or not slow"

check: setup
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/generate_docs.py --check

format: setup
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

docs: setup
	@$(BIN)/python scripts/generate_docs.py

bench: setup
	@$(BIN)/python benchmarks/run.py

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
