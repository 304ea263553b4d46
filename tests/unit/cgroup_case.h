/* SPDX-License-Identifier: Apache-2.0
 *
 * A cgroup v2 to make others in, where this machine lets the test have one.
 */
#ifndef TESTS_UNIT_CGROUP_CASE_H
#define TESTS_UNIT_CGROUP_CASE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char cgroup_path[128]; /* "": there is none, and nothing can be tested */

static inline void cgroup_make(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

	cgroup_path[0] = '\0';
	for (size_t i = 0; i < 2 && !*cgroup_path; i++) {
		char file[160];

		(void)snprintf(file, sizeof(file), "%s/cgroup.controllers", roots[i]);
		(void)snprintf(cgroup_path, sizeof(cgroup_path), "%s/agent-unit-%d", roots[i],
			(int)getpid());
		if (access(file, R_OK) < 0 || mkdir(cgroup_path, 0755) < 0)
			cgroup_path[0] = '\0';
	}
}

static inline void cgroup_drop(void)
{
	if (*cgroup_path)
		(void)rmdir(cgroup_path);
}

#endif
