/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules as tests write them.
 */
#ifndef TESTS_UNIT_RULE_CASE_H
#define TESTS_UNIT_RULE_CASE_H

#include <check.h>

#include "notify/rule.h"

#define TEXTS(...)                                                                                 \
	{                                                                                          \
		(const char *const[]){__VA_ARGS__},                                                \
			sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)                \
	}

/* A rule of the user: what is not given is not set, what is given comes last and counts. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define OWN(...)                                                                                   \
	{                                                                                          \
		.window_ms = -1, .for_ms = -1, .clear_for_ms = -1, .repeat_ms = -1, .enabled = -1, \
		.recovery = -1, .origin = "/etc/agent/agent.conf:12", __VA_ARGS__                  \
	}

static inline struct rule_set *set_with(const struct rule_settings *own, size_t n)
{
	struct rule_set *set = NULL;
	struct err e = {""};

	ck_assert_msg(rule_set_new(own, n, &set, &e) == 0, "%s", e.msg);
	return set;
}

#endif
