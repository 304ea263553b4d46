/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "collectors/container_info.h"
#include "collectors/engine_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"

static void check(struct container_info *c)
{
	struct container_info merged;

	assert(*c->id && strlen(c->id) <= CONTAINER_ID_MAX);
	assert(!c->name || (*c->name && strlen(c->name) <= CONTAINER_TEXT_MAX));
	assert(!c->stable || (*c->stable && strlen(c->stable) <= CONTAINER_TEXT_MAX));
	assert(*container_state_name(c->state) || c->state == CONTAINER_STATE_UNKNOWN);
	assert(isnan(c->started_at) || c->started_at >= -86400);
	container_info_init(&merged);
	container_info_merge(&merged, c);
	container_info_done(&merged);
}

/* The same bytes as an answer of each kind: an element of the list, inspect or config.v2.json,
 * Podman's list, a bundle, an event, a version. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = json_loadb((const char *)data, size, 0, NULL);
	char id[CONTAINER_ID_MAX + 1] = "";
	struct container_info c;
	bool removed;

	if (container_info_from_list(o, &c, NULL) == 0)
		check(&c);
	if (container_info_from_inspect(o, &c, NULL) == 0)
		check(&c);
	if (container_info_from_podman(o, ID, &c, NULL) == 0)
		check(&c);
	if (container_info_from_oci(o, ID, &c, NULL) == 0)
		check(&c);
	json_decref(o);
	if (engine_event_parse((const char *)data, size, id, &removed, NULL) == 0)
		assert(strspn(id, "0123456789abcdef") == strlen(id));
	(void)engine_version_parse((const char *)data, size);
	return 0;
}
