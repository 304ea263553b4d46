/* SPDX-License-Identifier: Apache-2.0
 *
 * Drills: a throw-away container of the same image, or, for a server on this host, throw-away databases on it, whose names
 * begin with agent_drill_.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "backup/docker.h"
#include "backup/engine_mysql.h"
#include "backup/manifest.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum { READY_MS = 3 * 60 * 1000, READY_STEP_MS = 200, MEMORY_BYTES = 1024 * 1024 * 1024 };

struct drill {
	char container[80]; /* "" on the host */
	char *prefix;
};

/* Over TCP: while the image is still setting itself up there is a server that listens on the socket only. */
static int wait_ready(const struct engine_call *d, struct err *e)
{
	int64_t until = clock_mono_ms() + READY_MS;
	int r, stopped;

	while ((r = mysql_script(d, NULL, "SELECT 1;\n", PLACE_DEADLINE_MS, NULL, e)) < 0) {
		struct pollfd p = {.fd = stop_fd(), .events = POLLIN};

		stopped = stop_check(e);
		if (stopped < 0)
			return stopped;
		if (r != -EREMOTEIO || clock_mono_ms() > until)
			break;
		(void)poll(&p, 1, READY_STEP_MS);
	}
	return err_wrap(e, r, "the throw-away server");
}

static int begin_container(
	const struct engine_call *c, struct engine_call *out, struct drill *d, struct err *e)
{
	static const char *const env[] = {"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1",
		"MYSQL_ALLOW_EMPTY_PASSWORD=1", "MARIADB_ROOT_HOST=%", "MYSQL_ROOT_HOST=%", NULL};
	const struct docker_container *like = place_docker(c->place);
	struct docker_throwaway o = {
		.image = c->job->drill_image ? c->job->drill_image : like->image,
		.env = env,
		.memory_bytes = MEMORY_BYTES,
		.job = c->job->name,
	};
	int r = docker_throwaway(c->container_socket, &o, d->container, e);

	if (r < 0)
		return r;
	*out = *c;
	out->host = "127.0.0.1";
	out->socket = NULL;
	out->login = "root";
	out->password = NULL;
	out->port = 3306;
	out->place = NULL;
	r = place_container(c->container_socket, d->container, &out->place, e);
	return r == 0 ? wait_ready(out, e) : r;
}

static int begin_host(const struct engine_call *c, struct engine_call *out, struct drill *d)
{
	char id[7];

	args_random_hex(id);
	d->prefix = str_format("agent_drill_%s_", id);
	*out = *c;
	out->prefix = d->prefix;
	return 0;
}

int mysql_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e)
{
	struct drill *d = calloc(1, sizeof(*d));
	int r;

	(void)m;
	if (!d)
		abort();
	t->state = d;
	out->place = NULL;
	into[0] = '\0';
	r = place_is_host(c->place) ? begin_host(c, out, d) : begin_container(c, out, d, e);
	if (r < 0)
		mysql_drill_end(c, out, t);
	return r;
}

static void drop_databases(const struct engine_call *c, const char *prefix)
{
	static const char sql[] = "SELECT HEX(schema_name) FROM information_schema.schemata;\n";
	struct buf text = BUF_INIT(1024 * 1024);
	char *at, *columns[1], name[MYSQL_NAME_MAX];
	struct err why;

	if (mysql_script(c, NULL, sql, PLACE_DEADLINE_MS, &text, &why) == 0 && text.data) {
		at = text.data;
		while (mysql_next_row(&at, columns, 1))
			if (mysql_unhex(columns[0], name, sizeof(name)) &&
				str_starts(name, prefix) && mysql_drop(c, name, &why) < 0 &&
				c->warn)
				c->warn(c->user, why.msg);
	}
	buf_done(&text);
}

void mysql_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t)
{
	struct drill *d = t->state;
	struct err why;

	if (!d)
		return;
	if (d->prefix)
		drop_databases(c, d->prefix);
	else
		place_free(drill->place);
	if (d->container[0] && docker_remove(c->container_socket, d->container, &why) < 0 &&
		c->warn)
		c->warn(c->user, why.msg);
	free(d->prefix);
	free(d);
	t->state = NULL;
}
