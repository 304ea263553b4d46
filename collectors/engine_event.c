/* SPDX-License-Identifier: Apache-2.0
 *
 * The pure parts of engine_api.h.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/engine_api.h"

/* Docker's words and, where they differ, Podman's. Health checks also raise exec_create,
 * exec_start and exec_die, each time: not among them. */
static const char *const actions[] = {"create", "destroy", "die", "died", "health_status", "init",
	"oom", "pause", "remove", "rename", "restart", "start", "stop", "unpause", "update"};

static bool is_wanted(const char *action)
{
	/* "health_status: healthy" */
	size_t n = strcspn(action, ":");

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (strlen(actions[i]) == n && strncmp(actions[i], action, n) == 0)
			return true;
	return false;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

int engine_event_parse(
	const char *text, size_t len, char id[CONTAINER_ID_MAX + 1], bool *removed, struct err *e)
{
	json_error_t where;
	json_t *event = json_loadb(text, len, 0, &where);
	const char *action = text_of(event, "Action");
	const char *who = text_of(json_object_get(event, "Actor"), "ID");
	size_t n = strspn(who, "0123456789abcdef");
	int r = 0;

	if (!json_is_object(event))
		r = err_set(e, EINVAL, "event: %s", where.text);
	else if (n == 0 || n > CONTAINER_ID_MAX || who[n] ||
		 strcmp(text_of(event, "Type"), "container") != 0 || !is_wanted(action))
		*id = '\0';
	else
		memcpy(id, who, n + 1);
	*removed = strcmp(action, "destroy") == 0 || strcmp(action, "remove") == 0;
	json_decref(event);
	return r;
}

const char *engine_version_parse(const char *text, size_t len)
{
	json_t *version = json_loadb(text, len, 0, NULL);
	const json_t *component;
	const char *engine = "docker";
	size_t i;

	json_array_foreach(json_object_get(version, "Components"), i, component)
	{
		if (strstr(text_of(component, "Name"), "Podman"))
			engine = "podman";
	}
	json_decref(version);
	return engine;
}
