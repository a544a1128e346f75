# The front door. `make live` and `make test` do all their own set-up; everything else is for developers.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: all live demo test check screens build workloads demo-recording deps-live deps-test tracefs vm bench clean

# The launcher gives the terminal back should the program be killed; `node dist/cli/main.js` is the program itself.
OOMSCOPE := dist/cli/oomscope.sh
VITEST   := npx --no-install vitest run --config test/vitest.config.ts

all: build

## live: install what is missing, build, watch this node
live: deps-live tracefs build
	@exec $(OOMSCOPE) live $(ARGS)

## demo: real kills from a bundled recording; needs no privileges
demo: build
	@exec $(OOMSCOPE) replay docs/demo.oom $(ARGS)

FAST := $(addprefix --project=,structure unit contract golden fuzz)
# What a run found, for the one summary of all: $(call report,NAME)
report = --reporter=blob --outputFile.blob=build/reports/$(1).json

## test: install, build, run every level this machine allows
# The guests of vm compute all the time, on emulated processors; most other tests wait. So they run beside each other.
test: deps-test tracefs build native-test workloads
ifdef ARGS
	@$(VITEST) $(ARGS)
else
	@rm -rf build/reports; status=0; trap "kill 0" INT; \
	$(VITEST) $(call report,guests) --project=vm & \
	$(VITEST) --reporter=default $(call report,node) --project='!vm' || status=1; \
	wait $$! || status=1; \
	$(VITEST) --merge-reports=build/reports || status=1; \
	exit $$status
endif

## check: the fast levels only, no root needed
check: build
	@$(VITEST) $(FAST)

## screens: paints the pictures of the documentation anew
screens: deps-test build
	@OOMSCOPE_PAINT_SCREENS=1 $(VITEST) --project pty test/pty/pictures.test.ts

## demo-recording: records docs/demo.oom anew, in a guest (the tests that name its moments have to follow)
demo-recording: deps-test build
	@OOMSCOPE_RECORD_DEMO=1 OOMSCOPE_VM_KERNELS='$(KERNEL)' OOMSCOPE_VM_BPFTRACE='$(BPFTRACE)' $(VITEST) --project demo

## vm: the lab on any kernel, e.g. make vm KERNEL=7.2 BPFTRACE=0.27
KERNEL ?= 6.12
BPFTRACE ?= system
vm: deps-test build
	@OOMSCOPE_VM_KERNELS='$(KERNEL)' OOMSCOPE_VM_BPFTRACE='$(BPFTRACE)' $(VITEST) --project vm

## bench: what oomscope costs, as ratios; writes docs/bench.md (ONLY=screen: prints one part)
bench: deps-test tracefs build
	@ONLY='$(ONLY)' node test/bench/bench.mjs

build: node_modules/.package-lock.json dist/cli/main.js dist/native/oomscope-bridge

# Not `npm ci`: it refuses the lock where a registry lacks optional platform binaries (msgpackr-extract), which nothing here needs.
node_modules/.package-lock.json: package.json package-lock.json
	@npm install --no-audit --no-fund --loglevel=error
	@touch $@

dist/cli/main.js: node_modules/.package-lock.json src/tsconfig.json tsconfig.json $(shell find src -name '*.ts' -o -name '*.sh')
	@npx --no-install tsc -p src/tsconfig.json
	@install -m 755 src/cli/oomscope.sh dist/cli/oomscope.sh
	@touch $@

# Both sides of `test` would build them at the same time.
workloads:
	@$(MAKE) --no-print-directory -C test/workloads

include native/bridge.mk

deps-live:
	@native/packages.sh cc:gcc /usr/include/stdio.h:libc6-dev bpftrace:bpftrace

# python3 and g++ build node-pty; qemu and friends boot the lab's kernels; containerd and runc are started by tests with directories of their own; openssl makes their certificates; systemd is the init of a guest.
# dockerd and podman are only unpacked, into .cache.
deps-test: deps-live
	@native/packages.sh python3:python3 g++:g++ qemu-system-x86_64:qemu-system-x86 busybox:busybox-static \
	  cpio:cpio kmod:kmod xz:xz-utils debootstrap:debootstrap containerd:containerd runc:runc openssl:openssl ps:procps /lib/systemd/systemd:systemd
	@test/helpers/engines/unpack.sh

tracefs:
	@[ "$$(id -u)" != 0 ] || [ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true

clean:
	@rm -rf dist build
