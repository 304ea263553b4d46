/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/str.h"

/* What a file name can hold, with room for suffixes, ".002" and ".part". */
enum { MEMBER_NAME_MAX = 160, MEMBER_HASH_DIGITS = 12 };

static const char *const plain_chars =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";

static void *grow(void *p, size_t n, size_t size)
{
	void *bigger = reallocarray(p, n, size);

	if (!bigger)
		abort();
	return bigger;
}

struct manifest *manifest_new(void)
{
	struct manifest *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	return m;
}

static void member_done(struct manifest_member *m)
{
	free(m->name);
	free(m->title);
	free(m->format);
	for (size_t i = 0; i < m->n_segments; i++) {
		free(m->segments[i].key);
		free(m->segments[i].etag);
	}
	free(m->segments);
}

static void texts_free(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	free(m->job);
	free(m->host);
	free(m->engine);
	free(m->server_version);
	free(m->tool_version);
	free(m->agent_version);
	free(m->store);
	free(m->source);
	free(m->bad_why);
	texts_free(m->recipients, m->n_recipients);
	texts_free(m->warnings, m->n_warnings);
	for (size_t i = 0; i < m->n_members; i++)
		member_done(&m->members[i]);
	free(m->members);
	free(m);
}

struct manifest_member *manifest_add_member(struct manifest *m, const char *name)
{
	struct manifest_member *member;

	m->members = grow(m->members, m->n_members + 1, sizeof(*m->members));
	member = &m->members[m->n_members++];
	memset(member, 0, sizeof(*member));
	member->name = str_dup(name);
	return member;
}

void manifest_add_segment(
	struct manifest_member *member, const char *key, int64_t bytes, const char *etag)
{
	struct manifest_segment *segment;

	member->segments =
		grow(member->segments, member->n_segments + 1, sizeof(*member->segments));
	segment = &member->segments[member->n_segments++];
	segment->key = str_dup(key);
	segment->bytes = bytes;
	segment->etag = str_dup(etag);
}

void manifest_add_warning(struct manifest *m, const char *text)
{
	if (m->n_warnings == MANIFEST_WARNINGS_MAX)
		return;
	m->warnings = grow(m->warnings, m->n_warnings + 1, sizeof(*m->warnings));
	m->warnings[m->n_warnings++] = str_ndup(text, strnlen(text, MANIFEST_TEXT_MAX));
}

void manifest_add_recipient(struct manifest *m, const char *text)
{
	m->recipients = grow(m->recipients, m->n_recipients + 1, sizeof(*m->recipients));
	m->recipients[m->n_recipients++] = str_dup(text);
}

struct manifest_member *manifest_member_find(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n_members; i++)
		if (strcmp(m->members[i].name, name) == 0)
			return &m->members[i];
	return NULL;
}

int64_t manifest_stored_bytes(const struct manifest *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n_members; i++)
		sum += m->members[i].stored_bytes;
	return sum;
}

int64_t manifest_plain_bytes(const struct manifest *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n_members; i++)
		sum += m->members[i].plain_bytes;
	return sum;
}

void backup_id_new(char to[BACKUP_ID_SIZE], int64_t started_ms)
{
	time_t seconds = (time_t)(started_ms / 1000);
	unsigned char random[3];
	struct tm tm;
	size_t n;

	if (!gmtime_r(&seconds, &tm) || getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	n = strftime(to, BACKUP_ID_SIZE, "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(
		to + n, BACKUP_ID_SIZE - n, "-%02x%02x%02x", random[0], random[1], random[2]);
}

bool backup_id_is_valid(const char *id)
{
	static const char pattern[] = "dddddddd"
				      "T"
				      "dddddd"
				      "Z-"
				      "xxxxxx";

	if (strlen(id) != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; pattern[i]; i++) {
		bool digit = id[i] >= '0' && id[i] <= '9';

		if (pattern[i] == 'd'       ? !digit
			: pattern[i] == 'x' ? !digit && (id[i] < 'a' || id[i] > 'f')
					    : id[i] != pattern[i])
			return false;
	}
	return true;
}

bool manifest_job_is_valid(const char *job)
{
	size_t n = strlen(job);

	return n > 0 && n <= 64 && *job != '.' && strspn(job, plain_chars) == n;
}

void manifest_data_key(char to[MANIFEST_KEY_MAX], const char *job, const char *id,
	const char *member, const char *suffix, unsigned segment)
{
	int n = snprintf(to, MANIFEST_KEY_MAX, "%s/%s/%s%s", job, id, member, suffix);

	if (segment > 1 && n >= 0 && n < MANIFEST_KEY_MAX)
		(void)snprintf(to + n, (size_t)(MANIFEST_KEY_MAX - n), ".%03u", segment);
}

void manifest_key(char to[MANIFEST_KEY_MAX], const char *job, const char *id)
{
	manifest_data_key(to, job, id, MANIFEST_NAME, "", 1);
}

/* Where neither format nor codec add a suffix, these would be taken for something else. */
static bool is_reserved(const char *title)
{
	return strcmp(title, MANIFEST_NAME) == 0 || str_ends(title, ".part") ||
	       (str_starts(title, "verified-") && str_ends(title, ".json"));
}

void manifest_member_name(char *to, size_t size, const char *title)
{
	char hash[HASH_SHA256_HEX_SIZE];
	size_t max = size - 1 < MEMBER_NAME_MAX ? size - 1 : MEMBER_NAME_MAX;
	size_t cut = max > MEMBER_HASH_DIGITS ? max - MEMBER_HASH_DIGITS - 1 : 0;
	size_t n = 0, keep = 0;
	bool reserved = is_reserved(title);

	for (const char *p = title; *p; p++) {
		bool plain = strchr(plain_chars, *p) && !(*p == '.' && (reserved || p == title));
		size_t len = plain ? 1 : 3;

		if (n + len > max) {
			/* What was cut off still tells two names apart. */
			hash_sha256_hex(hash, title, strlen(title));
			(void)snprintf(to + keep, size - keep, "-%.*s", MEMBER_HASH_DIGITS, hash);
			return;
		}
		if (plain)
			to[n] = *p;
		else
			(void)snprintf(to + n, size - n, "%%%02X", (unsigned char)*p);
		n += len;
		if (n <= cut)
			keep = n;
	}
	to[n] = '\0';
	if (n == 0)
		(void)str_copy(to, size, "%00"); /* no title has this one */
}

static json_t *member_summary(const struct manifest_member *m)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "name", m->name, "title",
		m->title ? m->title : m->name, "format", m->format ? m->format : "", "plain_bytes",
		(json_int_t)m->plain_bytes, "stored_bytes", (json_int_t)m->stored_bytes, "counts",
		counts_to_json(&m->counts));
}

json_t *manifest_summary(const struct manifest *m)
{
	json_t *members = json_array(), *warnings = json_array();

	for (size_t i = 0; i < m->n_members; i++)
		(void)json_array_append_new(members, member_summary(&m->members[i]));
	for (size_t i = 0; i < m->n_warnings; i++)
		(void)json_array_append_new(warnings, json_string(m->warnings[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b, s:I, s:I, "
			 "s:I, s:s, s:o}",
		"id", m->id, "job", m->job, "host", m->host, "engine", m->engine, "store",
		m->store ? m->store : "", "source", m->source ? m->source : "", "started_ms",
		(json_int_t)m->started_ms, "ended_ms", (json_int_t)m->ended_ms, "plain_bytes",
		(json_int_t)manifest_plain_bytes(m), "stored_bytes",
		(json_int_t)manifest_stored_bytes(m), "members", members, "encrypted",
		m->n_recipients > 0 || m->passphrase, "verified_ms", (json_int_t)m->verified_ms,
		"drilled_ms", (json_int_t)m->drilled_ms, "bad_ms", (json_int_t)m->bad_ms, "bad_why",
		m->bad_why ? m->bad_why : "", "warnings", warnings);
}
