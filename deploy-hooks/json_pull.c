/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/json_pull.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include <yajl/yajl_version.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "deploy-hooks/json_gate.h"

enum { PIECE = 16384 };

/* An object or array that is open. */
struct frame {
	bool is_array;
	size_t path_len; /* of the path to it */
	size_t first_key;
};

struct json_pull {
	json_pull_fn fn;
	void *user;
	struct err *e;
	int result;
	struct frame frames[JSON_PULL_DEPTH_MAX];
	size_t depth;
	uint64_t keys[JSON_PULL_KEYS_MAX]; /* hashes of the keys of all open objects */
	size_t n_keys;
	char path[JSON_PULL_PATH_MAX + 1];
	size_t path_len;
	char text[JSON_GATE_TEXT_MAX + 16];
	struct json_gate gate;
	char in[PIECE], passed[PIECE + JSON_GATE_EXTRA];
};

static int refuse(struct json_pull *p, const char *what, size_t limit)
{
	p->result = err_set(p->e, EBADMSG, "%s (at most %zu)", what, limit);
	return 0;
}

static void path_add(struct json_pull *p, const char *s, size_t n)
{
	bool dot = p->path_len > 0 && *s != '[';

	/* What does not fit is left out: by then the path is longer than any that is asked for. */
	if (p->path_len + dot + n > JSON_PULL_PATH_MAX)
		return;
	if (dot)
		p->path[p->path_len++] = '.';
	memcpy(p->path + p->path_len, s, n);
	p->path_len += n;
	p->path[p->path_len] = '\0';
}

static void path_back(struct json_pull *p, size_t len)
{
	p->path_len = len;
	p->path[len] = '\0';
}

/* A value begins: in an array its path is the array's. */
static void enter(struct json_pull *p)
{
	if (p->depth > 0 && p->frames[p->depth - 1].is_array)
		path_add(p, "[]", 2);
}

/* It has ended: back to the path of what it is in. */
static void leave(struct json_pull *p)
{
	path_back(p, p->depth > 0 ? p->frames[p->depth - 1].path_len : 0);
}

/* Ended by a NUL. False: it is not UTF-8. The library looks at the lengths of characters only, and lets overlong ones
 * and halves of pairs pass. */
static bool set_text(struct json_pull *p, const void *text, size_t n)
{
	assert(n < sizeof(p->text));
	if (n > 0)
		memcpy(p->text, text, n);
	p->text[n] = '\0';
	for (size_t i = 0, size; i < n; i += size) {
		size = (unsigned char)p->text[i] < 0x80 ? 1 : str_utf8_char(p->text + i);
		if (size == 0)
			return false;
	}
	return true;
}

static int tell(struct json_pull *p, enum json_pull_kind kind, const void *text, size_t n)
{
	struct json_pull_value v = {p->path, kind, p->text, n};

	if (!set_text(p, text, n)) {
		p->result = err_set(p->e, EBADMSG, "this is not JSON: a text is not UTF-8");
		return 0;
	}
	p->result = p->fn(p->user, &v, p->e);
	return p->result == 0;
}

static int on_simple(struct json_pull *p, enum json_pull_kind kind, const void *text, size_t n)
{
	int more;

	enter(p);
	more = tell(p, kind, text, n);
	leave(p);
	return more;
}

static int on_null(void *user)
{
	return on_simple(user, JSON_PULL_NULL, NULL, 0);
}

static int on_boolean(void *user, int value)
{
	return on_simple(user, value ? JSON_PULL_TRUE : JSON_PULL_FALSE, NULL, 0);
}

static int on_number(void *user, const char *text, size_t n)
{
	return on_simple(user, JSON_PULL_NUMBER, text, n);
}

static int on_text(void *user, const unsigned char *text, size_t n)
{
	return on_simple(user, JSON_PULL_TEXT, text, n);
}

static int begin(struct json_pull *p, bool is_array)
{
	if (p->depth == JSON_PULL_DEPTH_MAX)
		return refuse(p, "objects and arrays within each other too deep", p->depth);
	enter(p);
	p->frames[p->depth++] = (struct frame){is_array, p->path_len, p->n_keys};
	return tell(p, JSON_PULL_BEGIN, NULL, 0);
}

static int end(struct json_pull *p)
{
	const struct frame *f = &p->frames[p->depth - 1];
	int more;

	path_back(p, f->path_len);
	p->n_keys = f->first_key;
	more = tell(p, JSON_PULL_END, NULL, 0);
	p->depth--;
	leave(p);
	return more;
}

static int on_object(void *user)
{
	return begin(user, false);
}

static int on_array(void *user)
{
	return begin(user, true);
}

static int on_end(void *user)
{
	return end(user);
}

/* FNV-1a of 64 bits. The same key has the same hash, so none that comes twice is missed; whoever makes two keys that
 * share a hash has only his own delivery refused. */
static uint64_t hash(const unsigned char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 0x100000001b3u;
	return h;
}

static bool is_plain(const unsigned char *key, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (key[i] < 0x20 || strchr(".[]", key[i]))
			return false;
	return n > 0;
}

static int on_key(void *user, const unsigned char *key, size_t n)
{
	struct json_pull *p = user;
	const struct frame *f = &p->frames[p->depth - 1];
	uint64_t h = hash(key, n);

	if (n > JSON_PULL_KEY_MAX)
		return refuse(p, "a key is too long", JSON_PULL_KEY_MAX);
	if (!set_text(p, key, n)) {
		p->result = err_set(p->e, EBADMSG, "this is not JSON: a key is not UTF-8");
		return 0;
	}
	for (size_t i = f->first_key; i < p->n_keys; i++)
		if (p->keys[i] == h) {
			p->result = err_set(p->e, EBADMSG, "%s has a key twice",
				f->path_len > 0 ? p->path : "the whole object");
			return 0;
		}
	if (p->n_keys == JSON_PULL_KEYS_MAX)
		return refuse(p, "too many keys", JSON_PULL_KEYS_MAX);
	p->keys[p->n_keys++] = h;
	path_back(p, f->path_len);
	if (is_plain(key, n))
		path_add(p, (const char *)key, n);
	else
		path_add(p, "?", 1);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_text,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_end,
};

DEFINE_CLEANUP(yajl_handle, yajl_free);

static int verdict(struct json_pull *p, yajl_handle y, yajl_status status)
{
	unsigned char *text;

	if (status == yajl_status_ok)
		return 0;
	if (status == yajl_status_client_canceled)
		return p->result;
	text = yajl_get_error(y, 0, NULL, 0);
	text[strcspn((char *)text, "\n")] = '\0';
	p->result = err_set(p->e, EBADMSG, "this is not JSON: %s", (char *)text);
	yajl_free_error(y, text);
	return p->result;
}

static int feed(struct json_pull *p, yajl_handle y, size_t n)
{
	size_t passed;
	int r = json_gate_pass(&p->gate, p->in, n, p->passed, &passed, p->e);

	return r < 0 ? r : verdict(p, y, yajl_parse(y, (const unsigned char *)p->passed, passed));
}

int json_pull(const struct body_reader *body, json_pull_fn fn, void *user, struct err *e)
{
	_cleanup_(free_p) struct json_pull *p = calloc(1, sizeof(*p));
	_cleanup_(yajl_free_p) yajl_handle y = p ? yajl_alloc(&callbacks, NULL, p) : NULL;
	int r;

	if (!p || !y)
		return err_set(e, ENOMEM, "no memory to read JSON");
	p->fn = fn;
	p->user = user;
	p->e = e;
	for (;;) {
		ssize_t n = body->read(body->user, p->in, sizeof(p->in), e);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return verdict(p, y, yajl_complete_parse(y));
		r = feed(p, y, (size_t)n);
		if (r != 0)
			return r;
	}
}

const char *json_pull_library_version(void)
{
	static char text[24];
	int v = yajl_version();

	(void)snprintf(text, sizeof(text), "%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
	return text;
}
