/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender_trouble.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "notify/sender_impl.h"

enum { REFUSED_SHOWN_MS = 3600 * 1000, WHY_SHOWN = 200 };

struct key {
	char text[sizeof(((struct problem *)0)->key)];
};

/* Its own prefix, not a suffix: a long name would cut that off. */
static struct key key_of(const char *prefix, const struct lane *l)
{
	struct key k;
	char text[sizeof(k.text) + CHANNEL_NAME_MAX];

	(void)snprintf(text, sizeof(text), "%s%.*s", prefix, CHANNEL_NAME_MAX - 1, l->name);
	(void)str_copy(k.text, sizeof(k.text), text);
	return k;
}

static struct key failing_key(const struct lane *l)
{
	return key_of("channel.", l);
}

static struct key refused_key(const struct lane *l)
{
	return key_of("channel.refused/", l);
}

void trouble_failing(struct lane *l)
{
	char why[WHY_SHOWN], lost[80] = "";
	const char *type = l->channel.type->name;

	(void)str_copy(why, sizeof(why), l->state.last_error);
	if (l->given_up)
		(void)snprintf(lost, sizeof(lost), " %" PRIu64 " %s given up.", l->given_up,
			l->given_up == 1 ? "message was" : "messages were");
	if (l->broken)
		problem_set(l->sender->o.problems, failing_key(l).text,
			"channel \"%s\" (%s) is set up wrongly: %s. Mend it, then: agent notify "
			"test "
			"%s.%s",
			l->name, type, why, l->name, lost);
	else
		problem_set(l->sender->o.problems, failing_key(l).text,
			"channel \"%s\" (%s) does not deliver: %s. It is tried again until it "
			"does.%s",
			l->name, type, why, lost);
}

void trouble_over(struct lane *l)
{
	problem_clear(l->sender->o.problems, failing_key(l).text);
}

void trouble_refused(struct lane *l, int64_t now_ms)
{
	char why[WHY_SHOWN];

	(void)str_copy(why, sizeof(why), l->state.last_error);
	/* The beginning of a problem is logged by itself. */
	if (l->refused_ms)
		log_warning("channel \"%s\": a message was refused: %s", l->name, why);
	problem_set(l->sender->o.problems, refused_key(l).text,
		"channel \"%s\" (%s): a message was refused for good: %s. See: agent notify log",
		l->name, l->channel.type->name, why);
	l->refused_ms = now_ms;
}

void trouble_forget(struct lane *l, int64_t now_ms)
{
	if (!l->refused_ms ||
		(now_ms >= l->refused_ms && now_ms < l->refused_ms + REFUSED_SHOWN_MS))
		return;
	l->refused_ms = 0;
	problem_clear(l->sender->o.problems, refused_key(l).text);
}

void trouble_gone(struct lane *l)
{
	problem_clear(l->sender->o.problems, failing_key(l).text);
	problem_clear(l->sender->o.problems, refused_key(l).text);
}

void trouble_database(struct lane *l, const struct err *e)
{
	problem_set(l->sender->o.problems, "notify.spool",
		"messages cannot be read from the database, or their outcome written to it: %s. "
		"Channels wait; what was sent is remembered, unless the agent is restarted",
		e->msg);
}

void trouble_database_over(struct lane *l)
{
	problem_clear(l->sender->o.problems, "notify.spool");
}
