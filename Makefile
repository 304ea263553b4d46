# SPDX-License-Identifier: Apache-2.0
# `make` builds build/agent. `make help` lists the other targets.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CFLAGS  ?= -O2 -g
VERSION := 0.1.0

PKGS := libmicrohttpd libcurl librrd jansson libconfig sqlite3 libcrypto libarchive libxml-2.0 yajl
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wvla
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
# What the sanitizers and -Werror runs add.
EXTRA ?=

# Loaded when a store needs it, so only its header is looked for; without it such a store says what to install.
ifneq ($(wildcard $(or $(LIBS3_HEADER),/usr/include/libs3.h)),)
OPTIONAL += -DHAVE_LIBS3
endif

DYGRAPHS ?= /usr/share/javascript/dygraphs

ALL_CPPFLAGS := -D_GNU_SOURCE -DAGENT_VERSION='"$(VERSION)"' -I. $(OPTIONAL) $(shell pkg-config --cflags $(PKGS)) $(CPPFLAGS)
ALL_CFLAGS   := -std=c11 $(WARN) $(HARDEN) $(CFLAGS) $(EXTRA)
ALL_LDFLAGS  := -pie -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS) $(EXTRA)
LIBS         := $(shell pkg-config --libs $(PKGS)) -lm

MODULES := base collectors notify backup deploy-hooks agent agent/web
SRCS    := $(filter-out agent/main.c,$(wildcard $(MODULES:%=%/*.c)))
OBJS    := $(SRCS:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/agent/web/assets_data.o
MAIN    := $(BUILD)/obj/agent/main.o

UNIT   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
FUZZ   := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY := $(FUZZ:%=%.replay)
CHECK_LIBS = $(shell pkg-config --libs check)

.PHONY: all everything unit-programs help test check unit replay system browser asan valgrind bench bench-backup bench-deploy bench-swaps bench-webhooks fuzz fuzzers lint format docs install clean vmtest

all: $(BUILD)/agent ## build build/agent

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

$(BUILD)/agent: $(MAIN) $(BUILD)/libagent.a
	$(CC) $(ALL_LDFLAGS) -o $@ $(MAIN) $(BUILD)/libagent.a $(LIBS)

$(BUILD)/libagent.a: $(OBJS)
	@rm -f $@
	$(AR) qcs $@ $(OBJS)

# Changes only when the compiler or the flags do, so that objects are never mixed.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' >$@
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The dashboard's files, inside the binary.
$(BUILD)/obj/agent/web/assets_data.S: agent/web/embed.sh $(wildcard agent/web/dashboard/*) $(wildcard $(DYGRAPHS)/dygraph.min.*)
	@mkdir -p $(@D)
	sh agent/web/embed.sh $(DYGRAPHS) $(@D) >$@.new
	@mv $@.new $@

$(BUILD)/obj/agent/web/assets_data.o: $(BUILD)/obj/agent/web/assets_data.S
	$(CC) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Wno-overlength-strings -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libagent.a $(CHECK_LIBS) $(LIBS)

unit-programs: $(UNIT) $(REPLAY)

unit: $(UNIT) ## the unit tests (Check)
	sh tests/unit/run.sh $(UNIT)

$(BUILD)/fuzz/%.replay: tests/fuzz/%.c tests/fuzz/replay.c $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -o $@ $< tests/fuzz/replay.c $(ALL_LDFLAGS) $(BUILD)/libagent.a $(LIBS)

replay: $(REPLAY) ## run every fuzz target over its corpus
	sh tests/fuzz/replay.sh $(REPLAY)

ASAN := BUILD=$(BUILD)/asan CFLAGS='-O1 -g -fno-omit-frame-pointer' HARDEN=-fPIE EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=all'
asan: ## the unit tests and fuzz corpora with AddressSanitizer and UBSan
	$(MAKE) $(ASAN) unit-programs
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) -j1 $(ASAN) unit replay

# Tests run in one process each; children that a test forks and ends in the middle are not searched for leaks.
# test_mail starts its own program by /proc/self/exe, which is Valgrind's then; the child of test_files_archive closes
# all descriptors, Valgrind's as well.
VALGRIND := valgrind -q --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite \
	--show-leak-kinds=definite --child-silent-after-fork=yes --suppressions=tests/valgrind.supp
valgrind: $(UNIT) ## the unit tests under Valgrind
	CK_FORK=no CK_TIMEOUT_MULTIPLIER=20 TEST_EFFORT=34 RUN='$(VALGRIND)' sh tests/unit/run.sh $(filter-out %/test_mail %/test_files_archive,$(UNIT))

FUZZ_SECONDS ?= 20
FUZZ_FLAGS   := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz: ## each fuzz target for FUZZ_SECONDS=20 with libFuzzer (clang)
	$(MAKE) CC=clang BUILD=$(BUILD)/fuzz-clang CFLAGS='-O1 -g -fno-omit-frame-pointer' HARDEN=-fPIE \
		EXTRA='$(FUZZ_FLAGS)' fuzzers
	sh tests/fuzz/fuzz.sh $(FUZZ_SECONDS) $(FUZZ:$(BUILD)/%=$(BUILD)/fuzz-clang/%)

fuzzers: $(FUZZ)
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $(ALL_LDFLAGS) $(BUILD)/libagent.a $(LIBS)

everything: $(BUILD)/agent $(BUILD)/tests/store_driver $(BUILD)/metrics_page $(BUILD)/rules_page $(BUILD)/tests/rules $(BUILD)/tests/null_s3 $(UNIT) $(REPLAY)

# Most of their time is waiting, so several run at once, but for those that measure time.
PYTEST := /usr/bin/python3 -m pytest -q -rfEs
system: $(BUILD)/agent $(BUILD)/tests/store_driver ## the system tests (pytest): the agent, Docker, Prometheus, databases, S3
	$(PYTEST) --durations=15 -n 4 --dist loadfile -m 'not alone' tests/system
	$(PYTEST) -m alone tests/system

browser: $(BUILD)/agent ## the dashboard in headless Chromium
	$(PYTEST) --durations=5 -n 2 --dist loadfile tests/browser

test: ## unit, replay, system and browser tests
	@BUILD=$(BUILD) sh tests/run.sh unit replay system browser

check: ## the same, lint and sanitizers: all that ./bootstrap test runs; ALSO="valgrind" adds parts
	@BUILD=$(BUILD) sh tests/run.sh lint unit replay asan system browser $(ALSO)

lint: ## builds with -Werror, format, structure, scripts, manual pages
	@BUILD=$(BUILD) sh tests/lint/run.sh

format: ## clang-format all C files in place
	git ls-files -z -- '*.c' '*.h' | xargs -0 clang-format -i

$(BUILD)/tests/cgroups: tests/bench/cgroups.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

$(BUILD)/tests/store_driver: tests/harness/store_driver.c $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libagent.a $(LIBS)

$(BUILD)/tests/rules: tests/bench/rules.c $(BUILD)/libagent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libagent.a $(LIBS)

# A server of S3 that only counts.
$(BUILD)/tests/null_s3: tests/bench/null_s3.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBS)

BENCH ?=
bench: $(BUILD)/agent $(BUILD)/tests/cgroups $(BUILD)/tests/rules ## what the agent costs; BENCH="--levels 50 --soak 3600"
	$(BUILD)/tests/rules
	/usr/bin/python3 tests/bench/bench.py $(BENCH)

bench-backup: $(BUILD)/agent $(BUILD)/tests/null_s3 ## what a backup costs, beside other pipelines; BENCH="--scale 70 --only dump,restore"
	/usr/bin/python3 tests/bench/backup.py $(BENCH)

bench-deploy: $(BUILD)/agent ## the timeline of a deploy, per stage; BENCH="--deploys 10"
	/usr/bin/python3 tests/bench/deploy.py $(BENCH)

bench-webhooks: $(BUILD)/agent ## how deliveries of webhooks are answered under a flood; BENCH="--n 1000 --seconds 10"
	/usr/bin/python3 tests/bench/webhooks.py $(BENCH)

bench-swaps: ## requests lost in 20 deploys through each router; BENCH="--only nginx --app abrupt --post --drain 11"
	/usr/bin/python3 tests/bench/swaps.py $(BENCH)

$(BUILD)/%_page: docs/%_page.c $(BUILD)/libagent.a
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libagent.a $(LIBS)

docs: $(BUILD)/metrics_page $(BUILD)/rules_page $(BUILD)/agent ## what is written from tables: docs/metrics.md, rules.md, sample, completion, agent.conf.5
	$(BUILD)/metrics_page >docs/metrics.md
	$(BUILD)/rules_page >docs/rules.md
	sh packaging/generate.sh $(BUILD)/agent packaging

vmtest: $(BUILD)/agent ## the agent in a real Debian guest, where such a lab exists (VM_LAB)
	BUILD=$(BUILD) bash tests/vm/run.sh

DEST = $(DESTDIR)$(PREFIX)
install: $(BUILD)/agent ## install below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/agent $(DEST)/bin/agent
	mkdir -p $(DEST)/lib/systemd/system
	sed 's|@BINDIR@|$(PREFIX)/bin|' packaging/agent.service >$(DEST)/lib/systemd/system/agent.service
	for page in $(wildcard packaging/man/*.[1-9]); do \
		install -D -m 644 $$page $(DEST)/share/man/man$${page##*.}/$${page##*/} || exit; done
	cd deploy-hooks/hooks && for hook in */*; do \
		if [ -x $$hook ]; then mode=755; else mode=644; fi; \
		install -D -m $$mode $$hook $(DEST)/lib/agent/hooks/$$hook || exit; done
	install -D -m 644 packaging/agent.bash-completion $(DEST)/share/bash-completion/completions/agent
	install -D -m 644 packaging/agent.conf.sample $(DEST)/share/doc/agent/agent.conf.sample

-include $(OBJS:.o=.d) $(MAIN:.o=.d) $(UNIT:=.d)

clean: ## remove what was built
	rm -rf $(BUILD)
