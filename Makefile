# Neptune. `make help` lists what there is.
SHELL := /bin/bash
GO ?= go
PYTHON ?= python3
BUILD := build
VENV := $(BUILD)/venv
BENCHSTAT := $(GO) run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
SF ?= 1
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help build demo test test-go test-clients bench bench-micro bench-tpch generate compatibility lint clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## the binary, bin/neptune
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/neptune ./cmd/neptune

# A Python environment for each set of pinned packages in scripts/requirements.
$(VENV)/%/.done: scripts/requirements/%.txt
	$(PYTHON) -m venv $(VENV)/$*
	$(VENV)/$*/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

demo: build $(VENV)/demo/.done ## the main job: training and inference together, under FIFO and NEPTUNE
	$(VENV)/demo/bin/python examples/demo.py --neptune bin/neptune --out $(BUILD)/demo

test: test-go test-clients ## all tests

test-go: ## unit tests
	$(GO) vet ./...
	$(GO) test ./...

CLIENTS := pyspark-3.5 pyspark-4.0 pyspark-4.1 pyspark-4.2 pyspark-4.3
test-clients: build $(CLIENTS:%=$(VENV)/%/.done) ## the real PySpark clients against the server
	@set -e; for c in $(CLIENTS); do echo "== $$c"; NEPTUNE=$(CURDIR)/bin/neptune $(VENV)/$$c/bin/python -m pytest -q test/clients; done

bench: bench-micro bench-tpch ## micro benchmarks of operators and decoders, and TPC-H beside DuckDB and Sail

# Compared with build/bench-old.txt, if that is there: copy an earlier build/bench.txt to it.
bench-micro:
	mkdir -p $(BUILD)
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./arrowexec/... | tee $(BUILD)/bench.txt
	@if [ -f $(BUILD)/bench-old.txt ]; then $(BENCHSTAT) $(BUILD)/bench-old.txt $(BUILD)/bench.txt; else $(BENCHSTAT) $(BUILD)/bench.txt; fi

bench-tpch: build $(BUILD)/tpch/sf$(SF)/.done $(VENV)/bench/.done $(VENV)/bench-sail/.done
	$(VENV)/bench/bin/python scripts/bench/tpch.py --neptune bin/neptune --sail $(VENV)/bench-sail/bin/sail --data $(BUILD)/tpch/sf$(SF) --scale $(SF) --write

$(BUILD)/tpch/sf%/.done: $(VENV)/bench/.done
	$(VENV)/bench/bin/tpchgen-cli parquet -s $* --output-dir $(@D)
	@touch $@

generate: $(VENV)/pyspark-4.3/.done ## generated code and documents
	scripts/generate $(VENV)/pyspark-4.3/bin/python
	$(GO) run ./internal/gen

compatibility: build $(VENV)/pyspark-4.3/.done ## docs/compatibility.md, by running the same on Spark
	$(VENV)/pyspark-4.3/bin/python scripts/compatibility/report.py --neptune bin/neptune --out docs/compatibility.md

lint: ## golangci-lint
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0 run

clean: ## removes what was built
	rm -rf bin $(BUILD)
