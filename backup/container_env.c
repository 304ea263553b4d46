/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/container_env.h"

#include <string.h>

#include "backup/docker.h"

const char *container_env(const struct place *p, const char *name)
{
	const struct docker_container *d = place_is_host(p) ? NULL : place_docker(p);
	size_t len = strlen(name), i;
	json_t *config, *item;

	if (!d)
		return NULL;
	config = json_object_get(d->inspect, "Config");
	json_array_foreach(json_object_get(config, "Env"), i, item)
	{
		const char *text = json_string_value(item);

		if (text && strncmp(text, name, len) == 0 && text[len] == '=' && text[len + 1])
			return text + len + 1;
	}
	return NULL;
}

const char *container_secret(const struct place *p, const char *name)
{
	const char *secret = container_env(p, name);

	if (secret)
		place_hide(secret);
	return secret;
}
