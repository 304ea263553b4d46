/* SPDX-License-Identifier: Apache-2.0
 *
 * How many descriptors this process has open: equal before and after means that nothing leaked.
 */
#ifndef TESTS_UNIT_DESCRIPTORS_H
#define TESTS_UNIT_DESCRIPTORS_H

#include <check.h>
#include <dirent.h>

static inline int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

#endif
