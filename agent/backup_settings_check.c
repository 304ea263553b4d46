/* SPDX-License-Identifier: Apache-2.0
 *
 * What jobs and stores find wrong with their settings, as mistakes of the configuration.
 */
#include <string.h>

#include "agent/backup_settings.h"
#include "agent/json_view.h"
#include "backup/engine.h"
#include "backup/job.h"
#include "backup/store.h"

/* A drill that can never be would only be noticed at night. */
static void check_drill(const struct config_block *b, const struct job *job, struct mistakes *m)
{
	const struct engine *engine = engine_find(job->engine);

	if (!config_block_has(b, "drill_schedule"))
		return;
	if (engine && !engine->drill_begin)
		config_block_mistake(b, m,
			"drill_schedule: this engine cannot restore into a throw-away server");
	else if (job->encrypt.n && !config_block_has(b, "identity_file"))
		config_block_mistake(b, m,
			"drill_schedule: the backups are encrypted: a drill needs the private key "
			"on this server (identity_file)");
}

void backup_settings_check_job(const struct config_block *b, json_t *settings, struct mistakes *m)
{
	_cleanup_(job_free_p) struct job *job = NULL;
	struct err e;

	if (job_from_json(settings, &job, &e) < 0)
		config_block_mistake(b, m, e.msg);
	else
		check_drill(b, job, m);
}

void backup_settings_check_store(
	const struct config_block *b, const json_t *settings, struct mistakes *m)
{
	const struct store_type *type = store_type_find(json_view_text(settings, "type"));
	struct err e;

	if (!type)
		config_block_mistake(b, m, "type: cannot be used in this build");
	else if (type->check_settings(settings, &e) < 0)
		config_block_mistake(b, m, e.msg);
}
