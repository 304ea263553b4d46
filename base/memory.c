/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"

enum { LARGE_BLOCK = 64 * 1024 };

void memory_setup(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK);
}

/* One mapping, as /proc/self/smaps tells it (proc(5)). */
struct mapping {
	uintptr_t start, end;
	char permissions[5];
	unsigned long inode;
	unsigned long anonymous_kb;
};

/* Only what is surely clean: read-only pages of a file, none of them changed by relocation. */
static void drop_clean(const struct mapping *m)
{
	if (!m->inode || m->anonymous_kb || m->permissions[1] == 'w' || m->permissions[3] != 'p')
		return;
	/* A refusal changes nothing: the pages just stay. */
	(void)madvise((void *)m->start, m->end - m->start, MADV_DONTNEED); /* NOLINT */
}

void memory_trim(void)
{
	_cleanup_(fclose_p) FILE *f = fopen("/proc/self/smaps", "re");
	struct mapping m = {0}, next;
	char line[512];

	(void)malloc_trim(0);
	while (f && fgets(line, sizeof(line), f)) {
		next = (struct mapping){0};
		if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &next.start, &next.end,
			    next.permissions, &next.inode) == 4)
			m = next;
		else if (sscanf(line, "Anonymous: %lu kB", &m.anonymous_kb) == 1)
			drop_clean(&m);
	}
}
