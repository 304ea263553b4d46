/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy refused`: deliveries of webhooks that were not taken, and why.
 */
#include <stdio.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

enum { OUT_MAX = 16 << 20 };

static void add_row(struct columns *table, const json_t *one)
{
	char at[64], status[32], times[32];
	const char *cells[] = {at, json_view_text(one, "app"), json_view_text(one, "peer"),
		json_view_text(one, "event"), status, times, json_view_text(one, "why")};

	message_time(at, sizeof(at), json_view_int(one, "time_ms"), clock_wall_ms());
	(void)snprintf(
		status, sizeof(status), "%" JSON_INTEGER_FORMAT, json_view_int(one, "status"));
	(void)snprintf(times, sizeof(times), "%" JSON_INTEGER_FORMAT, json_view_int(one, "count"));
	columns_row(table, cells, ARRAY_LEN(cells), 4, TERM_YELLOW);
}

static int print_list(const json_t *list)
{
	static const char *const heads[] = {
		"WHEN", "APP", "FROM", "EVENT", ">ANSWER", ">TIMES", "WHY", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	const struct term t = term_detect();
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) add_row(table, one);
	if (json_array_size(list))
		columns_print(table, &t, &out);
	else
		buf_adds(&out, "No delivery was refused.\n");
	return cmd_print(&out);
}

int cmd_deploy_refused(const struct command_call *c)
{
	json_t *request = json_pack("{s:s}", "op", "deploy.refused"), *reply;
	int r = cmd_set_limit(c, request);

	if (r != 0) {
		json_decref(request);
		return r;
	}
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply)
				: print_list(json_object_get(reply, "refused"));
	json_decref(reply);
	return r;
}
