/* SPDX-License-Identifier: Apache-2.0
 *
 * How thorough tests are that try many cases of the same: all of them, or the share that TEST_EFFORT says, in percent
 * (`make valgrind`, which makes everything twenty times slower, sets it).
 */
#ifndef TESTS_UNIT_EFFORT_H
#define TESTS_UNIT_EFFORT_H

#include <stdlib.h>

/* Of n cases, those to try: 1 at least. */
static inline int effort(int n)
{
	const char *percent = getenv("TEST_EFFORT");
	int few = percent ? n * atoi(percent) / 100 : n;

	return few > 0 ? few : 1;
}

#endif
