/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/handlers.h"

static int add_piece(const char *text, size_t len, void *user)
{
	buf_add(user, text, len);
	return 0;
}

/* The daemon's answer is the API's, but for what belongs to the protocol. */
static void on_host(struct call *c, const json_t *answer)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);
	json_t *copy = json_copy((json_t *)(uintptr_t)answer);

	(void)json_object_del(copy, "id");
	(void)json_object_del(copy, "ok");
	(void)json_dump_callback(copy, add_piece, &b, 0);
	json_decref(copy);
	buf_adds(&b, "\n");
	call_json(c, &b);
}

void api_host_get(struct call *c)
{
	call_ask(c, json_pack("{s:s}", "op", "host"), on_host);
}
