/* SPDX-License-Identifier: Apache-2.0
 *
 * The file with the keys of a store: lines NAME = VALUE, as in ~/.aws/credentials
 * (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html), with or without a section and with or without "aws_" in
 * front of the names. Of several sections [default] counts, else the first. # and ; begin comments. Pure.
 */
#ifndef BACKUP_S3_CREDENTIALS_H
#define BACKUP_S3_CREDENTIALS_H

#include <stdbool.h>

#include "base/err.h"

enum { S3_KEY_MAX = 256, S3_TOKEN_BYTES_MAX = 8192 };

struct s3_credentials {
	char access_key_id[S3_KEY_MAX];
	char secret_access_key[S3_KEY_MAX];
	char session_token[S3_TOKEN_BYTES_MAX]; /* "": none */
};

/* -EINVAL names the line or what is missing, never a value. */
int s3_credentials_parse(const char *text, struct s3_credentials *out, struct err *e);
bool s3_credentials_are_equal(const struct s3_credentials *a, const struct s3_credentials *b);
/* Overwrites. */
void s3_credentials_clear(struct s3_credentials *c);

#endif
