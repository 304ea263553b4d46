/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "backup/job.h"
#include "base/str.h"

static void push(struct args *a, char *owned)
{
	char **v = reallocarray(a->v, a->n + 2, sizeof(*v));

	if (!v)
		abort();
	v[a->n] = owned;
	v[a->n + 1] = NULL;
	a->v = v;
	a->n++;
}

void args_add(struct args *a, const char *text)
{
	push(a, str_dup(text));
}

void args_addf(struct args *a, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	push(a, text);
}

void args_add_all(struct args *a, const char *const *texts)
{
	for (; *texts; texts++)
		args_add(a, *texts);
}

void args_add_list(struct args *a, const struct job_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		args_add(a, l->items[i]);
}

const char *const *args_list(const struct args *a)
{
	static const char *const none[] = {NULL};

	return a->v ? (const char *const *)a->v : none;
}

void args_done(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	a->v = NULL;
	a->n = 0;
}

void args_random_hex(char to[7])
{
	unsigned char b[3] = {0};

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	(void)snprintf(to, 7, "%02x%02x%02x", b[0], b[1], b[2]);
}
