# What a person types. Each target sets up what it needs; a fresh clone needs Python >= 3.11, git and make.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The machine's own certificates: a company's proxy signs with one that uv does not bring.
export UV_SYSTEM_CERTS := 1
# Without compiled modules each process of a test run compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
# Lint serves nobody: it reads the settings without the secrets of a deployment.
NO_DEPLOYMENT := SECRET_KEY=lint TOKEN_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	INSTAGRAM_CLIENT_ID=lint INSTAGRAM_CLIENT_SECRET=lint DEBUG=1

.PHONY: demo test test-fast lint audit types format bench bench-peers load simulate fuzz soak drill requirements messages clean

demo: .venv/ready
	@exec $(BIN)/python -m threadsite.demo

test: .venv/ready
	$(BIN)/python -m pytest -n auto --dist worksteal

test-fast: .venv/ready
	$(BIN)/python -m pytest -n auto --dist worksteal --hypothesis-profile fast -m "not slow and not e2e"

lint: .venv/ready types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(NO_DEPLOYMENT) $(BIN)/python -m tests.deploys

audit: .venv/ready
	$(BIN)/python -m tests.audit

types: .venv/ready
	$(NO_DEPLOYMENT) $(BIN)/mypy .

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# SYNCS=1000000 for the whole table; docs/simulation.md says how to read it.
SYNCS := 20000
JOBS := 1

simulate: .venv/ready
	$(BIN)/python -m tests.simulation --syncs $(SYNCS) --jobs $(JOBS)

# N=100000 for a quick look; results are kept in bench/results.json.
N := 1000000

bench: .venv/ready
	$(BIN)/python -m bench --n $(N)

bench-peers: .venv/ready
	$(BIN)/python -m bench.peers --n $(N)

# A few minutes: persons, programs and syncs on a database and a sandbox of its own.
MEMBERS := 1000

load: .venv/ready
	$(BIN)/python -m bench.load --members $(MEMBERS)

# FIRE_EXAMPLES=3000 for a long night.
fuzz: .venv/ready
	FIRE_EXAMPLES=$${FIRE_EXAMPLES:-300} $(BIN)/python -m pytest -m slow tests/fuzz tests/followersync/test_under_fire.py

GERMAN := threadsite/locale/de/LC_MESSAGES/django
messages: .venv/ready
	$(NO_DEPLOYMENT) $(BIN)/django-admin makemessages --settings threadsite.settings --pythonpath . \
	  -l de --no-location --no-obsolete --no-wrap \
	  $(foreach each,.venv .local bench docs drills staticfiles tests,--ignore '$(each)*')
	sed -i '/^"POT-Creation-Date/d' $(GERMAN).po # else it changed with every look
	msgfmt --check -o $(GERMAN).mo $(GERMAN).po

soak: .venv/ready
	$(BIN)/python -m tests.soak

# DRILL=queue-killed for one; `python -m drills` lists them.
DRILL := all

drill: .venv/ready
	$(BIN)/python -m drills $(DRILL)

# The hashed files hold no download address: any index, or none of them named, serves.
COMPILE := $(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --universal --python-version 3.11

requirements: .venv/ready
	$(COMPILE) pyproject.toml --extra telemetry --group dev -o requirements-dev.txt
	$(COMPILE) pyproject.toml -c requirements-dev.txt -o requirements.txt
	$(COMPILE) pyproject.toml --extra telemetry -c requirements-dev.txt -o requirements-telemetry.txt
	$(COMPILE) --group uv -c requirements-dev.txt -o requirements-uv.txt
	$(COMPILE) --group bench-dlt -o bench/requirements-dlt.txt
	$(COMPILE) --group bench-dbt -o bench/requirements-dbt.txt

.venv/ready: requirements-dev.txt requirements-uv.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install -q --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .local staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
