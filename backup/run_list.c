/* SPDX-License-Identifier: Apache-2.0
 *
 * What backups of a job there are, store by store.
 */
#include "backup/run.h"

int run_list_store(struct run *r, struct run_store *s, struct err *e)
{
	struct catalogue_list list = {.n = 0};
	json_t *backups;
	int result = catalogue_read(s->store, r->o->state, r->job->name, &list, e);

	if (result < 0)
		return result;
	backups = json_array();
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(backups, manifest_summary(list.items[i]));
	report_line(r->report, "catalogue",
		json_pack("{s:s, s:o, s:I, s:o}", "store", s->name, "backups", backups, "broken",
			(json_int_t)list.broken, "broken_why", report_text(list.broken_why)));
	catalogue_list_done(&list);
	return 0;
}

int run_list(struct run *r, struct err *e)
{
	int result = run_open_any_stores(r, r->o->restore.store, e);

	if (result < 0)
		return result;
	for (size_t i = 0; i < r->n_stores; i++) {
		struct run_store *s = &r->stores[i];

		result = s->failed ? 0 : run_list_store(r, s, e);
		if (result < 0)
			(void)run_store_fail(r, s, result, e);
	}
	return run_stores_result(r, e);
}
