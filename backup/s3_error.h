/* SPDX-License-Identifier: Apache-2.0
 *
 * An answer of S3 that is a failure, in words that say what to mend. Pure.
 */
#ifndef BACKUP_S3_ERROR_H
#define BACKUP_S3_ERROR_H

#include "backup/s3_answer.h"
#include "backup/s3_settings.h"
#include "base/err.h"

struct s3_refusal {
	const char *method, *key; /* key NULL: the bucket */
	long status;
	size_t body_bytes; /* of the request */
	const struct s3_error *said;
	const char *bucket_region; /* the header x-amz-bucket-region; "" */
};

/* Fills *e and returns the negative errno (s3_error_number()). */
int s3_refused(const struct s3_settings *s, const struct s3_refusal *r, struct err *e);

#endif
