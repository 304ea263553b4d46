/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/hook.h"

#include <inttypes.h>

#include "backup/place.h"
#include "base/cleanup.h"
#include "base/str.h"

int hook_run(const struct hook *h, struct err *e)
{
	_cleanup_(place_free_p) struct place *here = NULL;
	_cleanup_(free_p) char *job = str_format("BACKUP_JOB=%s", h->job);
	_cleanup_(free_p) char *id = str_format("BACKUP_ID=%s", h->id);
	_cleanup_(free_p) char *status = str_format("BACKUP_STATUS=%s", h->status);
	_cleanup_(free_p) char *bytes = str_format("BACKUP_BYTES=%" PRId64, h->bytes);
	_cleanup_(free_p) char *error = str_format("BACKUP_ERROR=%s", h->error);
	const char *const env[] = {job, id, status, bytes, error, NULL};
	const struct place_command command = {.argv = h->command->items, .env = env};
	int r;

	if (!h->command->n)
		return 0;
	r = place_host(&here, e);
	if (r == 0)
		r = place_run(here, &command, h->deadline_ms, NULL, e);
	return err_wrap(e, r, "%s", h->what);
}
