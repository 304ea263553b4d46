/* SPDX-License-Identifier: Apache-2.0
 *
 * The backups in GET /metrics: when each job was last good, how large and how long, whether it is overdue. What is
 * not known is left out; a rule on `time() - agent_backup_last_success_timestamp_seconds` needs no zero. The label is not
 * `job`: that is Prometheus' own, which would rename ours to `exported_job`. Pure.
 */
#ifndef AGENT_WEB_PROMETHEUS_BACKUPS_H
#define AGENT_WEB_PROMETHEUS_BACKUPS_H

#include <jansson.h>

#include "base/buf.h"

/* `jobs`: the array of `backup.jobs`; NULL: not known, then nothing is written. */
void prometheus_backups_write(struct buf *b, const json_t *jobs);

#endif
