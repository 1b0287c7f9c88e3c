# Two commands do everything: `make table4` and `make test`. Inside the environment: snakemake --cores 8 results/table4.csv
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CORES ?= $(shell nproc)
CONFIG ?=
ARGS ?=
UV_VERSION := 0.13.8
BIN := .venv/bin
STAMP := .make/installed
# Targets stand first: --configfile takes every word that follows it.
OPTIONS := --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG)) $(ARGS)

.PHONY: table4 all rows bundles shipped companions faults test lint bench reference install requirements clean help prerequisites

table4: $(STAMP)  ## results/table4.csv of the configured run (CONFIG=config/....yaml; default: the embedded synthetic data)
	$(call locked,results/table4.csv)

all: $(STAMP)  ## every table and figure, and results/report.html
	$(call locked,all)
	$(call made,results/report.html)

companions: $(STAMP)  ## the systems beside QAFM on the same data, and results/companions.html (docs/companions.md)
	$(call locked,companions)
	$(call made,results/companions.html)

bundles: $(STAMP)  ## each trained model of the run as a folder that `qafm.load` and `qafm --model` read
	$(call locked,bundles)

shipped: $(STAMP)  ## train the small model that comes with the package again, and write its model card
	$(MAKE) bundles CONFIG=config/shipped.yaml
	$(BIN)/python workflow/ship_bundle.py config/shipped.yaml

rows: $(STAMP)  ## every row of Table 4 and beside it that needs no second model, without the tables
	$(call locked,rows)

FAULTS := config/faults
REPLICA := config/market1501-replica.yaml

faults: $(STAMP)  ## results/faults.csv: the replica of the original code, and each fault repaired alone (docs/own-data.md)
	for fault in $(FAULTS)/*.yaml; do $(MAKE) rows CONFIG="$(REPLICA) $(firstword $(sort $(wildcard $(FAULTS)/*.yaml))) $$fault $(CONFIG)"; done
	$(BIN)/python workflow/tabulate_faults.py $(REPLICA) $(FAULTS) results/faults.csv $(CONFIG)

# passive: torch's waiting threads leave the core to the other processes.
test: $(STAMP)  ## all tests, in one process per core
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest --numprocesses $(CORES) $(ARGS)

lint: $(STAMP)  ## snakemake --lint, snakefmt, ruff, pyright
	$(BIN)/snakemake --lint
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

bench: $(STAMP)  ## speed against simple references, as ratios
	for script in benchmarks/*.py; do $(BIN)/python $$script; done

install: $(STAMP)  ## the environment alone

help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# While it runs, this target holds a lock of its own; owning it, a Snakemake lock can only be a leftover of a killed run.
define locked
	@for file in $(CONFIG); do test -f "$$file" || { echo "$$file: no such configuration file" >&2; exit 1; }; done
	@mkdir -p results
	@exec 9>results/.running; \
	flock --nonblock 9 || { echo "another run works in this folder (results/.running is locked): wait for it, or stop it" >&2; exit 1; }; \
	if compgen -G ".snakemake/locks/*" >/dev/null; then echo "clearing the lock a killed run left"; $(BIN)/snakemake $(1) $(OPTIONS) --unlock --quiet all; fi; \
	$(BIN)/snakemake $(1) $(OPTIONS)
endef

# Not after a dry run, which makes nothing.
made = $(if $(filter -n --dry-run --dryrun,$(ARGS)),,@echo "made: $(1) (open it in a browser)")

$(STAMP): requirements.txt pyproject.toml | prerequisites
	@mkdir -p $(@D)
	test -x $(BIN)/python || python3 -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

prerequisites:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null && command -v git >/dev/null || \
	{ echo "missing: python3 >= 3.11, python3-venv or git. On Debian or Ubuntu: apt-get install --yes python3 python3-venv make git" >&2; exit 1; }

requirements:  ## compile requirements.in again, and environment.yml from the result
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/python workflow/write_environment.py requirements.txt environment.yml

reference: $(STAMP)  ## config/README.md from the configuration classes
	$(BIN)/python workflow/write_config_reference.py config config/README.md

clean:  ## remove all results, keep the environment
	rm -rf results .snakemake
