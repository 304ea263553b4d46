/* SPDX-License-Identifier: Apache-2.0
 *
 * Throw-away containers carry who made them in a label, so that a sweep takes only those whose maker is dead.
 */
#include "backup/docker.h"

#include <errno.h>
#include <string.h>

#include "backup/docker_internal.h"
#include "backup/owner.h"
#include "base/str.h"

#define LABEL "agent.drill"
#define OWNER_LABEL "agent.drill.owner"

static json_t *strings(const char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		(void)json_array_append_new(array, json_string(*list));
	return array;
}

static json_t *description(const struct docker_throwaway *o)
{
	char owner[OWNER_SIZE];
	json_t *body;

	owner_self(owner);
	body = json_pack("{s:s, s:b, s:{s:s, s:s}, s:{s:s, s:I}}", "Image", o->image,
		"NetworkDisabled", 1, "Labels", LABEL, o->job ? o->job : "", OWNER_LABEL, owner,
		"HostConfig", "NetworkMode", "none", "Memory", (json_int_t)o->memory_bytes);
	if (o->env)
		(void)json_object_set_new(body, "Env", strings(o->env));
	if (o->command)
		(void)json_object_set_new(body, "Cmd", strings(o->command));
	return body;
}

int docker_throwaway(
	const char *socket, const struct docker_throwaway *o, char id[80], struct err *e)
{
	json_t *body = description(o);
	json_t *answer = NULL;
	int r = docker_ask(socket, "POST", "/containers/create", body, 0, &answer, e);
	bool whole;

	json_decref(body);
	if (r < 0)
		return err_wrap(e, r, "throw-away container of image %s", o->image);
	whole = str_copy(id, 80, docker_text(answer, "Id"));
	json_decref(answer);
	if (!whole || !*id)
		return err_set(e, EBADMSG, "container engine: a new container without an id");
	r = docker_start(socket, id, e);
	if (r < 0) {
		(void)docker_remove(socket, id, NULL);
		return err_wrap(e, r, "throw-away container of image %s", o->image);
	}
	return 0;
}

int docker_sweep(const char *socket, size_t *removed, struct err *e)
{
	json_t *list = NULL;
	const json_t *c;
	size_t i;
	/* filters={"label":["agent.drill"]} */
	int r = docker_ask(socket, "GET",
		"/containers/json?all=1&filters=%7B%22label%22%3A%5B%22" LABEL "%22%5D%7D", NULL, 0,
		&list, e);

	*removed = 0;
	json_array_foreach(list, i, c)
	{
		const char *owner = docker_text(json_object_get(c, "Labels"), OWNER_LABEL);
		int one = 0;

		if (owner_lives(owner))
			continue;
		one = docker_remove(socket, docker_text(c, "Id"), e);
		*removed += one == 0;
		if (one < 0)
			r = one;
	}
	json_decref(list);
	return r;
}
