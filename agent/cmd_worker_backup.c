/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent worker backup`: does one thing with backups. The order is one JSON object on stdin (backup/order.h); what it
 * has to say are lines on descriptor 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/secret.h"
#include "backup/order.h"
#include "base/cleanup.h"
#include "base/wire.h"

enum { FD_REPORT = 3, ORDER_BYTES_MAX = 8 * 1024 * 1024, PIECE = 65536, OOM_SCORE = 500 };

static int read_order(struct buf *b, struct err *e)
{
	for (;;) {
		char *to = buf_reserve(b, PIECE);
		ssize_t n = to ? read(STDIN_FILENO, to, PIECE) : -1;

		if (!to)
			return err_set(e, EFBIG, "the order is too long");
		if (n < 0 && errno != EINTR)
			return err_sys(e, "stdin");
		if (n == 0)
			return 0;
		if (n > 0)
			buf_grew(b, (size_t)n);
	}
}

static int get_order(struct order **out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(ORDER_BYTES_MAX);
	json_t *j;
	int r = read_order(&text, e);

	if (r < 0)
		return err_wrap(e, r, "order");
	j = wire_parse(buf_str(&text), text.len, e);
	r = j ? order_from_json(j, out, e) : -EINVAL;
	json_decref(j);
	return err_wrap(e, r, "order");
}

/* What reads the report must see it end with this process, not with a program it started. */
static int open_report(struct err *e)
{
	if (fcntl(FD_REPORT, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(e, "descriptor 3, for the report");
	return 0;
}

/* When memory runs out a run may be lost, and is then told and made again; what must live is the daemon, which tells it, and the
 * databases of the server. What the worker starts inherits this; proc(5). */
static void be_killed_first(void)
{
	_cleanup_(close_p) int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || strtol(text, NULL, 10) >= OOM_SCORE)
		return;
	(void)dprintf(fd, "%d", OOM_SCORE);
}

int cmd_worker_backup(const struct command_call *c)
{
	static const struct worker_options options = {.secret_read = secret_read_text};
	_cleanup_(order_free_p) struct order *o = NULL;
	struct err e = {""};
	int r;

	(void)c;
	be_killed_first();
	r = open_report(&e);
	if (r < 0)
		return cmd_fail(r, &e);
	r = get_order(&o, &e);
	r = r < 0 ? worker_refuse(&e, FD_REPORT) : worker_run(o, &options, FD_REPORT);
	return r == 0 ? COMMAND_DONE : COMMAND_FAILED;
}
