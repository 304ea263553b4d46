/* SPDX-License-Identifier: Apache-2.0
 *
 * A call of an engine on this host, for tests of what it makes of the job's options.
 */
#ifndef TESTS_UNIT_ENGINE_CASE_H
#define TESTS_UNIT_ENGINE_CASE_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "backup/engine.h"

static struct err e;
static struct job job;
static struct engine_call call;

static inline void call_new(const char *engine)
{
	memset(&job, 0, sizeof(job));
	memset(&call, 0, sizeof(call));
	job.engine = engine;
	call.job = &job;
	ck_assert_int_eq(place_host(&call.place, &e), 0);
}

static inline void call_done(void)
{
	place_free(call.place);
}

/* With a space between; valid until the next call. */
static inline const char *joined(const struct args *a)
{
	static char text[2048];

	text[0] = '\0';
	for (size_t i = 0; i < a->n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			i ? " " : "", a->v[i]);
	return text;
}

#endif
