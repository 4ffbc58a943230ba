# Neptune. `make help` lists what there is.
SHELL := /bin/bash
GO ?= go
PYTHON ?= python3
BUILD := build
VENV := $(BUILD)/venv
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help build demo test test-go test-clients bench generate lint clean

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

bench: ## micro benchmarks of operators and decoders
	$(GO) test -run '^$$' -bench . -benchmem ./arrowexec/...

generate: $(VENV)/pyspark-4.3/.done ## generated code and documents
	scripts/generate $(VENV)/pyspark-4.3/bin/python
	$(GO) run ./internal/gen

lint: ## golangci-lint
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0 run

clean: ## removes what was built
	rm -rf bin $(BUILD)
