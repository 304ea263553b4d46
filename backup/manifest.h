/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest: a JSON object beside the data in the store, written last. It is the commit mark: what has no
 * manifest is no backup, and everything a restore needs to know is in it. Pure.
 *
 * Keys in a store, below its prefix:
 *   JOB/ID/MEMBER.SUFFIX          data: "shop/20261121T030000Z-3f9a2c/shop.pgdump.zst.age"
 *   JOB/ID/MEMBER.SUFFIX.002      its second segment, and so on; concatenated they are the stream
 *   JOB/ID/manifest.json          this
 *   JOB/ID/verified-TIME.json     what a verification found (catalogue.h)
 * ID is the time of the start (UTC) and 6 random hex digits, so that no two are ever the same.
 */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/codec.h"
#include "backup/counts.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hash.h"

enum {
	MANIFEST_VERSION = 1,
	MANIFEST_BYTES_MAX = 4 * 1024 * 1024,
	MANIFEST_MEMBERS_MAX = 1000,
	MANIFEST_SEGMENTS_MAX = 10000,
	BACKUP_ID_SIZE = 32,
	MANIFEST_KEY_MAX = 512,
	MANIFEST_TEXT_MAX = 4096, /* of each text; more is cut off when it is written */
	MANIFEST_WARNINGS_MAX = 100, /* more are left out */
	MANIFEST_RECIPIENTS_MAX = 100,
};
#define MANIFEST_NAME "manifest.json"

struct manifest_segment {
	char *key; /* below the store's prefix */
	int64_t bytes;
	char *etag; /* as the store gave it; may be "" */
};

/* One stream: a database, the roles, an archive. */
struct manifest_member {
	char *name; /* "shop", "globals"; unique, of letters, digits and . _ - (others as %XX) */
	char *title; /* the database's own name */
	char *format; /* a name of formats[] (format.h) */
	int64_t plain_bytes, stored_bytes;
	char plain_sha256[HASH_SHA256_HEX_SIZE], stored_sha256[HASH_SHA256_HEX_SIZE];
	struct counts counts;
	struct manifest_segment *segments;
	size_t n_segments;
};

struct manifest {
	char id[BACKUP_ID_SIZE];
	char *job, *host, *engine;
	char *server_version, *tool_version; /* "" when not known */
	char *agent_version;
	char *store; /* the store's name at that time */
	char *source; /* for people: "container shop-db", "/srv/files" */
	int64_t started_ms, ended_ms;
	enum codec codec;
	char **recipients; /* of the encryption */
	size_t n_recipients;
	bool passphrase; /* encrypted with one */
	int64_t locked_until_ms; /* object lock; 0 */
	struct manifest_member *members;
	size_t n_members;
	char **warnings; /* what was noticed: "2 tables are MyISAM: not consistent" */
	size_t n_warnings;
	/* Not in the object itself but beside it (catalogue.h), filled by the catalogue. */
	int64_t verified_ms, drilled_ms, bad_ms; /* 0: never */
	char *bad_why;
	bool is_incomplete; /* some of its data is not in the store; bad_ms and bad_why are set, too */
};

struct manifest *manifest_new(void);
void manifest_free(struct manifest *m); /* NULL is fine */
DEFINE_CLEANUP(struct manifest *, manifest_free);

/* New id for a start at that time. */
void backup_id_new(char to[BACKUP_ID_SIZE], int64_t started_ms);
bool backup_id_is_valid(const char *id);
/* Letters, digits, . _ -, at most 64, no dot in front: a job's name is part of each key. */
bool manifest_job_is_valid(const char *job);

/* Returns the new member, zeroed; valid until the next one is added. */
struct manifest_member *manifest_add_member(struct manifest *m, const char *name);
void manifest_add_segment(
	struct manifest_member *member, const char *key, int64_t bytes, const char *etag);
void manifest_add_warning(struct manifest *m, const char *text);
void manifest_add_recipient(struct manifest *m, const char *text);
struct manifest_member *manifest_member_find(const struct manifest *m, const char *name);
int64_t manifest_stored_bytes(const struct manifest *m);
int64_t manifest_plain_bytes(const struct manifest *m);

/* What is no UTF-8 and control characters in texts are replaced. free() it. */
char *manifest_to_text(const struct manifest *m);
/* One text cleaned in that way; NULL is "". */
json_t *manifest_text_to_json(const char *text);
/* Everything is checked: -EBADMSG for what is no manifest or contradicts itself (segments that do not add up, keys
 * outside of JOB/ID/), -EPROTO for one of a newer version. Texts have no control characters, but for a member's title. */
int manifest_from_text(const char *text, size_t n, struct manifest **out, struct err *e);

/* What lists show: id, job, host, engine, source, started_ms, ended_ms, plain_bytes, stored_bytes, members [{name, title, format, plain_bytes,
 * stored_bytes, counts}], encrypted (bool), verified_ms, drilled_ms, bad_ms, bad_why, warnings, store. */
json_t *manifest_summary(const struct manifest *m);

/* JOB/ID/MEMBER.SUFFIX, with ".NNN" from segment 2 on (segment counts from 1). */
void manifest_data_key(char to[MANIFEST_KEY_MAX], const char *job, const char *id,
	const char *member, const char *suffix, unsigned segment);
void manifest_key(char to[MANIFEST_KEY_MAX], const char *job, const char *id);
/* A database's own name as a member's name; different for different names, at most 160 characters. */
void manifest_member_name(char *to, size_t size, const char *title);

#endif
