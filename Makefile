# `make` alone says what there is.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run chat test lint fmt bench bench-desktop bench-tgbridge pictures peers fuzz soak small deps deps-run deps-chat deps-peers docs features

CARGO ?= cargo
ARGS ?=
FUZZ_SECONDS ?= 30
SOAK_SEEDS ?= 3000
SOAK_KILLS ?= 200
TARGET := $(or $(CARGO_TARGET_DIR),target)
SMALL := $(TARGET)/small/tertulia-relay
RELEASE := $(abspath $(TARGET)/release)
SMALL_KIB_MAX := 550
BRIDGE := $(RELEASE)/tertulia-tgbridge
BRIDGE_KIB_MAX := 3072

help: ## What there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: deps-run ## Build the relay and start it (flags: make run ARGS='--lang en')
	$(CARGO) run --release --locked -p tertulia-relay -- $(ARGS)

chat: deps-chat ## Build the window and open it (flags: make chat ARGS='--relay host:2000 --name Ana')
	$(CARGO) run --release --locked -p tertulia-desktop -- $(ARGS)

test: deps lint features small docs ## Everything that is tested, as CI does it
	$(CARGO) test --locked --workspace
	$(CARGO) test --locked -p tertulia-relay --features sabotage --test simulation --test sessions each_deliberate_bug
	$(CARGO) test --locked -p tertulia-relay --features sabotage --test history_threads
	./deploy/check

lint: ## Formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings

features: ## Build the relay with each feature alone, and test it with none
	for feature in history metrics confusables tls config proxy; do \
	  $(CARGO) clippy --locked -p tertulia-relay --all-targets --no-default-features --features $$feature -- -D warnings || exit 1; done
	$(CARGO) clippy --locked -p tertulia-relay --all-targets --no-default-features -- -D warnings
	$(CARGO) test --locked -p tertulia-relay --no-default-features

docs:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps

fmt: ## Format the sources
	$(CARGO) fmt --all

bench: deps small ## Measure speed and size against the floor (BENCHMARKING.md)
	$(CARGO) build --release --locked -p tertulia-relay -p tertulia-loadtest
	TERTULIA_RELAY=$(RELEASE)/tertulia-relay TERTULIA_LOADTEST=$(RELEASE)/tertulia-loadtest \
	TERTULIA_SMALL=$(abspath $(SMALL)) $(CARGO) bench --locked -p tertulia-loadtest --bench bounds -- $(ARGS)

bench-desktop: deps ## Measure the window: start, memory, idle, floods, size (BENCHMARKING.md)
	$(CARGO) build --release --locked -p tertulia-relay
	TERTULIA_RELAY=$(RELEASE)/tertulia-relay $(CARGO) bench --locked -p tertulia-desktop --bench window -- $(ARGS)

pictures: deps ## Take the README's pictures of the window anew (desktop/tests/pictures/)
	$(CARGO) build --locked -p tertulia-relay
	TERTULIA_PICTURES=$(abspath desktop/tests/pictures) $(CARGO) test --locked -p tertulia-desktop --test window -- --ignored pictures

bench-tgbridge: deps-run ## Latency, a burst, memory after a million messages, and size of the bridge
	$(CARGO) bench --locked -p tertulia-tgbridge --bench bridge
	$(CARGO) build --release --locked -p tertulia-tgbridge
	@kib=$$(( ($$(stat -c %s $(BRIDGE)) + 1023) / 1024 )); echo "$(BRIDGE): $$kib KiB"; \
	if (( kib > $(BRIDGE_KIB_MAX) )); then echo "larger than $(BRIDGE_KIB_MAX) KiB: see what the last change added" >&2; exit 1; fi

peers: deps-peers ## The same work for other chat servers, which it installs (BENCHMARKING.md)
	$(CARGO) build --release --locked -p tertulia-relay -p tertulia-loadtest
	$(RELEASE)/tertulia-loadtest peers $(ARGS)

fuzz: ## Run each fuzz target for FUZZ_SECONDS (needs nightly)
	@./.ci/deps fuzz
	./.ci/fuzz $(FUZZ_SECONDS)

soak: deps ## The simulations for SOAK_SEEDS seeds, SOAK_KILLS kills, every fault, and the tests on sockets twenty times
	RELAY_SEEDS=$(SOAK_SEEDS) $(CARGO) test --locked -p tertulia-relay --test simulation --test sessions
	RELAY_KILLS=$(SOAK_KILLS) $(CARGO) test --locked -p tertulia-relay --test kills
	RELAY_FAULTS=all $(CARGO) test --locked -p tertulia-relay --test faults -- --nocapture
	for run in {1..20}; do $(CARGO) test --locked -q -p tertulia-relay || exit 1; done

small: deps-run ## Build the relay for small hardware and check its size
	$(CARGO) build --profile small --locked -p tertulia-relay --no-default-features
	@kib=$$(( ($$(stat -c %s $(SMALL)) + 1023) / 1024 )); echo "$(SMALL): $$kib KiB"; \
	if (( kib > $(SMALL_KIB_MAX) )); then echo "larger than $(SMALL_KIB_MAX) KiB: see what the last change added" >&2; exit 1; fi

deps: ## Install what building and testing need from the system
	@./.ci/deps test

deps-run:
	@./.ci/deps run

deps-chat:
	@./.ci/deps chat

deps-peers:
	@./.ci/deps peers
