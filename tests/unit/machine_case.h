/* SPDX-License-Identifier: Apache-2.0
 *
 * A deploy that goes its way: hooks that do as a script says, and the trace of what was run.
 */
#ifndef TESTS_UNIT_MACHINE_CASE_H
#define TESTS_UNIT_MACHINE_CASE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "deploy-hooks/machine.h"

enum { WATCH_MS = 30000, DRAIN_MS = 20000, STEP_MS = 1000, STEPS_MAX = 200 };

static struct deploy *d;
static int64_t now_ms;
static struct buf trace = BUF_INIT(8192);

static void setup(void)
{
	d = deploy_new("shop");
	d->watch_ms = WATCH_MS;
	d->drain_ms = DRAIN_MS;
	str_copy(d->ref, sizeof(d->ref), "refs/heads/main");
	str_copy(d->old.container, sizeof(d->old.container), "shop-41");
	now_ms = 1700000000000;
}

static void teardown(void)
{
	deploy_free(d);
	buf_done(&trace);
}

struct outcome {
	const char *word;
	enum machine_event event;
};
static const struct outcome outcomes[] = {
	{"again", MACHINE_STEP_AGAIN},
	{"skip", MACHINE_STEP_SKIP},
	{"fail", MACHINE_STEP_FAILED},
	{"unhealthy", MACHINE_UNHEALTHY},
	{"cancel", MACHINE_CANCEL},
};

/* What comes of the step: what the script says of it ("probe=fail -route=again"; a word is used up), or all goes well. */
static enum machine_event comes_of(const struct machine_step *s, char *script)
{
	char key[64];
	char *at;

	snprintf(key, sizeof(key), " %s%s=", s->verb && strcmp(s->verb, "revert") == 0 ? "-" : "",
		d->stage);
	at = strstr(script, key);
	for (size_t i = 0; at && i < ARRAY_LEN(outcomes); i++)
		if (str_starts(at + strlen(key), outcomes[i].word)) {
			*at = '_';
			return outcomes[i].event;
		}
	if (s->stage)
		return MACHINE_STEP_DONE;
	return s->state == DEPLOY_WATCHING ? MACHINE_WATCH_OVER : MACHINE_DRAIN_OVER;
}

static void note(const struct machine_step *s)
{
	ck_assert_int_eq(s->state, d->state);
	if (s->stage)
		ck_assert_str_eq(s->stage, d->stage);
	buf_addf(&trace, "%s%s%s", trace.len ? " " : "",
		s->verb && strcmp(s->verb, "revert") == 0 ? "-" : "",
		*d->stage ? d->stage : deploy_state_name(d->state));
}

/* From a step on until nothing is left to do; all hooks that were run, in order, a "-" before those that undo. */
static const char *goes_on(struct machine_step s, const char *script)
{
	_cleanup_(free_p) char *words = str_format(" %s ", script);

	note(&s);
	for (int i = 0; i < STEPS_MAX; i++) {
		struct machine_step next;
		enum machine_event ev;

		if (!*d->stage)
			return buf_str(&trace);
		now_ms += s.wait_ms;
		if (s.stage)
			now_ms += STEP_MS;
		ev = comes_of(&s, words);
		next = machine_next(
			d, ev, ev == MACHINE_STEP_FAILED ? "exit status 1" : NULL, now_ms);
		if (next.ignored)
			continue;
		s = next;
		note(&s);
	}
	ck_abort_msg("it never ends: %s", buf_str(&trace));
	return NULL;
}

static const char *runs(const char *script)
{
	return goes_on(machine_next(d, MACHINE_BEGIN, NULL, now_ms), script);
}

#define BUILDS "fetch filter pre-build build push release pre-start "
#define STARTS "start probe pre-route route watch "
#define ENDS "drain stop retire "

#endif
