/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/kept_list.h"

void kept_list_take(struct kept_list *k, const json_t *answer, const char *member, int64_t now_ms)
{
	kept_list_forget(k);
	k->list = json_incref(json_object_get(answer, member));
	k->taken_ms = now_ms;
}

bool kept_list_is_fresh(const struct kept_list *k, int64_t now_ms)
{
	return k->list && now_ms < k->taken_ms + KEPT_LIST_FRESH_MS;
}

void kept_list_forget(struct kept_list *k)
{
	json_decref(k->list);
	k->list = NULL;
}
