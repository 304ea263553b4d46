/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the doctor's check share: s3_check.c tries what a backup does, s3_check_bucket.c asks the bucket about itself.
 */
#ifndef BACKUP_S3_CHECK_H
#define BACKUP_S3_CHECK_H

#include "backup/s3_ops.h"

struct s3_checking {
	struct s3 *s3;
	store_check_fn fn;
	void *user;
	char key[32]; /* of the object it makes */
	int64_t date_s; /* of the server's first answer; 0 */
};

/* A call that is not tried for long. Of the object, or of the bucket. */
void s3_check_begin(
	const struct s3_checking *c, struct s3_call *call, const char *method, bool of_key);
void s3_check_say(
	const struct s3_checking *c, const char *what, bool ok, const char *text, const char *cure);
void s3_check_failed(const struct s3_checking *c, const char *what, int r, const struct err *e,
	const char *right);

/* Versions, locks, rules. */
void s3_check_bucket(const struct s3_checking *c);

#endif
