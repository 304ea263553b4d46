/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is wrong in a configuration, in the order found: lines of "file:line: what is wrong;
 * what was expected". At most MISTAKES_MAX are kept, the rest is counted.
 */
#ifndef AGENT_MISTAKES_H
#define AGENT_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

enum { MISTAKES_MAX = 100 };

struct mistakes {
	char **list;
	size_t n;
	size_t more; /* not kept */
};

void mistakes_done(struct mistakes *m); /* empty and ready for use afterwards */
/* `file` may be NULL; line 0: not of one line. */
void mistakes_add(struct mistakes *m, const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
size_t mistakes_count(const struct mistakes *m);
/* Whether one of those kept names that option, or one inside of that group: what follows from it
 * need not be told as well. */
bool mistakes_name(const struct mistakes *m, const char *name);

#endif
