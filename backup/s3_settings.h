/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of an S3 store (agent/options.def, stores.*) with their defaults, and what follows from them: addresses and the
 * size of parts. Pure.
 */
#ifndef BACKUP_S3_SETTINGS_H
#define BACKUP_S3_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/s3_payload.h"
#include "backup/s3_retry.h"
#include "base/buf.h"
#include "base/err.h"

/* Texts are borrowed from the JSON; NULL when not set, unless said otherwise. */
struct s3_settings {
	const char *name, *bucket, *credentials_file, *ca_file;
	const char *region, *prefix; /* never NULL */
	char *scheme, *host,
		*base_path; /* of the endpoint; host with the port when there is one; base_path "" or "/x" */
	bool is_virtual; /* the bucket is in the host's name */
	const char *storage_class, *sse, *sse_key_id; /* sse as in the header */
	const char *lock_mode; /* as in the header */
	int64_t lock_ms;
	int64_t part_bytes; /* 0: by what is expected */
	unsigned max_parts;
	enum s3_checksum checksum;
	bool may_delete;
	struct s3_retry_limits retry;
};

/* -EINVAL: "OPTION: what is wrong". Beside the options there are retry_ms, retry_base_ms, notice_ms and idle_s, which are not options: they
 * make the waits of s3_retry.h shorter for tests. */
int s3_settings_from_json(const json_t *j, struct s3_settings *out, struct err *e);
void s3_settings_done(struct s3_settings *s);

/* "eu.example.com:9000", "bucket.s3.eu-1.amazonaws.com": what stands in the Host header. */
void s3_settings_host(const struct s3_settings *s, struct buf *out);
/* Not encoded: "/bucket/prefix/key"; key NULL: the bucket itself. */
void s3_settings_path(const struct s3_settings *s, const char *key, struct buf *out);

/* A size for all parts of an upload of which so many bytes are expected (0: not known): it fits one and a half times as many into nine
 * tenths of the parts there may be, within 8 MiB and 512 MiB. */
int64_t s3_part_bytes(const struct s3_settings *s, int64_t expected_bytes);

#endif
