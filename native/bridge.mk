# The C bridge and its tests: included by the top Makefile.
.PHONY: native-test

NATIVE_CC      ?= gcc
NATIVE_CFLAGS  := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror
NATIVE_SANITIZE:= -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
NATIVE_HEADERS := $(wildcard native/*.h)
NATIVE_TESTS   := $(patsubst native/%.c,%,$(wildcard native/test_*.c))
NATIVE_SOURCES := $(filter-out native/test_%.c,$(wildcard native/*.c))
# everything but main(), which the tests bring themselves
NATIVE_LIBRARY := $(filter-out native/bridge.c,$(NATIVE_SOURCES))

dist/native/oomscope-bridge: $(NATIVE_SOURCES) $(NATIVE_HEADERS) native/bridge.mk
	@mkdir -p $(@D)
	@$(NATIVE_CC) $(NATIVE_CFLAGS) $(NATIVE_SOURCES) -o $@

# Compiled once for all tests, and kept for the next time.
.PRECIOUS: build/native/%.o
build/native/%.o: native/%.c $(NATIVE_HEADERS) native/bridge.mk
	@mkdir -p $(@D)
	@$(NATIVE_CC) $(NATIVE_CFLAGS) $(NATIVE_SANITIZE) -c $< -o $@

build/native/test_%: build/native/test_%.o $(NATIVE_LIBRARY:native/%.c=build/native/%.o)
	@$(NATIVE_CC) $(NATIVE_SANITIZE) $^ -o $@

## native-test: the C tests under AddressSanitizer and UBSan
native-test: $(addprefix build/native/,$(NATIVE_TESTS))
	@for test in $^; do $$test || exit 1; done
