/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest for tests: database "shop" in two segments and the roles, as a run would have written it.
 */
#ifndef TESTS_UNIT_MANIFEST_CASE_H
#define TESTS_UNIT_MANIFEST_CASE_H

#include <stdio.h>
#include <string.h>

#include "backup/manifest.h"
#include "base/str.h"

static inline void manifest_case_member(struct manifest *m, const char *title, const char *suffix,
	int64_t bytes, unsigned n_segments)
{
	char key[MANIFEST_KEY_MAX], name[200];
	struct manifest_member *member;

	manifest_member_name(name, sizeof(name), title);
	member = manifest_add_member(m, name);
	member->title = str_dup(title);
	member->format = str_dup("pg_custom");
	member->plain_bytes = bytes * 3;
	member->stored_bytes = bytes * (int64_t)n_segments;
	hash_sha256_hex(member->plain_sha256, title, strlen(title));
	hash_sha256_hex(member->stored_sha256, suffix, strlen(suffix));
	counts_set(&member->counts, "tables", 12, false);
	counts_set(&member->counts, "rows", 90, true);
	for (unsigned i = 1; i <= n_segments; i++) {
		manifest_data_key(key, m->job, m->id, name, suffix, i);
		manifest_add_segment(member, key, bytes, "\"5d41402abc4b2a76b9719d911017c592\"");
	}
}

/* One without members. */
static inline struct manifest *manifest_case_empty(
	const char *job, const char *host, const char *id, int64_t started_ms)
{
	struct manifest *m = manifest_new();

	if (id)
		(void)str_copy(m->id, sizeof(m->id), id);
	else
		backup_id_new(m->id, started_ms);
	m->job = str_dup(job);
	m->host = str_dup(host);
	m->engine = str_dup("postgresql");
	m->server_version = str_dup("PostgreSQL 15.8");
	m->tool_version = str_dup("pg_dump 15.8");
	m->agent_version = str_dup("0.1.0");
	m->store = str_dup("offsite");
	m->source = str_dup("container shop-db");
	m->started_ms = started_ms;
	m->ended_ms = started_ms + 90000;
	m->codec = CODEC_ZSTD;
	return m;
}

static inline struct manifest *manifest_case(const char *job, const char *host, int64_t started_ms)
{
	struct manifest *m = manifest_case_empty(job, host, NULL, started_ms);

	manifest_add_recipient(m, "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");
	manifest_case_member(m, "shop", ".pgdump.zst.age", 1000, 2);
	manifest_case_member(m, "globals", ".sql.zst.age", 100, 1);
	manifest_add_warning(m, "2 tables are unlogged: their rows are not in it");
	return m;
}

#endif
