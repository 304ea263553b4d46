/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody can do about a failure of an S3 store, in one sentence. Pure.
 */
#ifndef BACKUP_S3_CURE_H
#define BACKUP_S3_CURE_H

#include "backup/s3_settings.h"
#include "base/buf.h"

/* `error`: the negative errno of a call. `right`: what the keys must be allowed for it ("s3:PutObject"). */
void s3_cure(const struct s3_settings *s, int error, const char *right, struct buf *out);

#endif
