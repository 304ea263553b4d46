/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/deploy_stages.h"

#include <string.h>

static const char *text_of(const json_t *stage, const char *key)
{
	const char *s = json_string_value(json_object_get(stage, key));

	return s ? s : "";
}

/* The one that runs, or NULL. */
static json_t *running(const struct deploy *d)
{
	size_t n = json_array_size(d->stages);
	json_t *last = n ? json_array_get(d->stages, n - 1) : NULL;

	return strcmp(text_of(last, "state"), "running") == 0 ? last : NULL;
}

void deploy_stages_begin(struct deploy *d, const char *stage, const char *verb, int64_t now_ms)
{
	if (json_array_size(d->stages) >= DEPLOY_STAGES_MAX)
		return;
	(void)json_array_append_new(d->stages,
		json_pack("{s:s, s:s, s:s, s:I, s:i, s:i}", "stage", stage, "verb", verb, "state",
			"running", "started_ms", (json_int_t)now_ms, "ended_ms", 0, "attempts", 1));
}

void deploy_stages_again(struct deploy *d)
{
	json_t *stage = running(d);

	if (stage)
		(void)json_object_set_new(stage, "attempts",
			json_integer(json_integer_value(json_object_get(stage, "attempts")) + 1));
}

void deploy_stages_end(struct deploy *d, const char *state, int64_t now_ms)
{
	json_t *stage = running(d);

	if (!stage)
		return;
	(void)json_object_set_new(stage, "state", json_string(state));
	(void)json_object_set_new(stage, "ended_ms", json_integer(now_ms));
}

void deploy_stages_nothing(struct deploy *d)
{
	json_t *stage = running(d);

	if (stage)
		(void)json_object_set_new(stage, "nothing", json_true());
}

int64_t deploy_stages_began_ms(const struct deploy *d, const char *stage, const char *verb)
{
	for (size_t i = json_array_size(d->stages); i > 0; i--) {
		const json_t *one = json_array_get(d->stages, i - 1);

		if (strcmp(text_of(one, "stage"), stage) == 0 &&
			strcmp(text_of(one, "verb"), verb) == 0)
			return json_integer_value(json_object_get(one, "started_ms"));
	}
	return 0;
}
