/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/drill.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "backup/args.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum { READY_MS = 3 * 60 * 1000, READY_STEP_MS = 200, MEMORY_BYTES = 1024 * 1024 * 1024 };

int drill_container(const struct engine_call *c, struct docker_throwaway o, char id[80],
	struct place **out, struct err *e)
{
	int r;

	o.image = c->job->drill_image ? c->job->drill_image : place_docker(c->place)->image;
	o.job = c->job->name;
	r = docker_throwaway(c->container_socket, &o, id, e);
	return r < 0 ? r : place_container(c->container_socket, id, out, e);
}

void drill_remove_container(const struct engine_call *c, const char *id)
{
	struct err why;

	if (*id && docker_remove(c->container_socket, id, &why) < 0 && c->warn)
		c->warn(c->user, why.msg);
}

struct drill *drill_new(struct engine_call *out, char into[128], struct engine_target *t)
{
	struct drill *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	t->state = d;
	out->place = NULL;
	into[0] = '\0';
	return d;
}

static int wait_ready(const struct drill_server *s, const struct engine_call *drill, struct err *e)
{
	int64_t until = clock_mono_ms() + READY_MS;
	int r, stopped;

	/* What it is about is said by who asked for the server. */
	while ((r = s->answers(drill, e)) < 0) {
		struct pollfd p = {.fd = stop_fd(), .events = POLLIN};

		stopped = stop_check(e);
		if (stopped < 0)
			return stopped;
		if (r != -EREMOTEIO || clock_mono_ms() > until)
			break;
		(void)poll(&p, 1, READY_STEP_MS);
	}
	return r;
}

int drill_start_server(const struct engine_call *c, const struct drill_server *s, struct drill *d,
	struct engine_call *out, struct err *e)
{
	struct docker_throwaway o = {.env = s->env, .memory_bytes = MEMORY_BYTES};
	struct place *place = NULL;
	int r = drill_container(c, o, d->container, &place, e);

	if (r < 0)
		return r;
	*out = *c;
	out->place = place;
	out->host = "127.0.0.1";
	out->port = s->port;
	out->socket = NULL;
	out->login = s->login;
	out->password = NULL;
	return wait_ready(s, out, e);
}

void drill_add_prefix(const struct engine_call *c, struct drill *d, struct engine_call *out)
{
	char id[7];

	args_random_hex(id);
	d->prefix = str_format("agent_drill_%s_", id);
	*out = *c;
	out->prefix = d->prefix;
}

void drill_end(const struct engine_call *c, struct engine_call *drill, struct engine_target *t,
	void (*drop)(const struct engine_call *c, const char *prefix))
{
	struct drill *d = t->state;

	if (!d)
		return;
	if (d->prefix)
		drop(c, d->prefix);
	else
		place_free(drill->place);
	drill_remove_container(c, d->container);
	free(d->prefix);
	free(d);
	t->state = NULL;
}
