/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the configuration share: a table with named blocks, and one configuration at a
 * time.
 */
#ifndef TESTS_UNIT_CONFIG_CASE_H
#define TESTS_UNIT_CONFIG_CASE_H

#include <check.h>
#include <errno.h>
#include <string.h>

#include "agent/config.h"
#include "base/str.h"
#include "tests/unit/scratch.h"

static const struct option block_rows[] = {
	{"plain", OPTION_STRING, 0, "p", 0, 0, NULL, NULL, "P."},
	{"stores.*.bucket", OPTION_STRING, OPTION_REQUIRED, NULL, 0, 0, NULL, NULL, "B."},
	{"stores.*.hook.url", OPTION_STRING, OPTION_REQUIRED, NULL, 0, 0, NULL, NULL, "U."},
	{"stores.*.key_file", OPTION_SECRET_FILE, 0, NULL, 0, 0, NULL, NULL, "K."},
	{"stores.*.labels.*", OPTION_STRING, 0, NULL, 0, 0, NULL, NULL, "L."},
	{"stores.*.part", OPTION_SIZE, 0, "8M", 1, 1 << 30, NULL, NULL, "S."},
};
static const struct options blocks = {block_rows, 6};

static struct mistakes mistakes;
static struct config *config;

static inline void setup(void)
{
	scratch_make();
}

static inline void teardown(void)
{
	config_free(config);
	config = NULL;
	mistakes_done(&mistakes);
	scratch_remove();
}

static inline int load_table(const struct options *t, const char *text)
{
	config_free(config);
	config = NULL;
	mistakes_done(&mistakes);
	return config_from_memory(t, "a.conf", text, strlen(text), &config, &mistakes);
}

static inline void good(const char *text)
{
	int r = load_table(&options_all, text);

	ck_assert_msg(r == 0, "%s", mistakes.n ? mistakes.list[0] : "?");
}

/* Just this one mistake. */
static inline void bad(const char *text, const char *expected)
{
	ck_assert_int_eq(load_table(&options_all, text), -EINVAL);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(mistakes.list[0], expected);
	ck_assert_uint_eq(mistakes_count(&mistakes), 1);
}

static inline void write_file(const char *name, const char *text)
{
	scratch_write(name, text, strlen(text));
}

static inline int load_path(const char *path)
{
	config_free(config);
	config = NULL;
	mistakes_done(&mistakes);
	return config_load(path, NULL, 0, &config, &mistakes);
}

#endif
