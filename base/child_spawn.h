/* SPDX-License-Identifier: Apache-2.0
 *
 * How a child comes to be: its descriptors, signals, group, cgroup. Internal to child.c.
 */
#ifndef BASE_CHILD_SPAWN_H
#define BASE_CHILD_SPAWN_H

#include <sys/types.h>

#include "base/child.h"

enum { CHILD_PASSED_FD = 3 };

/* What the child is to have, above all numbers it gives a meaning to; -1: not this one. */
struct child_files {
	int in, out, pass;
};

/* 0 or a positive errno value, also that of the program that cannot be run. */
int child_spawn(const struct child_options *o, const struct child_files *f, pid_t *pid);

#endif
