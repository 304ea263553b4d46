/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"

struct backup_daemon {
	struct daemon *daemon;
	struct backup_config *config;
	struct backups *backups;
	int64_t pushed_ms; /* monotonic; progress, to the web process */
};

static int on_event(void *user, struct event *ev, struct err *e)
{
	struct backup_daemon *b = user;

	return notify_event(alerting_notify(b->daemon->alerting), ev, e);
}

static void send_event(struct backup_daemon *b, const json_t *run, const json_t *says)
{
	struct control *c = b->daemon->control;
	json_t *copy = json_copy((json_t *)(uintptr_t)run);
	json_t *message;
	bool progress = says != NULL;

	(void)json_object_del(copy, "asked");
	message = json_pack("{s:s, s:o}", "event", "backup", "run", copy);
	/* At most one a second of what only moves on; each change of state. */
	if (!progress || clock_mono_ms() - b->pushed_ms >= BACKUPS_PUSH_MS) {
		control_push_web_json(c, message);
		b->pushed_ms = progress ? clock_mono_ms() : b->pushed_ms;
	}
	if (says)
		(void)json_object_set(message, "says", (json_t *)(uintptr_t)says);
	control_push_backup(c, json_view_int(run, "run"), message);
	json_decref(message);
}

static void on_change(void *user, const json_t *run, const json_t *says)
{
	struct backup_daemon *b = user;

	if (b->daemon->control)
		send_event(b, run, says);
}

int backup_daemon_prepare(const struct daemon *d, const struct config *c,
	struct backup_config **out, struct mistakes *m)
{
	return backup_config_new(c, d->state.path, out, m);
}

void backup_daemon_take(struct backup_daemon *b, struct backup_config *c)
{
	backups_configure(b->backups, c);
	backup_config_free(b->config);
	b->config = c;
}

static int read_config(struct backup_daemon *b, struct err *e)
{
	struct mistakes m = {NULL, 0, 0};
	int r = backup_daemon_prepare(b->daemon, b->daemon->config, &b->config, &m);

	for (size_t i = 0; i < m.n; i++)
		log_error("%s", m.list[i]);
	mistakes_done(&m);
	return r < 0 ? err_set(e, EINVAL,
			       "the configuration of backups has mistakes; nothing was started")
		     : 0;
}

int backup_daemon_new(struct daemon *d, struct backup_daemon **out, struct err *e)
{
	struct backup_daemon *b = calloc(1, sizeof(*b));
	const struct backups_options o = {.loop = d->loop,
		.db = d->db,
		.http = d->http,
		.problems = d->problems,
		.state_dir = d->state.path,
		.on_event = on_event,
		.on_change = on_change,
		.user = b,
		.quiet_until_ms = BACKUPS_QUIET_AFTER_BOOT_MS};
	int r;

	if (!b)
		abort();
	b->daemon = d;
	r = read_config(b, e);
	if (r == 0)
		r = backups_new(&o, b->config, &b->backups, e);
	if (r < 0) {
		backup_daemon_free(b);
		return r;
	}
	*out = b;
	return 0;
}

void backup_daemon_free(struct backup_daemon *b)
{
	if (!b)
		return;
	backups_free(b->backups);
	backup_config_free(b->config);
	free(b);
}

struct backups *backup_daemon_backups(struct backup_daemon *b)
{
	return b->backups;
}
