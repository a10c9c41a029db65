# SPDX-License-Identifier: MIT
# fuse_cgroupfs: `make run` and `make test` do all the set-up they need; `make` alone installs nothing.

VERSION := $(shell scripts/version.sh)
PYTHON ?= /usr/bin/python3
INSTALL ?= install
PREFIX ?= /usr/local
DESTDIR ?=
MOUNT ?= /tmp/fuse-cgroup
# A sanitizer's objects live in a directory of their own: make SANITIZE=thread BUILD=build/thread
BUILD ?= build
SANITIZE ?=
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
SOAK_ROUNDS ?= 1
ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
export CC CPPFLAGS PKG_CONFIG PYTHON

CFLAGS ?= -O2 -g
# WERROR=1: every warning is an error, as in CI; elsewhere a newer compiler's new warning is none.
WERROR ?=
# A sanitizer's programs end where a lock is not held that has to be (include/lock.h).
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-DDEBUG_LOCKS)

# Those of these flags that the compiler takes. Asked when first needed: make test may install the compiler.
accepted = $(shell for flag in $(1); do $(CC) -Werror $(CFLAGS) $$flag -include string.h \
	-x c -c -o /dev/null /dev/null 2>/dev/null && echo "$$flag"; done)
# Who has set FORTIFY_SOURCE keeps it; sanitizers look after the same themselves.
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(SANITIZE),,-U_FORTIFY_SOURCE \
	$(firstword $(call accepted,-D_FORTIFY_SOURCE=3 -D_FORTIFY_SOURCE=2)))
HARDENING = $(eval HARDENING := $(FORTIFY) $(call accepted,-fPIE -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -mbranch-protection=standard))$(HARDENING)
HARDENED_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror=implicit-function-declaration \
	$(if $(WERROR),-Werror) -MMD -MP -pthread \
	-Iinclude -I$(BUILD)/include \
	$(shell $(PKG_CONFIG) --cflags fuse3 jansson) $(HARDENING) $(SANITIZE_FLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pthread $(HARDENED_LINK) $(SANITIZE_FLAGS) $(LDFLAGS)

SOURCES := $(wildcard src/*/*.c src/*/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
DAEMON_OBJECTS := $(filter-out $(BUILD)/obj/run/% $(BUILD)/obj/cni/%,$(OBJECTS))
# The launcher stands on the rooms that know neither cgroups nor FUSE.
RUN_OBJECTS := $(filter $(BUILD)/obj/run/% $(BUILD)/obj/machine/% $(BUILD)/obj/base/%,$(OBJECTS))
CNI_OBJECTS := $(filter $(BUILD)/obj/cni/% $(BUILD)/obj/base/%,$(OBJECTS))
PROGRAMS := fuse_cgroupfs fuse_cgroup_run fuse_cgroup_cni
# What tests link with: everything but the programs' own.
LIBRARY_SOURCES := $(filter-out src/daemon/% src/run/% src/cni/%,$(SOURCES))
LIBRARY_OBJECTS := $(LIBRARY_SOURCES:src/%.c=$(BUILD)/obj/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ_CC := clang -std=gnu17 -D_GNU_SOURCE -Iinclude -MMD -MP -g -O1 \
	-fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_OBJECTS := $(LIBRARY_SOURCES:src/%.c=$(BUILD)/fuzz/obj/%.o)
FUZZ_CNI_OBJECTS := $(patsubst src/%.c,$(BUILD)/fuzz/obj/%.o,\
	$(filter-out src/cni/main.c,$(wildcard src/cni/*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all
all: deps-build
	@$(MAKE) --no-print-directory $(PROGRAMS:%=$(BUILD)/%)

# The programs without a shared library, for places where nothing is installed. libfuse's modules,
# which it would load (dlopen), are none of ours: the linker warns of them.
.PHONY: static
static: deps-build+static
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/static LDFLAGS='-static-pie $(LDFLAGS)' \
		PKG_CONFIG='$(PKG_CONFIG) --static' all

# Whatever a documented target needs but those named -long: what no test of today runs is built all the same.
.PHONY: everything
everything: deps-build+test+clang+clients+node+gvisor
	@$(MAKE) --no-print-directory all $(UNIT_TESTS) $(FUZZERS) $(BUILD)/bench_floor $(LOOSE_OBJECTS)
	@$(MAKE) --no-print-directory static client-programs
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet)
	@tests/gvisor/build-runsc.sh

# These install what they need, where that is apt-get's and we are root; all others say what to install.
INSTALLING := run picture deb everything test test-% soak soak-% fuzz bench bench-%
# All that a target needs is asked for at once (deps-SET+SET), so that who installs it does so once.
.PHONY: deps-%
deps-%:
	@CFLAGS='$(CFLAGS)' scripts/install-deps.sh $(if $(filter $(INSTALLING),$(MAKECMDGOALS)),,--check) \
		$(subst +, ,$*)

$(BUILD)/fuse_cgroupfs: $(DAEMON_OBJECTS)
	@echo "  LD      $@"
	@$(CC) -o $@ $^ $(ALL_LDFLAGS) $(shell $(PKG_CONFIG) --libs fuse3)

$(BUILD)/fuse_cgroup_run: $(RUN_OBJECTS)
	@echo "  LD      $@"
	@$(CC) -o $@ $^ $(ALL_LDFLAGS) $(shell $(PKG_CONFIG) --libs libseccomp) -lm

$(BUILD)/fuse_cgroup_cni: $(CNI_OBJECTS)
	@echo "  LD      $@"
	@$(CC) -o $@ $^ $(ALL_LDFLAGS) $(shell $(PKG_CONFIG) --libs jansson)

# Written when it is another one than before.
$(BUILD)/include/version.h: FORCE
	@mkdir -p $(@D)
	@echo '#define FUSE_CGROUPFS_VERSION "$(VERSION)"' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: src/%.c | $(BUILD)/include/version.h
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY_OBJECTS)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -o $@ $< $(LIBRARY_OBJECTS) $(ALL_LDFLAGS) -lcmocka

# Their allocations and their opens fail one after the other.
FAILING := malloc calloc realloc reallocarray strdup strndup open openat __openat_2
$(BUILD)/unit/test_no_memory $(BUILD)/unit/test_hash: \
	ALL_LDFLAGS += $(patsubst %,-Xlinker --wrap=%,$(FAILING))
$(BUILD)/unit/test_patient: ALL_LDFLAGS += -Xlinker --wrap=pthread_create
$(BUILD)/unit/test_forgetting: ALL_LDFLAGS += $(shell $(PKG_CONFIG) --libs fuse3)
$(BUILD)/unit/test_run_short: ALL_LDFLAGS += $(patsubst %,-Xlinker --wrap=%,\
	$(FAILING) memfd_create fcntl syscall ioctl getxattr)

# Tests of the launcher's parts include its own headers (-iquote: its limits.h is not <limits.h>).
RUN_TEST_OBJECTS := $(filter-out $(BUILD)/obj/run/main.o,$(RUN_OBJECTS))
$(BUILD)/unit/test_run_%: tests/unit/test_run_%.c $(RUN_TEST_OBJECTS)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -iquote src/run -o $@ $< $(RUN_TEST_OBJECTS) $(ALL_LDFLAGS) \
		$(shell $(PKG_CONFIG) --libs libseccomp) -lm -lcmocka

# A supervisor with the launcher's way of catching calls, and none of its answers.
FLOOR_OBJECTS := $(patsubst %,$(BUILD)/obj/run/%.o,notify peer places processor filter channel shortage) \
	$(filter $(BUILD)/obj/machine/% $(BUILD)/obj/base/%,$(OBJECTS))
$(BUILD)/bench_floor: bench/bench_floor.c $(FLOOR_OBJECTS)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -iquote src/run -o $@ $< $(FLOOR_OBJECTS) $(ALL_LDFLAGS) \
		$(shell $(PKG_CONFIG) --libs libseccomp) -lm

# Programs that tests and benchmarks compile themselves: here it is only seen that they can.
LOOSE_PROGRAMS := $(wildcard tests/mount/*.c tests/run/programs/*.c tests/gvisor/*.c tests/accuracy/*.c \
	bench/bench_*.c)
LOOSE_OBJECTS := $(LOOSE_PROGRAMS:%.c=$(BUILD)/loose/%.o)
$(BUILD)/loose/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -iquote src/run -c -o $@ $<

$(BUILD)/fuzz/obj/%.o: src/%.c
	@mkdir -p $(@D)
	@$(FUZZ_CC) -fsanitize=fuzzer-no-link -c -o $@ $<

$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJECTS)
	@echo "  FUZZ    $<"
	@$(FUZZ_CC) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJECTS) -pthread

# The plugin's parser, with its own headers and its library.
$(BUILD)/fuzz/fuzz_cni: tests/fuzz/fuzz_cni.c $(FUZZ_CNI_OBJECTS) $(FUZZ_OBJECTS)
	@echo "  FUZZ    $<"
	@$(FUZZ_CC) -iquote src/cni -fsanitize=fuzzer -o $@ $< $(FUZZ_CNI_OBJECTS) $(FUZZ_OBJECTS) -pthread \
		$(shell $(PKG_CONFIG) --libs jansson)

# --- for users ---

.PHONY: run
run: deps-build+run all
	@exec scripts/run.sh $(BUILD)/fuse_cgroupfs $(MOUNT)

# The picture in the README: needs root, FUSE and two minutes.
.PHONY: picture
picture: deps-build+picture all client-programs
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		$(PYTHON) scripts/picture.py $(BUILD)/clients/cadvisor docs/picture.png

# Debian's zsh has them elsewhere.
ZSH_COMPLETIONS ?= zsh/site-functions
# SOURCE:PLACE below PREFIX of what is installed beside the programs.
MAN := $(BUILD)/man/fuse_cgroupfs.8 $(BUILD)/man/fuse_cgroup_run.1 $(BUILD)/man/fuse_cgroup_cni.8
DATA := $(foreach page,$(MAN),$(page):man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	completions/bash:bash-completion/completions/fuse_cgroupfs \
	completions/bash:bash-completion/completions/fuse_cgroup_run \
	completions/zsh:$(ZSH_COMPLETIONS)/_fuse_cgroupfs \
	completions/fuse_cgroupfs.fish:fish/vendor_completions.d/fuse_cgroupfs.fish \
	completions/fuse_cgroup_run.fish:fish/vendor_completions.d/fuse_cgroup_run.fish

# Of the version that is built.
$(BUILD)/man/%: man/% $(BUILD)/include/version.h
	@mkdir -p $(@D)
	@sed '/^\.TH/s/"fuse_cgroupfs [^"]*"/"fuse_cgroupfs $(VERSION)"/' $< >$@

.PHONY: install
install: all $(MAN)
	$(INSTALL) -D -m 755 $(BUILD)/fuse_cgroupfs $(DESTDIR)$(PREFIX)/bin/fuse_cgroupfs
	$(INSTALL) -D -m 755 $(BUILD)/fuse_cgroup_run $(DESTDIR)$(PREFIX)/bin/fuse_cgroup_run
	$(INSTALL) -D -m 755 $(BUILD)/fuse_cgroup_cni $(DESTDIR)$(PREFIX)/lib/cni/fuse_cgroup_cni
	for file in $(DATA); do \
		$(INSTALL) -D -m 644 "$${file%%:*}" "$(DESTDIR)$(PREFIX)/share/$${file#*:}" || exit 1; done

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/fuse_cgroupfs $(DESTDIR)$(PREFIX)/bin/fuse_cgroup_run \
		$(DESTDIR)$(PREFIX)/lib/cni/fuse_cgroup_cni
	for file in $(DATA); do rm -f "$(DESTDIR)$(PREFIX)/share/$${file#*:}"; done

.PHONY: clean
clean:
	rm -rf build

# The Debian package, in build/deb.
.PHONY: deb
deb: deps-build+deb
	@scripts/deb.sh $(BUILD)/deb

# --- tests ---

# Of a part of it all may be skipped, as in a plain chroot: the others have been tested.
.PHONY: test
test: export TESTED_ELSEWHERE := 1
test: test-unit test-build test-mount test-run test-cni test-v2-oracle

.PHONY: test-unit
test-unit: deps-build+test
	@$(MAKE) --no-print-directory $(UNIT_TESTS)
	@for test in $(UNIT_TESTS); do ./$$test || exit 1; done

# What the build makes of the programs, and says where it cannot build.
.PHONY: test-build
test-build: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		FUSE_CGROUP_CNI=$(abspath $(BUILD)/fuse_cgroup_cni) $(PYTHON) -m pytest -q -rs tests/build

# Through a mount: behaviour, the kernel as oracle, the truth of the root's figures.
.PHONY: test-mount
test-mount: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) $(PYTHON) -m pytest -q -rs tests/mount tests/oracle

# Commands under the launcher, with the machine's cgroups taken away and with them there.
.PHONY: test-run
test-run: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		$(PYTHON) -m pytest -q -rs tests/run

# The network plugin, on nodes and containers that are network namespaces.
.PHONY: test-cni
test-cni: deps-build+test all
	FUSE_CGROUP_CNI=$(abspath $(BUILD)/fuse_cgroup_cni) $(PYTHON) -m pytest -q -rs tests/cni

# The same where calls are caught by ptrace, as in gVisor: what tells one way from the other; or all of it.
TRACED := $(addprefix tests/run/,test_filesystem_type.py test_peer.py test_programs.py)
.PHONY: test-trace test-trace-long
test-trace-long: TRACED := tests/run
test-trace test-trace-long: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		FUSE_CGROUP_RUN_BACKEND=trace $(PYTHON) -m pytest -q -rs $(TRACED)

# The recorded answers of a kernel's cgroup v2.
.PHONY: test-v2-oracle
test-v2-oracle: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		$(PYTHON) -m pytest -q -rs tests/v2_oracle

# Boots that kernel and records them anew, beside those that are kept; says what is not the same.
.PHONY: record-v2
record-v2:
	tests/v2_oracle/boot/setup.sh $(BUILD)/v2-oracle
	tests/v2_oracle/boot/record.sh $(BUILD)/v2-oracle $(BUILD)/v2-oracle/answers
	$(PYTHON) tests/v2_oracle/recorder/compare.py \
		tests/v2_oracle/recorded/6.18.15 $(BUILD)/v2-oracle/answers

# Our tree where that kernel is, with all devices that it had: every scenario.
.PHONY: test-v2-oracle-long
test-v2-oracle-long: deps-build+test all
	tests/v2_oracle/boot/setup.sh $(BUILD)/v2-oracle
	tests/v2_oracle/boot/record.sh $(BUILD)/v2-oracle $(BUILD)/v2-oracle/ours $(BUILD)
	V2_ANSWERS=$(abspath $(BUILD)/v2-oracle/ours) $(PYTHON) -m pytest -q -rs tests/v2_oracle

# What an ordinary user can do, done as one (root becomes nobody); tests/root_only names the rest.
.PHONY: test-user
test-user: deps-build+test all
	@$(MAKE) --no-print-directory $(UNIT_TESTS)
	@for test in $(UNIT_TESTS); do tests/user.sh ./$$test || exit 1; done
	for tests in tests/mount tests/run; do \
		FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) \
			FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
			tests/user.sh $(PYTHON) -m pytest -q -rs -p no:cacheprovider $$tests || exit 1; \
	done

# The README's two commands where nothing is installed; FRESH_SUITES="bookworm trixie" FRESH_KINDS="machine
# chroot".
FRESH_SUITES ?= bookworm trixie
FRESH_KINDS ?= machine chroot
.PHONY: test-fresh
test-fresh: deps-fresh
	for suite in $(FRESH_SUITES); do tests/fresh/run.sh $$suite $(FRESH_KINDS) || exit 1; done

# At each end of a process the thread sanitizer would sleep for a second, lest a race be missed there.
.PHONY: test-sanitizers
test-sanitizers:
	$(MAKE) test SANITIZE=address,undefined BUILD=build/address CFLAGS='-O1 -g'
	TSAN_OPTIONS=atexit_sleep_ms=20 $(MAKE) test SANITIZE=thread BUILD=build/thread CFLAGS='-O1 -g'

# Both compilers, every warning an error.
.PHONY: test-clang
test-clang: deps-build+clang
	$(MAKE) --no-print-directory all CC=clang BUILD=build/clang WERROR=1

# The static programs in a root with busybox and nothing else.
.PHONY: test-static
test-static: deps-build+test+static static
	tests/static/root.sh $(BUILD)/static

# The package: built twice alike, as lintian wants it, and installed, used and purged in a fresh root.
.PHONY: test-deb
test-deb: deps-build+fresh+lintian+deb deb
	tests/deb/run.sh $(BUILD)/deb

# Cross-built for arm64, with the unit tests under qemu-user; in a root of its own.
.PHONY: test-arm64
test-arm64: deps-fresh
	tests/arm64/run.sh

# Unmodified clients: Go libraries on the mount, programs of containers below the launcher.
.PHONY: test-clients
test-clients: deps-build+clients all client-programs
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) \
		FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) tests/clients/run.sh
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		FUSE_CGROUP_CNI=$(abspath $(BUILD)/fuse_cgroup_cni) $(PYTHON) -m pytest -q -rs tests/clients

# Clients that come from Python's, Rust's and Go's registries, and systemd-oomd, on cgroup v2.
.PHONY: test-clients-long
test-clients-long: deps-build+clients+clients-long all
	$(PYTHON) -m venv $(BUILD)/clients-long/venv
	$(BUILD)/clients-long/venv/bin/pip install -q benchexec==3.35
	cp -r tests/clients/cgroups-rs $(BUILD)/clients-long/
	cargo build --manifest-path $(BUILD)/clients-long/cgroups-rs/Cargo.toml \
		--target-dir $(BUILD)/clients-long/cgroups-rs
	cd tests/clients/cadvisor-long && CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false" \
		../with-go.sh go build -o $(abspath $(BUILD)/clients-long/cadvisor) .
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) BENCHEXEC=$(abspath $(BUILD)/clients-long/venv) \
		CGROUPS_RS=$(abspath $(BUILD)/clients-long/cgroups-rs/debug/cgroups-rs-drive) \
		$(PYTHON) -m pytest -q -rs tests/clients/long_benchexec.py tests/clients/long_cgroups_rs.py \
		tests/clients/long_oomd.py
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		CADVISOR=$(abspath $(BUILD)/clients-long/cadvisor) \
		$(PYTHON) -m pytest -q -rs tests/clients/test_cadvisor.py -k "not validate" --tree v2

.PHONY: client-programs
client-programs:
	@tests/clients/build.sh $(abspath $(BUILD)/clients)

# The scripts of nodes; a kubelet with containerd and a pod, whose build takes its time once.
.PHONY: test-node-lite
test-node-lite: deps-build+node all
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		FUSE_CGROUP_CNI=$(abspath $(BUILD)/fuse_cgroup_cni) bats tests/scripts
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet)
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) KUBELET=$(abspath $(BUILD)/kubelet) \
		$(PYTHON) -m pytest -q -rs tests/node

# The same with a kubelet that takes cgroup v1 only when it is told to.
.PHONY: test-node-long
test-node-long: deps-build+node all
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet-long/kubelet) kubelet-long
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) KUBELET=$(abspath $(BUILD)/kubelet-long/kubelet) \
		$(PYTHON) -m pytest -q -rs tests/node -k "not older"

# Whole clusters of Kubernetes 1.30 and 1.35, each on cgroup v1 and v2; their build takes its time once.
# With a network of its own, whose settings nobody else changes.
.PHONY: test-cluster-long
test-cluster-long: deps-build+node all
	@tests/node/build-cluster.sh $(abspath $(BUILD)/clusters)
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) \
		FUSE_CGROUP_CNI=$(abspath $(BUILD)/fuse_cgroup_cni) CLUSTERS=$(abspath $(BUILD)/clusters) \
		unshare --mount --net --propagation private sh -c 'ip link set lo up && exec "$$@"' sh \
		$(PYTHON) -m pytest -q -rs tests/node/long_cluster.py

# What a node does when parts of it are killed and when its disk is full: in a mount and a network
# namespace of its own.
.PHONY: test-node-faults-long
test-node-faults-long: deps-build+node all
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet)
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) KUBELET=$(abspath $(BUILD)/kubelet) \
		FUSE_CGROUP_CNI=$(abspath $(BUILD)/fuse_cgroup_cni) \
		unshare --mount --net --propagation private sh -c 'ip link set lo up && exec "$$@"' sh \
		$(PYTHON) -m pytest -q -rs tests/node/long_faults.py

# A node on which pods come and go for an hour, on cgroup v1 and v2: whether anything restarts or grows.
SOAK_NODE_MINUTES ?= 60
.PHONY: soak-node
soak-node: deps-build+node all
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet)
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) KUBELET=$(abspath $(BUILD)/kubelet) \
		$(PYTHON) tests/node/soak.py $(SOAK_NODE_MINUTES) $(BUILD)/soak-node.svg

# The same in gVisor, on cgroup v1.
.PHONY: soak-node-gvisor
soak-node-gvisor: deps-build+node+gvisor all
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet)
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) GVISOR_INSIDE=inside_soak.sh \
		GVISOR_SECONDS=$$((60 * $(SOAK_NODE_MINUTES) + 1800)) \
		tests/gvisor/run.sh $(SOAK_NODE_MINUTES) >$(BUILD)/soak-node-gvisor.log 2>&1; status=$$?; \
		sed '/^<svg/,/^<\/svg/d' $(BUILD)/soak-node-gvisor.log; \
		sed -n '/^<svg/,/^<\/svg/p' $(BUILD)/soak-node-gvisor.log >$(BUILD)/soak-node-gvisor.svg; \
		exit $$status

.PHONY: test-gvisor
test-gvisor: deps-build+test+gvisor+static all static $(BUILD)/unit/test_run_identity \
		$(BUILD)/unit/test_run_privilege
	tests/static/gvisor.sh $(BUILD)/static
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) tests/gvisor/run.sh

# The launcher's tests in the sandbox, and storms of signals at programs there: what gVisor interrupts, and
# what of it they see.
STORM := $(BUILD)/gvisor/storm
.PHONY: test-gvisor-long test-gvisor-run test-gvisor-node
test-gvisor-run: deps-build+test+gvisor all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) GVISOR_SECONDS=3600 GVISOR_INSIDE=inside_run.sh \
		tests/gvisor/run.sh

# A node there, whose pods run for half an hour.
test-gvisor-node: deps-build+test+node+gvisor all
	@tests/node/build-kubelet.sh $(abspath $(BUILD)/kubelet)
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) GVISOR_SECONDS=5400 GVISOR_INSIDE=inside_node.sh \
		tests/gvisor/run.sh

test-gvisor-long: deps-build+test+node+gvisor test-gvisor-run test-gvisor-node
	@mkdir -p $(dir $(STORM))
	$(CC) $(ALL_CFLAGS) -pthread -o $(STORM) tests/gvisor/storm.c
	CGO_ENABLED=0 go build -o $(STORM)_go tests/gvisor/storm.go
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) GVISOR_INSIDE=inside_long.sh \
		tests/gvisor/run.sh $(abspath $(STORM)) $(abspath $(STORM)_go)

# The same processes in the kernel's cgroups and in ours; needs root and cgroup v1.
.PHONY: test-accuracy
test-accuracy: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) $(PYTHON) tests/accuracy/run.py

# The same with less to run: two minutes on a busy machine.
.PHONY: test-accuracy-quick
test-accuracy-quick: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) $(PYTHON) tests/accuracy/run.py --quick

# What accounting costs, beside the kernel's; needs root and cgroup v1.
.PHONY: bench-accounting
bench-accounting: deps-build all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) $(PYTHON) tests/accuracy/cost.py

# The daemon killed at random moments, with a state directory.
.PHONY: test-state
test-state: deps-build+test all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) $(PYTHON) tests/state/nothing_lost.py
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) STATE_KILLS=50 \
		$(PYTHON) -m pytest -q -rs tests/mount/test_v2_state.py

# Daemons by events and by scan, in which pods come and go for a long time: whether they grow.
ENDURANCE_SECONDS ?= 2700
.PHONY: test-endurance-long
test-endurance-long: deps-build+test all
	$(PYTHON) tests/endurance.py $(abspath $(BUILD)/fuse_cgroupfs) $(ENDURANCE_SECONDS)

# What fails now and then: the tests on an idle machine, on one processor, in init's session, and beside three
# kinds of load.
.PHONY: soak
soak: deps-build+test all
	@$(MAKE) --no-print-directory $(UNIT_TESTS)
	@tests/soak.sh $(SOAK_ROUNDS) $(BUILD)/soak $(UNIT_TESTS)

.PHONY: fuzz
fuzz: deps-build+clang
	@$(MAKE) --no-print-directory $(FUZZERS)
	@for fuzzer in $(FUZZERS); do scripts/fuzz.sh $$fuzzer $(FUZZ_SECONDS) $(FUZZ_SEED) || exit 1; done

.PHONY: bench
bench: deps-build+bench all
	@$(MAKE) --no-print-directory $(BUILD)/bench_floor
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) $(PYTHON) bench/run.py
	FUSE_CGROUP_RUN=$(abspath $(BUILD)/fuse_cgroup_run) BENCH_FLOOR=$(abspath $(BUILD)/bench_floor) \
		$(PYTHON) bench/launcher.py

# In a sandbox: beside gVisor's own cgroups and libfuse's hello example.
.PHONY: bench-gvisor
bench-gvisor: deps-build+bench+gvisor all
	FUSE_CGROUPFS=$(abspath $(BUILD)/fuse_cgroupfs) GVISOR_INSIDE=../../bench/gvisor.py \
		tests/gvisor/run.sh

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(FUZZ_OBJECTS:.o=.d) $(FUZZ_CNI_OBJECTS:.o=.d) $(FUZZERS:=.d) \
	$(LOOSE_OBJECTS:.o=.d) $(BUILD)/bench_floor.d
