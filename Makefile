# make run    serves the demo      make test   installs what the tests need, runs everything
# make help   names the rest
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where the Go tools go; a second run, and a second clone, find them there.
export PORTICO_TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/portico/bin
export PATH := $(PORTICO_TOOLS):$(PATH)

# The commit goes into the binary where git knows one (`portico version`).
VCS := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo true || echo false)

.PHONY: help
help: ## Names the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: run
run: build ## Serves example.yaml with a small demo tree on 127.0.0.1:8080
	@build/demo.sh
	@exec bin/portico serve --config example.yaml

.PHONY: build
build: ## Builds bin/portico, one static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=$(VCS) -o bin/portico .

.PHONY: test
test: ## Installs what the tests need and runs everything
	@build/test.sh

.PHONY: tools
tools: ## Installs the Debian packages (root or sudo) and Go tools of the tests
	@build/tools.sh

.PHONY: fmt fmt-check
fmt: ## Formats the code
	golangci-lint fmt ./...
fmt-check: ## Fails where code is not formatted
	golangci-lint fmt --diff ./...

.PHONY: vet lint
vet: ## go vet
	go vet ./...
lint: ## The linters of .golangci.yml
	golangci-lint run --allow-parallel-runners ./...

.PHONY: arch
arch: ## Imports go one way, and the files around the code are true
	go test ./internal/arch

.PHONY: deadcode cover vuln
deadcode: ## Functions that nothing can reach
	@build/deadcode.sh
cover: ## acl and vpath: every statement is run by a test
	@build/cover.sh acl vpath
vuln: ## Known vulnerabilities in what we import
	@build/vuln.sh

.PHONY: docker-steps
docker-steps: ## Runs the Dockerfile's build steps and starts the result, without a container engine
	@build/docker-steps.sh

.PHONY: helm systemd
helm: ## Lints the Helm chart, holds what it renders against Kubernetes' schemas
	@build/helm.sh
systemd: build ## Holds the systemd unit: its syntax, its hardening, the program's flags
	@build/systemd.sh

# FUZZTIME=10m make fuzz  looks longer.
FUZZTIME ?= 30s
.PHONY: fuzz
fuzz: ## Each fuzz target for 30 seconds
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file name; do \
		echo "== $$(dirname "$$file") $${name#func }"; \
		go test -run='^$$' -fuzz="^$${name#func }\$$" -fuzztime=$(FUZZTIME) "$$(dirname "$$file")"; \
	done

.PHONY: bench
bench: ## The benchmarks
	go test -run='^$$' -bench=. -benchmem ./...

.PHONY: clean
clean: ## Removes the binary and the demo's data
	rm -rf bin data
