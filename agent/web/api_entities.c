/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/handlers.h"
#include "agent/web/latest.h"

static void on_latest(struct call *c, const json_t *answer)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	latest_write_message(&b, answer, LATEST_MISSING, NULL, NULL);
	buf_adds(&b, "\n");
	call_json(c, &b);
}

void api_entities_get(struct call *c)
{
	json_t *request = json_pack("{s:s, s:b}", "op", "latest", "gone", 1);
	json_t *classes = json_array();
	const char *name;
	size_t at = 0;

	while ((name = query_next(&c->query, "class", &at))) {
		if (!entity_class_find(name)) {
			json_decref(classes);
			json_decref(request);
			call_fail(c, 400, "there is no class \"%s\"", name);
			return;
		}
		(void)json_array_append_new(classes, json_string(name));
	}
	if (json_array_size(classes) > 0)
		(void)json_object_set(request, "classes", classes);
	json_decref(classes);
	call_ask(c, request, on_latest);
}
