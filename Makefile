# One vocabulary for people and for CI. Needs make and Python 3.11 or newer; the rest comes into this folder.
# UV, PYTHON, ENV_FILE, STATE_DIR and the ports of .env.example can be set: `make up AIRFLOW_PORT=9082`.

PYTHON ?= python3
UV_VERSION = 0.13.8
UV ?= $(shell command -v uv || echo .uv/bin/uv)
VENV = .venv
PY = PYTHONPATH=plugins:. $(VENV)/bin/python
STACK = $(PY) -m stack
# the lock file that the packages come from: if its content changes, so does the stamp, and the packages are installed again
hash = $(shell $(PYTHON) -c "import hashlib,sys; print(hashlib.sha256(b''.join(open(f,'rb').read() for f in sys.argv[1:])).hexdigest()[:16])" $(1) 2>/dev/null)
stamp = $(VENV)/.installed-$(1)$(call hash,$(2))
DEV := $(call stamp,dev-,requirements-dev.lock)
SOURCES := $(call stamp,sources-,requirements-sources.lock)
EMBEDDED := $(call stamp,,requirements-embedded.lock)
# the packages of the sources come too where a data set has a source or a stream, a source is being described, alerts are sent, or Airflow sends metrics
setting = $(or $($(1)),$(shell sed -n 's/^$(1)=//p' "$(or $(ENV_FILE),.env)" 2>/dev/null))
WITH_SOURCES = $(SOURCE)$(filter 1,$(call setting,KAFKA))$(filter True,$(call setting,AIRFLOW__METRICS__STATSD_ON))$(shell grep -lsE '^(source|stream|alerts):' $(or $(call setting,DATASETS_DIR),datasets)/*.yaml)
# of these three each is a superset of the next: if it is current, no package is removed
PACKAGES := $(firstword $(wildcard $(DEV) $(SOURCES)) $(if $(strip $(WITH_SOURCES)),$(SOURCES),$(EMBEDDED)))

.PHONY: help env up down status logs reset backup restore demo dataset task eda rollback docs check test test-compose prove lint screens bench lock lock-jars packages packages-dev

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

env: ## write .env with random secrets, or add what a newer version needs
	@$(PYTHON) -m stack.secrets

up: packages ## start the platform and wait until it is healthy
	@$(STACK) up $(if $(only),--only $(only))

down: packages ## stop the platform; its data stays
	@$(STACK) down

status: packages ## show health, addresses, versions and logins
	@$(STACK) status

logs: packages ## show the end of the logs, or all since=1h or with grep=TEXT; server=NAME for one or tasks, json=1, follow=1
	@$(STACK) logs $(server) $(if $(since),--since "$(since)") $(if $(grep),--grep "$(grep)") $(if $(json),--json) \
	  $(if $(follow),--follow)

reset: packages ## stop the platform and remove all its data; asks first, yes=1 skips the question
	@$(STACK) reset $(if $(yes),--yes)

backup: packages ## back up databases, buckets and settings to backups/<time>, or to=FOLDER; due=1 by the schedule, for cron
	@$(PY) -m $(if $(due),stack.backup.schedule --once,stack.backup make $(if $(to),--to "$(to)"))

restore: packages ## restore a backup: FROM=backups/<time>; yes=1 replaces existing data
	@$(PY) -m stack.backup restore "$(or $(FROM),$(error Which one? make restore FROM=backups/<time>))" $(if $(yes),--replace)

demo: packages ## train a model and predict, from nothing, on the sample data; DATASET=flights for another sample, SOURCE=kafka for rows from a source
	@./ml-platform demo $(DATASET) $(if $(SOURCE),--source "$(SOURCE)")

dataset: packages ## draft a data set's YAML from a file: FILE=churn.csv NAME=churn; label=COLUMN key=COLUMN table=1
	@./ml-platform dataset draft "$(or $(FILE),$(error Which file? make dataset FILE=churn.csv NAME=churn))" \
	  "$(or $(NAME),$(error What is it called? make dataset FILE=churn.csv NAME=churn))" \
	  $(if $(label),--label "$(label)") $(if $(key),--key "$(key)") $(if $(table),--table)

task: packages ## run one task here, without the scheduler, to debug it: DAG=train_auto TASK=search; without TASK the whole DAG
	@$(PY) -m stack.task_environment airflow $(if $(TASK),tasks test,dags test) \
	  "$(or $(DAG),$(error Which one? make task DAG=train_auto TASK=freeze_training_set))" $(TASK) \
	  $(if $(PARAMS),$(if $(TASK),--task-params,--conf) '$(PARAMS)')

eda: packages ## write a report on the data of a data set, with figures: DATASET=auto
	@./ml-platform eda "$(or $(DATASET),$(error Which one? make eda DATASET=auto))"

rollback: packages ## roll back to the previous model: DATASET=auto REASON="..."; TO=3 for that version
	@./ml-platform models rollback "$(or $(DATASET),$(error Which one? make rollback DATASET=auto REASON="..."))" \
	  --reason "$(or $(REASON),$(error Why? make rollback DATASET=$(DATASET) REASON="..."))" $(if $(TO),--to "$(TO)")

docs: packages-dev ## build the documents as a site, into .site/; a dead link fails
	@$(VENV)/bin/zensical build --strict --clean

lint: packages-dev docs ## check style, types, layers, documents, container files and scripts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	PYTHONPATH=plugins:. $(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/hadolint Dockerfile .ci/stand-in/*/Dockerfile
	$(VENV)/bin/compose-lint check --quiet --no-env --skip-suppressed --fail-on low --strict-config docker-compose.yml
	$(VENV)/bin/shellcheck .ci/run .ci/prove .ci/test-compose .ci/images .ci/docker-engine .ci/stand-ins .ci/ferretdb .ci/prometheus minio/setup.sh ml-platform

check: lint ## lint, then run the quick tests, which need no servers
	$(VENV)/bin/pytest -n auto --dist worksteal -m "not servers and not browser and not slow and not prove"

test: lint ## lint, then run all tests except containers and long ones; they start their own servers
	$(VENV)/bin/pytest $(UNIT) -m "not servers and not browser and not prove"
	$(VENV)/bin/pytest $(SERVERS) -m "servers and not stack and not prove"
	$(VENV)/bin/pytest $(WHOLE_STACK) --exitfirst -m "stack and not prove" # they build on each other

# how each kind of test is run; the slowest tests are listed at the end
UNIT = -n auto --dist worksteal --durations=10
SERVERS = -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations=10
WHOLE_STACK = tests/stack tests/end_to_end tests/browser --durations=10

test-compose: packages-dev ## build, start, test and use the containers, and kill two of them
	.ci/test-compose

prove: lint ## before a release: run every test, also long ones, and every kill; two hours; only="servers stack" for some
	UV="$(UV)" ONLY="$(only)" UNIT="$(UNIT)" SERVERS="$(SERVERS)" WHOLE_STACK="$(WHOLE_STACK)" .ci/prove

screens: packages-dev ## take the screenshots of the README again, in a headless Chromium
	SCREENSHOTS=1 REQUIRE_BROWSER=1 $(VENV)/bin/pytest tests/browser

bench: packages-dev ## run the benchmarks, each comparison in one run; args="NAME ARGUMENTS" for one of them
	@$(PY) -m benchmarks $(args)

LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml
LOCK_SOURCES = $(LOCK) --extra alerts --extra kafka --extra metrics --extra mongodb --extra sql
lock: uv ## resolve the packages again: for the image, for `make up`, without and with sources, and for development
	$(LOCK_SOURCES) $(if $(upgrade),--upgrade) -o requirements.lock
	$(LOCK) --extra embedded -c requirements.lock -o requirements-embedded.lock
	$(LOCK_SOURCES) --extra embedded --extra kafka-embedded -c requirements.lock -c requirements-embedded.lock -o requirements-sources.lock
	$(LOCK) --all-extras -c requirements-sources.lock -o requirements-dev.lock

lock-jars: packages-dev ## resolve the jars of Kafka again, after a change of its version in stack/servers/jars.py
	@$(PY) -m stack.servers.jars

packages: $(PACKAGES)
packages-dev: $(DEV)

$(EMBEDDED): requirements-embedded.lock | $(VENV)/bin/python uv
	$(UV) pip sync --quiet --python $(VENV)/bin/python requirements-embedded.lock
	@rm -f $(VENV)/.installed-* && touch $@

$(SOURCES): requirements-sources.lock | $(VENV)/bin/python uv
	$(UV) pip sync --quiet --python $(VENV)/bin/python requirements-sources.lock
	@rm -f $(VENV)/.installed-* && touch $@

$(DEV): requirements-dev.lock | $(VENV)/bin/python uv
	$(UV) pip sync --quiet --python $(VENV)/bin/python requirements-dev.lock
	@rm -f $(VENV)/.installed-* && touch $@

$(VENV)/bin/python: | python-is-new-enough uv
	$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)

.PHONY: python-is-new-enough uv
python-is-new-enough:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and there is no $(PYTHON)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }

uv: python-is-new-enough
	@command -v $(UV) >/dev/null || $(MAKE) --no-print-directory .uv/bin/uv

.uv/bin/uv:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) lacks the module that makes environments. Install it (Debian, Ubuntu: apt-get install python3-venv), or install uv."; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
