/* SPDX-License-Identifier: Apache-2.0
 *
 * Scope cleanup: a variable marked with _cleanup_(fn_p) is released when its scope ends, whichever
 * way that happens. Declare at first use, always initialised. Hand the value over with TAKE_PTR()
 * or take_fd(), which leave an empty value behind.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((__cleanup__(fn)))

/* Defines fn_p(type *), which calls fn(*p) when *p is not NULL. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline void fn##_p(type *p)                                                         \
	{                                                                                          \
		if (*p)                                                                            \
			fn(*p);                                                                    \
	}                                                                                          \
	struct cleanup_semicolon_

#define TAKE_PTR(p)                                                                                \
	__extension__({                                                                            \
		__typeof__(p) *take_pp_ = &(p);                                                    \
		__typeof__(p) take_v_ = *take_pp_;                                                 \
		*take_pp_ = NULL;                                                                  \
		take_v_;                                                                           \
	})

static inline int take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

static inline void free_p(void *p)
{
	free(*(void **)p);
}

static inline void close_p(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose);
DEFINE_CLEANUP(DIR *, closedir);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
