/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/update_check.h"

#include <stdlib.h>

#include "base/child.h"
#include "base/log.h"
#include "collectors/updates.h"

enum {
	FIRST_MS = 600 * 1000,
	DAY_MS = 86400 * 1000,
	DEADLINE_MS = 300 * 1000,
	OUTPUT_MAX = 1 << 20, /* some 200 bytes a package */
};

struct update_check {
	struct loop *loop;
	struct known_updates *out;
	struct loop_timer *timer;
	struct child *child; /* NULL: not running */
};

static void on_done(void *user, const struct child_result *r)
{
	struct update_check *u = user;
	char how[64];

	u->child = NULL;
	child_describe(how, sizeof(how), r->status);
	if (r->status != 0 || r->timed_out || r->output_cut) {
		log_info("pending updates are not known: apt-get: %s",
			r->timed_out ? "took too long" : how);
		return;
	}
	updates_parse_apt_simulation(r->output, &u->out->all, &u->out->security);
	u->out->known = true;
}

static void check(void *user)
{
	static const char *const argv[] = {
		"apt-get", "-s", "-qq", "-o", "Debug::NoLocking=1", "dist-upgrade", NULL};
	struct update_check *u = user;
	const struct child_options o = {.argv = argv,
		.deadline_ms = DEADLINE_MS,
		.output_max = OUTPUT_MAX,
		.pass_fd = -1,
		.nice = 19};
	struct err e;

	if (!u->child && child_start(u->loop, &o, on_done, u, &u->child, &e) < 0)
		log_debug("pending updates are not known: %s", e.msg);
	loop_timer_after(u->timer, DAY_MS);
}

struct update_check *update_check_new(struct loop *l, struct known_updates *out)
{
	struct update_check *u = calloc(1, sizeof(*u));

	if (!u)
		abort();
	u->loop = l;
	u->out = out;
	u->timer = loop_timer_new(l, check, u);
	loop_timer_after(u->timer, FIRST_MS);
	return u;
}

void update_check_free(struct update_check *u)
{
	if (!u)
		return;
	child_abandon(u->child);
	loop_timer_free(u->timer);
	free(u);
}
