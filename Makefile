# The commands that a fresh machine needs: `make demo` and `make test`.

CARGO ?= cargo
NPM ?= npm
# Where cargo puts the program.
TARGET := $(shell $(CARGO) metadata --format-version 1 --no-deps 2>/dev/null | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
MASTIC := $(TARGET)/debug/mastic
PYTHON_TOOLS := $(TARGET)/python
# What the tests run scripts with.
TEST_ENGINES := $(TARGET)/test-engines
# What they run scripts with where that takes Java and hundreds of megabytes.
SPARK_ENGINES := $(TARGET)/spark-engines
# The engines that reading is measured beside.
ENGINES := $(TARGET)/engines

# Where tests write what they left out, and why.
export MASTIC_TESTS_SKIPPED := $(TARGET)/skipped-tests

.PHONY: demo build machine frontend openapi dev one test test-tools clients engines crash-test reading-test check bench

# Builds everything, and tells the whole story on generated trips.
demo: build
	$(MASTIC) demo

# What is missing is named before ten minutes of building have passed.
machine:
	@CARGO=$(CARGO) NPM=$(NPM) tests/check-machine

# The frontend first: it becomes part of the program.
build: machine frontend
	$(CARGO) build --locked

frontend: frontend/dist/index.html

frontend/dist/index.html: frontend/package-lock.json frontend/index.html frontend/vite.config.ts $(shell find frontend/src -type f 2>/dev/null)
	cd frontend && $(NPM) ci --no-audit --no-fund && $(NPM) run build

# The document that the frontend's client is generated from.
openapi: build
	$(MASTIC) openapi > frontend/openapi.json
	cd frontend && $(NPM) run generate

# Server and frontend, built and started anew as the code changes: http://127.0.0.1:5173.
dev: machine
	CARGO=$(CARGO) NPM=$(NPM) tools/dev $(MASTIC)

# The tests whose names hold a text, beside both databases: `make one TEST=story::csv`.
one:
	MASTIC_TEST_ENGINES=$(wildcard $(TEST_ENGINES)) tests/with-postgres tests/with-mariadb $(CARGO) test --locked --test it -- $(TEST)

# Installs what the tests need, then runs all of them: the program's on SQLite and PostgreSQL, and against MariaDB, the frontend's, and both
# together in a browser and under AWS's own clients.
test: machine test-tools build
	@rm -f $(MASTIC_TESTS_SKIPPED)
	MASTIC_ENGINES_FOLDER=$(TEST_ENGINES) $(MASTIC) engines install pyspark
	MASTIC_TEST_ENGINES=$(TEST_ENGINES) tests/with-postgres tests/with-mariadb $(CARGO) test --locked --workspace
	cd frontend && $(NPM) test
	MASTIC_BIN=$(MASTIC) tests/with-demo tests/clients/run $(PYTHON_TOOLS)
	MASTIC_BIN=$(MASTIC) tests/with-postgres tests/clients/run-catalog $(PYTHON_TOOLS)
	MASTIC_BIN=$(MASTIC) tests/clients/run-store $(PYTHON_TOOLS)
	$(PYTHON_TOOLS)/bin/python tests/bench/conflicts.py $(MASTIC) --updates 10
	tests/engines/run-awsglue $(MASTIC) $(TEST_ENGINES)
	tests/with-postgres $(PYTHON_TOOLS)/bin/python tests/storm/run.py $(MASTIC) --objects 30 --kills 6 --engines $(TEST_ENGINES)
	$(PYTHON_TOOLS)/bin/python tests/reading/polluted.py $(MASTIC) --files 120 --every-case 8
	$(PYTHON_TOOLS)/bin/python tests/reading/property.py $(MASTIC) --tables 30
	MASTIC_BIN=$(MASTIC) tests/with-demo $(NPM) --prefix frontend run test:browser
	@tests/say-skipped

# Ten thousand objects, for jobs of SQL and of scripts, under two hundred kills, pauses and outages, on both databases; hours
# of work for the machine.
crash-test: frontend
	$(CARGO) build --locked --release
	tests/install-tools $(PYTHON_TOOLS)
	MASTIC_ENGINES_FOLDER=$(TEST_ENGINES) $(TARGET)/release/mastic engines install pyspark
	tests/with-postgres $(PYTHON_TOOLS)/bin/python tests/storm/run.py $(TARGET)/release/mastic --objects 10000 --kills 200 \
		--engines $(TEST_ENGINES)

# Thousands of polluted CSV files and of made-up tables, crawled and read, each value compared.
reading-test: frontend
	$(CARGO) build --locked --release
	tests/install-tools $(PYTHON_TOOLS)
	$(PYTHON_TOOLS)/bin/python tests/reading/polluted.py $(TARGET)/release/mastic --files 5000
	$(PYTHON_TOOLS)/bin/python tests/reading/property.py $(TARGET)/release/mastic --tables 2000

test-tools:
	tests/install-tools $(PYTHON_TOOLS)

# What takes more installing than `make test` does: the embedded store under older boto3, s3fs, the JavaScript SDK and
# rclone, and jobs under Airflow. Installs them where they are missing.
clients: test-tools build
	MASTIC_BIN=$(MASTIC) tests/clients/run-store $(PYTHON_TOOLS) $(TARGET)/stores
	MASTIC_ENGINES_FOLDER=$(TEST_ENGINES) $(MASTIC) engines install pyspark
	MASTIC_BIN=$(MASTIC) MASTIC_TEST_ENGINES=$(TEST_ENGINES) tests/with-postgres tests/clients/run-airflow $(TARGET)/airflow

# Spark scripts on Spark itself, on this machine and on a cluster of a master and two workers.
engines: machine build
	tests/with-spark $(MASTIC) $(SPARK_ENGINES) $(CARGO) test --locked --test it -- engines::spark --test-threads 2
	tests/engines/run-awsglue $(MASTIC) $(SPARK_ENGINES)

# Form, lints, and what dependencies may be.
check: frontend test-tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	cd frontend && $(NPM) run check
	tests/check-dependencies $(PYTHON_TOOLS)

# Speed and memory, as ratios measured side by side in one run.
bench: frontend
	$(CARGO) build --locked --release
	tests/install-tools $(PYTHON_TOOLS)
	$(PYTHON_TOOLS)/bin/python tests/bench/run.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/infer.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/catalog.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/conflicts.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/crawl.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/triggers.py $(TARGET)/release/mastic
	MASTIC_ENGINES_FOLDER=$(TEST_ENGINES) $(TARGET)/release/mastic engines install pyspark
	$(PYTHON_TOOLS)/bin/python tests/bench/scripts.py $(TARGET)/release/mastic --engines $(TEST_ENGINES)
	$(PYTHON_TOOLS)/bin/python tests/bench/history.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/partitions.py $(TARGET)/release/mastic
	$(PYTHON_TOOLS)/bin/python tests/bench/queries.py $(TARGET)/release/mastic
	tests/bench/install-engines $(ENGINES)
	$(ENGINES)/bin/python tests/bench/reading.py $(TARGET)/release/mastic
