# make setup     build .venv with everything        make check    format, lint, types, layers, docs
# make deploy    deploy YOLOv3-tiny, SM8650       make format   format the sources
# make test      the quick tests                    make docs     generate docs/reference
# make messages  dist/messages.md: every message on one page, for reading
# make mutants   what the tests notice (MOST, SEED, ONLY)
# make test-faults kills, damage, races, full disks  (MINUTES, SEED)
# make test-all  every test                         make bench    measure, print the table
# make vsix      package the extension              make test-e2e the extension in a real VS Code
# make site      the documentation as a site    make release  build for the registries, try it
# make deploy-ssh deploy to a test device by ssh

PYTHON ?= python3
BIN := .venv/bin
SOURCES := server scripts tests examples benchmarks
MODEL ?= yolov3-tiny
SOC ?= sm8650
JOBS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: agent-suite mutants setup setup-editor setup-vscode deploy deploy-ssh test test-all test-faults test-e2e check format docs messages bench vsix release site clean
.DEFAULT_GOAL := deploy

# Up to date when the stamp holds the hash of what decides the environment.
setup:
	@$(PYTHON) scripts/setup_environment.py

# What the extension is built with; needs Node 20 or newer.
setup-editor: node_modules/.package-lock.json
node_modules/.package-lock.json: package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# A real VS Code for the end-to-end tests, and Chromium to drive it.
setup-vscode: setup-editor
	@sh tests/e2e/install_vscode.sh

deploy: setup
	@cd examples && ../$(BIN)/aipc deploy $(MODEL) --soc $(SOC) --target simulator
ifneq ($(filter yolov3-tiny yolov8n,$(MODEL)),)
	@cd examples && ../$(BIN)/python $(MODEL)/detect.py .aipc/packages/$(MODEL)-$(SOC)-fp16
endif

# The same to a device reached by ssh: an OpenSSH server on loopback that starts with nothing but Python.
deploy-ssh: setup
	@$(BIN)/python tests/targets/deploy_ssh.py $(MODEL) $(SOC)

test: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# Faults on purpose, for so many minutes: a figure for each kind.
MINUTES ?= 10
SEED ?= 0
test-faults: setup
	@$(BIN)/python -m tests.faults --minutes $(MINUTES) --seed $(SEED)

test-all: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "slow or not slow"

# Mutants: MOST of each module that holds promises (ONLY those with this text in their path), and the listed breaks; writes docs/reference/mutants.md.
MOST ?= 12
mutants: setup
	@$(BIN)/python -m pip install -q --group mutants
	@$(BIN)/python scripts/mutation_score.py --most $(MOST) --seed $(SEED) --only "$(ONLY)"
	@$(BIN)/python -m tests.mutants

vsix: setup setup-editor
	@$(BIN)/python scripts/bundle.py
	@npm run --silent build
	@npm run --silent package
	@$(BIN)/python scripts/check_vsix.py dist/aipc.vsix

# The documentation as a site, in dist/site; every link is checked.
site: docs
	@$(BIN)/mkdocs build --quiet --site-dir dist/site

# What goes to PyPI, the Marketplace and Open VSX, tried in clean environments; uploads nothing.
release: setup setup-editor
	@$(BIN)/python scripts/release.py

test-e2e: vsix setup-vscode
	@npm test --silent
	@npm run --silent e2e

check: setup setup-editor
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/generate_docs.py --check
	@$(BIN)/python scripts/generate_agents.py --check
	@$(BIN)/python scripts/generate_protocol.py --check
	@npm run --silent check

format: setup setup-editor
	@npm run --silent format
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

messages: setup
	@$(BIN)/python scripts/messages.py

docs: setup
	@$(BIN)/python scripts/generate_docs.py
	@$(BIN)/python scripts/generate_agents.py
	@$(BIN)/python scripts/generate_protocol.py

bench: setup
	@$(BIN)/python -m pip install -q --group bench
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/editor.py
	@$(BIN)/python benchmarks/precisions.py
	@$(BIN)/python benchmarks/quantizers.py

# The agent's cases with the endpoint of AIPC_AGENT_MODEL, AIPC_AGENT_BASE_URL and AIPC_AGENT_API_KEY.
agent-suite: setup
	@$(BIN)/python -m tests.agent.suite

clean:
	@rm -rf .venv node_modules .vscode-test dist bundled/libs bundled/server bundled/netron bundled/examples .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
