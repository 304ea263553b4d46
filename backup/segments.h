/* SPDX-License-Identifier: Apache-2.0
 *
 * One stream into as many objects as the store needs for it: a segment that is full is completed and the next
 * one begun (KEY.002). The last one is held open until commit.
 */
#ifndef BACKUP_SEGMENTS_H
#define BACKUP_SEGMENTS_H

#include "backup/manifest.h"
#include "backup/store.h"

/* `base_key` as manifest_data_key() makes it for segment 1. The result is a sink; free() without commit removes
 * what was completed already, where the store lets us. */
int segments_new(struct store *s, const char *base_key, const struct upload_options *o,
	struct sink **out, struct err *e);
/* After sink_finish(): completes the last one and moves the list of segments into `m`. */
int segments_commit(struct sink *segments, struct manifest_member *m, struct err *e);

#endif
