/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/schema.h"

#include "agent/backup_runs.h"
#include "agent/delivery_refusals.h"
#include "agent/deploy_runs.h"
#include "agent/sessions.h"
#include "base/cleanup.h"
#include "collectors/catalogue.h"
#include "notify/notify.h"

const char *const schema_migrations[] = {
	CATALOGUE_SCHEMA SESSIONS_SCHEMA,
	NOTIFY_SCHEMA,
	BACKUP_SCHEMA,
	DEPLOY_SCHEMA,
	DELIVERY_SCHEMA,
};

const size_t schema_migrations_count = ARRAY_LEN(schema_migrations);
