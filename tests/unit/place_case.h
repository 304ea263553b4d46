/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking after processes that a test started: the script wrote its number into a file of the scratch folder.
 */
#ifndef TESTS_UNIT_PLACE_CASE_H
#define TESTS_UNIT_PLACE_CASE_H

#include <poll.h>
#include <sys/types.h>

#include "base/clock.h"
#include "lives.h"
#include "scratch.h"

static inline pid_t pid_in(const char *name)
{
	char text[32];
	int64_t until = clock_mono_ms() + 10000;

	for (;;) {
		if (scratch_has(name)) {
			size_t n = scratch_read(name, text, sizeof(text) - 1);

			text[n] = '\0';
			if (n && text[n - 1] == '\n')
				return (pid_t)strtol(text, NULL, 10);
		}
		ck_assert_int_lt(clock_mono_ms(), until);
		(void)poll(NULL, 0, 5);
	}
}

static inline void until_gone(pid_t pid)
{
	int64_t until = clock_mono_ms() + 10000;

	while (lives(pid)) {
		ck_assert_msg(clock_mono_ms() < until, "process %d is still there", pid);
		(void)poll(NULL, 0, 5);
	}
}

#endif
