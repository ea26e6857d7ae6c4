# The verbs of this project. `make help` lists them; each installs what it needs and lacks (tools/setup) and says so.
.DEFAULT_GOAL := help
MINUTES ?= $(if $(filter soak,$(MAKECMDGOALS)),60,1)
ROW ?=
.PHONY: help build check demo demo-cloud demo-court demo-network check-cli check-apart check-browser check-cluster check-package check-tsan check-analyze check-format format fuzz mutants soak bench accelerator coverage package install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

build: ## build/bin/custody, build/bin/custody-verify and build/bin/verify.html
	@tools/setup build
	@tools/build release

demo: build ## deposit, tamper, restore, convict: two minutes on real evidence
	@tools/setup build demo
	@tools/demo

demo-court: build ## an exported case in a browser, as it was given and as somebody altered it
	@tools/setup build check demo
	@tools/demo-court

demo-cloud: build ## a provider on an S3 server, a node, a client: killed in mid-transfer, tampered with, asked
	@tools/setup build check demo
	@tools/demo-cloud

demo-network: build ## four organisations under consensus, and a cloud: a disk wiped, copies destroyed and altered, healed
	@tools/setup build check cluster demo
	@tools/demo-network

check: ## all tests with gcc; all but those of the command line once more with clang and its sanitizers
	@tools/setup build check
	@tools/tiers release asan

check-cli: ## the command line's tests once more, by sanitized programs; and the demos
	@tools/setup build check demo
	@tools/tiers asan-cli demos

check-apart: ## provider, node and client as processes: each ends before each of its effects, each file of a store is altered
	@tools/setup build check
	@tools/tiers apart

check-browser: ## the verify page alone: its parts, and in Chromium what a clerk sees
	@tools/setup build check
	@tools/tiers browser

check-cluster: ## the ledger under a real CometBFT: one validator, and four
	@tools/setup build cluster
	@tools/build release
	@tools/tiers cluster

check-package: ## the Debian packages in a clean root: what they need, and their services
	@tools/setup build package
	@tools/build release
	@tools/tiers package

check-tsan: ## the tests once more under ThreadSanitizer
	@tools/setup build check
	@tools/tiers tsan

check-analyze: ## clang-tidy, gcc -fanalyzer, cppcheck
	@tools/setup build analyze
	@tools/tiers analyze

check-format: ## does the code stand as clang-format would put it?
	@tools/setup analyze
	@tools/format --check

format: ## let clang-format put it so
	@tools/setup analyze
	@tools/format

fuzz: ## every fuzz target for a while: MINUTES=1 in all
	@tools/setup build check
	@MINUTES=$(MINUTES) tools/tiers fuzz

soak: ## kill, tear and tamper for an hour: MINUTES=60
	@tools/setup build check
	@MINUTES=$(MINUTES) tools/tiers soak

bench: build ## the README's figures: all rows of bench/README.md, or ROW=name
	@tools/setup build bench
	@bench/run $(ROW)

accelerator: ## fetch the optional lanes of AVX-512 that check signatures three times as fast; the next build takes them
	@tools/setup accelerator
	@tools/accelerator

mutants: ## small faults in a copy of the sources, one at a time: each must make a test fail (NAME=part picks some)
	@tools/setup build check
	@NAME=$(NAME) tools/tiers mutants

coverage: ## which lines and branches the tests take, by file and by room
	@tools/setup build check
	@tools/coverage

package: build ## Debian packages, in build/package
	@tools/setup build package
	@tools/package

install: build ## into PREFIX (default /usr/local)
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

clean: ## remove build/
	rm -rf build
