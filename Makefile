# fuse_cgroupfs: `make run` and `make test` do all the set-up they need.

VERSION := $(shell sed -n 's/.*FUSE_CGROUPFS_VERSION "\(.*\)"/\1/p' include/version.h)
CC ?= gcc
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
DESTDIR ?=
MOUNT ?= /tmp/fuse-cgroup
BUILD ?= build
SANITIZE ?=
WERROR ?= -Werror

PKGS := fuse3
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Wall -Wextra $(WERROR) -Iinclude -MMD -MP -pthread \
	$(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) $(CFLAGS)
ALL_LDFLAGS = -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null)

SOURCES := $(wildcard src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
# What tests link with: everything but the front end.
CORE_OBJECTS := $(filter-out $(BUILD)/obj/daemon/%,$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(BUILD)/fuse_cgroupfs

$(BUILD)/fuse_cgroupfs: $(OBJECTS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(CORE_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests/unit -o $@ $< $(CORE_OBJECTS) $(ALL_LDFLAGS) -lcmocka

.PHONY: unit
unit: $(UNIT_TESTS)
	@for test in $(UNIT_TESTS); do $$test || exit 1; done

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d)
