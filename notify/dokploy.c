/* SPDX-License-Identifier: Apache-2.0
 *
 * Dokploy's threshold callback: what its own monitoring program sends when a server's CPU or memory
 * is over the threshold, so that Dokploy's notifications work with the agent. Source: Dokploy,
 * apps/monitoring/monitoring/monitor.go. It knows just these two types and no recovery; anything
 * else it refuses.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "notify/channel_types.h"

static int check(const struct channel *c, struct err *e)
{
	const char *type = c->server_type;

	if (type && strcmp(type, "Dokploy") != 0 && strcmp(type, "Remote") != 0)
		return err_set(
			e, EINVAL, "server_type is \"%s\"; expected Dokploy or Remote", type);
	return channel_check_url(c, e);
}

/* NULL: neither. */
static const char *type_of(const struct event *ev)
{
	if (strcmp(ev->class, "host") != 0)
		return NULL;
	if (strcmp(ev->metric, "cpu_used_percent") == 0)
		return "CPU";
	if (strcmp(ev->metric, "memory_used_percent") == 0)
		return "Memory";
	return NULL;
}

static bool takes(const struct event *ev)
{
	return type_of(ev) && !ev->is_end && isfinite(ev->value) && isfinite(ev->limit);
}

static void add_message(struct buf *out, const struct event *ev, const char *type)
{
	_cleanup_(free_p) char *text = takes(ev)
					       ? str_format("%s usage (%.2f%%) exceeded threshold "
							    "(%.2f%%)",
							 type, ev->value, ev->limit)
					       : str_dup(ev->title);

	buf_add_json_string(out, text);
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	const struct event *ev = m->events[0];
	/* A test must look like something that it takes. */
	const char *type = strcmp(ev->kind, EVENT_TEST) == 0 ? "CPU" : type_of(ev);
	struct buf *b = &out->body;
	char time[32];

	(void)memory;
	(void)plain;
	if (!type)
		return err_set(e, EINVAL, "Dokploy takes only CPU and memory of the server");
	clock_rfc3339(time, sizeof(time), (time_t)(ev->time_ms / 1000));
	out->url = str_dup(c->url);
	outgoing_header(out, "Content-Type: application/json");
	buf_addf(b, "{\"json\":{\"ServerType\":\"%s\",\"Type\":\"%s\",\"Value\":",
		c->server_type ? c->server_type : "Dokploy", type);
	buf_add_json_number(b, isfinite(ev->value) ? ev->value : 0);
	buf_adds(b, ",\"Threshold\":");
	buf_add_json_number(b, isfinite(ev->limit) ? ev->limit : 0);
	buf_adds(b, ",\"Message\":");
	add_message(b, ev, type);
	buf_addf(b, ",\"Timestamp\":\"%s\",\"Token\":", time);
	buf_add_json_string(b, c->secret);
	buf_adds(b, "}}");
	return 0;
}

/* A wrong token is a 400 there, as a malformed request is: but it goes for every one to come. */
static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	channel_judge(c, a, out);
	if (!a->error && a->status == 400 && strstr(a->body, "Token not found"))
		out->verdict = VERDICT_BROKEN;
}

const struct channel_type channel_dokploy = {
	.name = "dokploy",
	.doc = "Calls Dokploy when CPU or memory of the server are over a limit.",
	.flags = CHANNEL_EACH,
	.per_minute = 60,
	.needs = "url secret",
	.check = check,
	.takes = takes,
	.build = build,
	.judge = judge,
};
