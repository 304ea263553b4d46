/* SPDX-License-Identifier: Apache-2.0
 *
 * Drills: the throw-away server that a restore loads into too, but in a container of its own, of the same image and without a
 * network; on a host it runs beside the real one.
 */
#include <errno.h>
#include <stdlib.h>

#include "backup/drill.h"
#include "backup/engine_redis.h"
#include "base/cleanup.h"

/* Memory for databases that are not used is little; a drill should not fail because of them. */
enum { DATABASES = 4096 };

struct redis_drill {
	char container[80]; /* "" on the host */
	struct place *place; /* NULL on the host */
	struct redis_server *server;
};

static int start_container(const struct engine_call *c, struct redis_drill *d, struct err *e)
{
	const char *program = redis_program(c, "redis-server", "valkey-server");
	const char *const command[] = {program, "--save", "", NULL};
	const struct docker_throwaway o = {.command = command};

	if (!program)
		return err_set(e, ENOENT, "neither redis-server nor valkey-server is there on %s",
			place_title(c->place));
	return drill_container(c, o, d->container, &d->place, e);
}

int redis_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e)
{
	struct redis_drill *d = calloc(1, sizeof(*d));
	struct engine_call there = *c;
	int r = 0;

	(void)m;
	if (!d)
		abort();
	t->state = d;
	into[0] = '\0';
	if (!place_is_host(c->place))
		r = start_container(c, d, e);
	if (d->place)
		there.place = d->place;
	if (r == 0)
		r = redis_server_start(&there, c, false, DATABASES, &d->server, e);
	if (r == 0)
		*out = d->server->call;
	else
		redis_drill_end(c, out, t);
	return r;
}

void redis_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t)
{
	struct redis_drill *d = t->state;

	(void)drill;
	if (!d)
		return;
	redis_server_free(d->server);
	place_free(d->place);
	drill_remove_container(c, d->container);
	free(d);
	t->state = NULL;
}
