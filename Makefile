# What people type in a checkout. Every check is a task of deno.json; this file adds the set-up in front of it, so that
# each target works on a machine that has nothing yet. ARGS goes to the program.

SHELL := /bin/sh
ARGS :=

export PATH := $(CURDIR)/.tools/bin:$(PATH)
export DENO_DIR := $(CURDIR)/.tools/cache
export DENO_NO_UPDATE_CHECK := 1

# With this flag V8 keeps its heap small: docs/benchmarks.md has the figures.
PORTHOLE := deno run -A --v8-flags=--optimize-for-size src/main.ts

.PHONY: help setup setup-tests web bundle screenshot demo porthole check test test-slow conformance bench fmt clean \
	build cross deb flash-kit sbom setup-cross test-board

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: web ## try it: rendezvous, agent and sample device; ARGS='--port 18080 --json'
	@exec $(PORTHOLE) demo $(ARGS)

porthole: web ## run any command from source; ARGS='pair --state DIR --json'
	@exec $(PORTHOLE) $(ARGS)

check: setup ## format, lint, types, import table, unit tests: before every commit
	@deno task --quiet check

test: setup-tests ## all of it: checks, unit, contract and end-to-end tests in a real browser
	@deno task --quiet test

test-slow: setup-tests ## what takes minutes: a gigabyte each way to a real browser
	@deno task --quiet test:slow

conformance: setup-tests web ## what pages observe beside the device and through the tunnel: the table of 30 cases
	@deno task --quiet test:conformance

bench: setup-tests bundle ## ratios of speed and memory against other programs; ARGS=--transport beside pion
	@deno task --quiet bench $(ARGS)

screenshot: setup-tests web ## docs/screenshot.png, made by the end-to-end test
	@PORTHOLE_SCREENSHOT=docs/screenshot.png deno test -A --no-check --quiet tests/e2e/whole_path_test.ts

bundle: setup ## dist/porthole.mjs: the whole program as one file for Deno and Node
	@deno task --quiet bundle

web: setup ## dist/web: what browsers load
	@deno task --quiet bundle:web

build: setup ## dist/porthole: one file for this machine, the runtime inside
	@deno task --quiet build host

cross: setup setup-cross ## dist/porthole-x86_64, -aarch64, -armv7 (NODE_ARMV7=… NODE_ARMV7_SHA256=…), SBOM, checksums
	@deno task --quiet build x86_64 aarch64 armv7
	@deno task --quiet sbom

deb: cross ## dist/porthole_*.deb for amd64, arm64, armhf
	@deno task --quiet deb
	@deno task --quiet sbom

flash-kit: setup setup-cross ## dist/flash-kit for a Raspberry Pi: RENDEZVOUS=https://… [NAME= SSH_KEY= WIFI_SSID= WIFI_PASSWORD= CONFIG=]
	@deno task --quiet flash-kit

test-board: deb ## the artefacts: under qemu, installed in a scratch system, behind a proxy; needs root, half an hour or more
	@deno task --quiet test:board

setup-cross: ## what only builds for boards need: compilers, qemu, dpkg tools (Debian's packages)
	@cross/setup_tests.sh cross

setup: ## Deno of the pinned version, in .tools/
	@cross/setup.sh

setup-tests: setup ## what only tests need: a browser, GStreamer, ffmpeg (Debian's packages)
	@cross/setup_tests.sh

fmt: setup ## format all files
	@deno task --quiet fmt

clean: ## remove what was made, but not what was downloaded
	@rm -rf dist tests/e2e/out tests/bench/out tests/conformance/out
