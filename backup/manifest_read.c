/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/manifest.h"
#include "base/str.h"

/* Sums of a thousand of them do not overflow. */
static const int64_t bytes_max = (int64_t)1 << 50;
/* Year 9999. */
static const int64_t time_max_ms = 253402300799000;

static bool has_controls(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static int get_text(const json_t *j, const char *name, size_t max, char **out, struct err *e)
{
	const json_t *v = json_object_get(j, name);
	const char *s = json_string_value(v);

	if (!s)
		return err_set(e, EBADMSG, "%s is missing", name);
	if (json_string_length(v) > max)
		return err_set(e, EBADMSG, "%s is longer than %zu bytes", name, max);
	if (strlen(s) != json_string_length(v) || (has_controls(s) && strcmp(name, "title") != 0))
		return err_set(e, EBADMSG, "%s has control characters", name);
	free(*out);
	*out = str_dup(s);
	return 0;
}

static int get_number(const json_t *j, const char *name, int64_t max, int64_t *out, struct err *e)
{
	const json_t *v = json_object_get(j, name);

	if (!json_is_integer(v))
		return err_set(e, EBADMSG, "%s is missing", name);
	if (json_integer_value(v) < 0 || json_integer_value(v) > max)
		return err_set(e, EBADMSG, "%s is out of range", name);
	*out = json_integer_value(v);
	return 0;
}

static int get_array(const json_t *j, const char *name, size_t min, size_t max, const json_t **out,
	struct err *e)
{
	const json_t *v = json_object_get(j, name);

	if (!json_is_array(v))
		return err_set(e, EBADMSG, "%s are missing", name);
	if (json_array_size(v) < min)
		return err_set(e, EBADMSG, "there are no %s", name);
	if (json_array_size(v) > max)
		return err_set(e, EBADMSG, "more than %zu %s", max, name);
	*out = v;
	return 0;
}

static int get_hash(const json_t *j, const char *name, char to[HASH_SHA256_HEX_SIZE], struct err *e)
{
	const char *s = json_string_value(json_object_get(j, name));

	if (!s || strlen(s) != HASH_SHA256_HEX_SIZE - 1 ||
		strspn(s, "0123456789abcdef") != HASH_SHA256_HEX_SIZE - 1)
		return err_set(e, EBADMSG, "%s is no SHA-256", name);
	(void)str_copy(to, HASH_SHA256_HEX_SIZE, s);
	return 0;
}

/* ".sql.zst.age"; a program's output as it is has none. */
static bool suffix_is_valid(const char *s)
{
	return !*s || (*s == '.' && s[1] &&
			      strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._") == strlen(s));
}

static bool is_reserved(const struct manifest *m, const char *key)
{
	char name[MANIFEST_KEY_MAX];

	manifest_key(name, m->job, m->id);
	if (strcmp(key, name) == 0 || str_ends(key, ".part"))
		return true;
	manifest_data_key(name, m->job, m->id, "verified-", "", 1);
	return str_starts(key, name) && str_ends(key, ".json");
}

/* JOB/ID/NAME.SUFFIX, then the same with .002, .003: nothing else may be read, and above all removed, in the name of this
 * backup. */
static int check_key(const struct manifest *m, const struct manifest_member *member,
	const char *key, size_t nth, struct err *e)
{
	char want[MANIFEST_KEY_MAX], number[24] = "";
	const char *first = nth ? member->segments[0].key : NULL;
	size_t n;

	manifest_data_key(want, m->job, m->id, member->name, "", 1);
	n = strlen(want);
	if (strncmp(key, want, n) != 0 || !suffix_is_valid(key + n) || is_reserved(m, key))
		return err_set(e, EBADMSG, "key %s is not one of this backup", key);
	(void)snprintf(number, sizeof(number), ".%03zu", nth + 1);
	if (first && (strncmp(key, first, strlen(first)) != 0 ||
			     strcmp(key + strlen(first), number) != 0))
		return err_set(e, EBADMSG, "key %s is no segment of %s", key, first);
	return 0;
}

static int get_segments(
	const json_t *j, const struct manifest *m, struct manifest_member *member, struct err *e)
{
	const json_t *segments, *one;
	int64_t sum = 0;
	size_t i;
	int r = get_array(j, "segments", 1, MANIFEST_SEGMENTS_MAX, &segments, e);

	if (r < 0)
		return r;
	json_array_foreach(segments, i, one)
	{
		_cleanup_(free_p) char *key = NULL;
		_cleanup_(free_p) char *etag = NULL;
		int64_t bytes;

		if ((r = get_text(one, "key", MANIFEST_KEY_MAX - 1, &key, e)) < 0 ||
			(r = get_text(one, "etag", 256, &etag, e)) < 0 ||
			(r = get_number(one, "bytes", bytes_max, &bytes, e)) < 0 ||
			(r = check_key(m, member, key, i, e)) < 0)
			return r;
		manifest_add_segment(member, key, bytes, etag);
		sum += bytes;
	}
	if (sum != member->stored_bytes)
		return err_set(e, EBADMSG, "its segments are %" PRId64 " bytes, not %" PRId64, sum,
			member->stored_bytes);
	return 0;
}

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && *name != '.' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-%") ==
		       n;
}

static int check_member(
	const struct manifest *m, const struct manifest_member *member, struct err *e)
{
	bool as_is = m->codec == CODEC_NONE && m->n_recipients == 0 && !m->passphrase;

	if (as_is && (member->plain_bytes != member->stored_bytes ||
			     strcmp(member->plain_sha256, member->stored_sha256) != 0))
		return err_set(e, EBADMSG,
			"it is neither compressed nor encrypted, but not what was dumped");
	return 0;
}

static int get_member(const json_t *j, struct manifest *m, struct err *e)
{
	_cleanup_(free_p) char *name = NULL;
	struct manifest_member *member;
	const json_t *counts = json_object_get(j, "counts");
	int r = get_text(j, "name", 255, &name, e);

	if (r < 0)
		return r;
	if (!name_is_valid(name))
		return err_set(e, EBADMSG, "a member has no proper name");
	if (manifest_member_find(m, name))
		return err_set(e, EBADMSG, "%s is there twice", name);
	member = manifest_add_member(m, name);
	if ((r = get_text(j, "title", 1024, &member->title, e)) < 0 ||
		(r = get_text(j, "format", 64, &member->format, e)) < 0 ||
		(r = get_number(j, "plain_bytes", bytes_max, &member->plain_bytes, e)) < 0 ||
		(r = get_number(j, "stored_bytes", bytes_max, &member->stored_bytes, e)) < 0 ||
		(r = get_hash(j, "plain_sha256", member->plain_sha256, e)) < 0 ||
		(r = get_hash(j, "stored_sha256", member->stored_sha256, e)) < 0 ||
		(r = get_segments(j, m, member, e)) < 0 || (r = check_member(m, member, e)) < 0)
		return err_wrap(e, r, "%s", name);
	return err_wrap(e, counts ? counts_from_json(counts, &member->counts, e) : 0, "%s", name);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "a" with suffix ".b.sql" and "a.b" with ".sql" would share a key. */
static int check_keys(const struct manifest *m, struct err *e)
{
	_cleanup_(free_p) const char **keys = NULL;
	size_t n = 0, k = 0;

	for (size_t i = 0; i < m->n_members; i++)
		n += m->members[i].n_segments;
	if (n > MANIFEST_SEGMENTS_MAX)
		return err_set(e, EBADMSG, "more than %d segments", MANIFEST_SEGMENTS_MAX);
	keys = calloc(n + 1, sizeof(*keys));
	if (!keys)
		abort();
	for (size_t i = 0; i < m->n_members; i++)
		for (size_t s = 0; s < m->members[i].n_segments; s++)
			keys[k++] = m->members[i].segments[s].key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return err_set(e, EBADMSG, "two of it share the key %s", keys[i]);
	return 0;
}

static int get_head(const json_t *j, struct manifest *m, struct err *e)
{
	_cleanup_(free_p) char *id = NULL;
	_cleanup_(free_p) char *codec = NULL;
	int r;

	if ((r = get_text(j, "id", BACKUP_ID_SIZE - 1, &id, e)) < 0 ||
		(r = get_text(j, "job", 64, &m->job, e)) < 0 ||
		(r = get_text(j, "host", 255, &m->host, e)) < 0 ||
		(r = get_text(j, "engine", 64, &m->engine, e)) < 0 ||
		(r = get_text(j, "server_version", MANIFEST_TEXT_MAX, &m->server_version, e)) < 0 ||
		(r = get_text(j, "tool_version", MANIFEST_TEXT_MAX, &m->tool_version, e)) < 0 ||
		(r = get_text(j, "agent_version", 64, &m->agent_version, e)) < 0 ||
		(r = get_text(j, "store", 255, &m->store, e)) < 0 ||
		(r = get_text(j, "source", MANIFEST_TEXT_MAX, &m->source, e)) < 0 ||
		(r = get_number(j, "started_ms", time_max_ms, &m->started_ms, e)) < 0 ||
		(r = get_number(j, "ended_ms", time_max_ms, &m->ended_ms, e)) < 0 ||
		(r = get_number(j, "locked_until_ms", INT64_MAX, &m->locked_until_ms, e)) < 0 ||
		(r = get_text(j, "codec", 64, &codec, e)) < 0)
		return r;
	if (!backup_id_is_valid(id))
		return err_set(e, EBADMSG, "id is no id of a backup");
	(void)str_copy(m->id, sizeof(m->id), id);
	if (!manifest_job_is_valid(m->job))
		return err_set(e, EBADMSG, "job is no name of a job");
	if (codec_find(codec, &m->codec) < 0)
		return err_set(e, EBADMSG, "codec %s is not known", codec);
	if (!json_is_boolean(json_object_get(j, "passphrase")))
		return err_set(e, EBADMSG, "passphrase is missing");
	m->passphrase = json_is_true(json_object_get(j, "passphrase"));
	return 0;
}

static int get_texts(const json_t *j, const char *name, size_t max, struct manifest *m,
	void (*add)(struct manifest *m, const char *text), struct err *e)
{
	const json_t *texts, *one;
	size_t i;
	int r = get_array(j, name, 0, max, &texts, e);

	if (r < 0)
		return r;
	json_array_foreach(texts, i, one)
	{
		const char *s = json_string_value(one);

		if (!s || json_string_length(one) > MANIFEST_TEXT_MAX ||
			strlen(s) != json_string_length(one) || has_controls(s))
			return err_set(e, EBADMSG, "one of the %s is no proper text", name);
		add(m, s);
	}
	return 0;
}

static int get_all(const json_t *j, struct manifest *m, struct err *e)
{
	const json_t *members, *one;
	int64_t version;
	size_t i;
	int r;

	if (!json_is_object(j))
		return err_set(e, EBADMSG, "it is no JSON object");
	if ((r = get_number(j, "version", INT64_MAX, &version, e)) < 0)
		return r;
	if (version > MANIFEST_VERSION)
		return err_set(e, EPROTO,
			"it was written by a newer version of the agent (format %" PRId64
			", this one reads %d)",
			version, MANIFEST_VERSION);
	if ((r = get_head(j, m, e)) < 0 ||
		(r = get_texts(j, "recipients", MANIFEST_RECIPIENTS_MAX, m, manifest_add_recipient,
			 e)) < 0 ||
		(r = get_texts(j, "warnings", MANIFEST_WARNINGS_MAX, m, manifest_add_warning, e)) <
			0 ||
		(r = get_array(j, "members", 1, MANIFEST_MEMBERS_MAX, &members, e)) < 0)
		return r;
	json_array_foreach(members, i, one)
	{
		if ((r = get_member(one, m, e)) < 0)
			return r;
	}
	return check_keys(m, e);
}

int manifest_from_text(const char *text, size_t n, struct manifest **out, struct err *e)
{
	_cleanup_(manifest_free_p) struct manifest *m = manifest_new();
	json_error_t error;
	json_t *j;
	int r;

	if (n > MANIFEST_BYTES_MAX)
		return err_set(
			e, EBADMSG, "manifest: it is larger than %d bytes", MANIFEST_BYTES_MAX);
	j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!j)
		return err_set(e, EBADMSG, "manifest: line %d: %s", error.line, error.text);
	r = get_all(j, m, e);
	json_decref(j);
	if (r < 0)
		return err_wrap(e, r, "manifest");
	*out = TAKE_PTR(m);
	return 0;
}
