/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "backup/manifest.h"
#include "base/buf.h"
#include "base/str.h"

enum { KEEPS_CONTROLS = 1 };

/* Texts come from servers and programs: what is no UTF-8 would make them vanish, and control characters have no business on
 * somebody's terminal. */
static json_t *text_to_json(const char *s, int flags)
{
	struct buf clean = BUF_INIT(SIZE_MAX / 2);
	json_t *j;

	for (s = s ? s : ""; *s && clean.len < MANIFEST_TEXT_MAX;) {
		size_t n = str_utf8_char(s);

		if (n == 0)
			buf_adds(&clean, "\xef\xbf\xbd");
		else if (n == 1 && !flags && ((unsigned char)*s < 0x20 || *s == 0x7f))
			buf_addc(&clean, ' ');
		else
			buf_add(&clean, s, n);
		s += n ? n : 1;
	}
	j = json_string(buf_str(&clean));
	buf_done(&clean);
	return j;
}

json_t *manifest_text_to_json(const char *text)
{
	return text_to_json(text, 0);
}

static void set(json_t *j, const char *name, json_t *value)
{
	if (json_object_set_new(j, name, value) < 0)
		abort();
}

static void set_text(json_t *j, const char *name, const char *text)
{
	set(j, name, text_to_json(text, 0));
}

static json_t *texts_to_json(char *const *texts, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(j, text_to_json(texts[i], 0));
	return j;
}

static json_t *segments_to_json(const struct manifest_member *m)
{
	json_t *j = json_array();

	for (size_t i = 0; i < m->n_segments; i++) {
		json_t *one = json_object();

		set_text(one, "key", m->segments[i].key);
		set(one, "bytes", json_integer(m->segments[i].bytes));
		set_text(one, "etag", m->segments[i].etag);
		(void)json_array_append_new(j, one);
	}
	return j;
}

static json_t *member_to_json(const struct manifest_member *m)
{
	json_t *j = json_object();

	set_text(j, "name", m->name);
	set(j, "title", text_to_json(m->title ? m->title : m->name, KEEPS_CONTROLS));
	set_text(j, "format", m->format);
	set(j, "plain_bytes", json_integer(m->plain_bytes));
	set(j, "stored_bytes", json_integer(m->stored_bytes));
	set_text(j, "plain_sha256", m->plain_sha256);
	set_text(j, "stored_sha256", m->stored_sha256);
	set(j, "counts", counts_to_json(&m->counts));
	set(j, "segments", segments_to_json(m));
	return j;
}

char *manifest_to_text(const struct manifest *m)
{
	json_t *j = json_object(), *members = json_array();
	char *text;

	set(j, "version", json_integer(MANIFEST_VERSION));
	set_text(j, "id", m->id);
	set_text(j, "job", m->job);
	set_text(j, "host", m->host);
	set_text(j, "engine", m->engine);
	set_text(j, "server_version", m->server_version);
	set_text(j, "tool_version", m->tool_version);
	set_text(j, "agent_version", m->agent_version);
	set_text(j, "store", m->store);
	set_text(j, "source", m->source);
	set(j, "started_ms", json_integer(m->started_ms));
	set(j, "ended_ms", json_integer(m->ended_ms));
	set_text(j, "codec", codec_name(m->codec));
	set(j, "recipients", texts_to_json(m->recipients, m->n_recipients));
	set(j, "passphrase", json_boolean(m->passphrase));
	set(j, "locked_until_ms", json_integer(m->locked_until_ms));
	for (size_t i = 0; i < m->n_members; i++)
		(void)json_array_append_new(members, member_to_json(&m->members[i]));
	set(j, "members", members);
	set(j, "warnings", texts_to_json(m->warnings, m->n_warnings));
	text = json_dumps(j, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_decref(j);
	if (!text)
		abort();
	return text;
}
