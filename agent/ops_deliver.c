/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of webhooks: deploy.target, deploy.deliver and deploy.turned_away of the web process, and deploy.refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/control.h"
#include "agent/daemon_parts.h"
#include "agent/deliveries.h"
#include "agent/delivery_refusals.h"
#include "agent/ops.h"
#include "agent/reply.h"

enum { LIMIT = 50, ANSWER_MAX = 256 * 1024 };

static int add_piece(const char *text, size_t n, void *user)
{
	buf_add(user, text, n);
	return 0;
}

static void add_json(struct buf *b, const char *name, const json_t *value)
{
	buf_addf(b, ",\"%s\":", name);
	(void)json_dump_callback(value, add_piece, b, JSON_COMPACT | JSON_ENCODE_ANY);
}

int op_deploy_target(const struct control_call *c, struct err *e)
{
	json_t *target;
	const char *name;
	json_t *value;
	int r = deliveries_target(c->daemon->deliveries, request_text(c, "app"), &target, e);

	if (r < 0)
		return r;
	json_object_foreach(target, name, value)
	{
		add_json(c->reply, name, value);
	}
	json_decref(target);
	return 0;
}

static void on_done(void *user, int r, const struct err *e, const json_t *deploys)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);

	if (r == 0)
		add_json(&b, "deploys", deploys);
	control_later_done(user, r, e, &b);
}

int op_deploy_deliver(const struct control_call *c, struct err *e)
{
	int fd = control_take_fd(c), r;
	struct control_later *later = control_later(c, e);

	if (!later) {
		if (fd >= 0)
			(void)close(fd);
		return -EAGAIN;
	}
	r = deliveries_take(c->daemon->deliveries, c->request, fd, on_done, later, e);
	if (r == 0)
		return CONTROL_LATER;
	control_later_drop(later);
	return r;
}

int op_deploy_turned_away(const struct control_call *c, struct err *e)
{
	(void)e;
	deliveries_turned_away(c->daemon->deliveries, c->request);
	return 0;
}

int op_deploy_refused(const struct control_call *c, struct err *e)
{
	json_t *list;
	int64_t limit;
	int r = request_int(c, "limit", 1, DELIVERY_REFUSALS_KEPT, LIMIT, &limit, e);

	if (r == 0)
		r = deliveries_refused(c->daemon->deliveries, (size_t)limit, &list, e);
	if (r < 0)
		return r;
	add_json(c->reply, "refused", list);
	json_decref(list);
	return 0;
}
