/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/upstream.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "base/wire.h"

static bool is_post(const struct route *r)
{
	return strcmp(r->method, "POST") == 0;
}

static const struct route_param *find_param(const struct route *r, const char *name)
{
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++)
		if (strcmp(r->params[i].name, name) == 0)
			return &r->params[i];
	return NULL;
}

static bool is_kind(const struct route_param *p, const char *type)
{
	return strcmp(p->type, type) == 0;
}

static int check_integer(const struct route_param *p, int64_t v, struct err *e)
{
	if (v < p->min || v > p->max)
		return err_set(e, EINVAL, "%s must be from %" PRId64 " to %" PRId64, p->name,
			p->min, p->max);
	return 0;
}

static int check_text(const struct route_param *p, size_t len, struct err *e)
{
	if (len < (size_t)p->min)
		return err_set(e, EINVAL, "%s must not be empty", p->name);
	if (len > (size_t)p->max)
		return err_set(
			e, EINVAL, "%s may have %" PRId64 " bytes, not %zu", p->name, p->max, len);
	return 0;
}

static int check_member(const struct route_param *p, const json_t *v, struct err *e)
{
	if (is_kind(p, "integer") && json_is_integer(v))
		return check_integer(p, json_integer_value(v), e);
	if (is_kind(p, "string") && json_is_string(v))
		return check_text(p, json_string_length(v), e);
	if (is_kind(p, "number") && json_is_number(v))
		return 0;
	if (is_kind(p, "boolean") && json_is_boolean(v))
		return 0;
	return err_set(e, EINVAL, "%s must be %s %s", p->name, is_kind(p, "integer") ? "an" : "a",
		p->type);
}

/* The names a body may have, for who wrote another one. */
static int unknown_member(const struct route *r, const char *name, struct err *e)
{
	_cleanup_(buf_done) struct buf known = BUF_INIT(1024);

	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++) {
		if (route_has_segment(r, r->params[i].name))
			continue;
		buf_addf(&known, "%s%s", known.len ? ", " : "", r->params[i].name);
	}
	if (known.len == 0)
		return err_set(e, EINVAL, "the body must be empty");
	return err_set(e, EINVAL, "the body may not have \"%.40s\"; it may have %s", name,
		buf_str(&known));
}

int relay_take_body(const struct route *r, const json_t *body, json_t *request, struct err *e)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)body, name, v)
	{
		const struct route_param *p = find_param(r, name);
		int result;

		if (!p || route_has_segment(r, p->name))
			return unknown_member(r, name, e);
		result = check_member(p, v, e);
		if (result < 0)
			return result;
		(void)json_object_set(request, name, v);
	}
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++) {
		const struct route_param *p = &r->params[i];

		if (p->required && !route_has_segment(r, p->name) &&
			!json_object_get(body, p->name))
			return err_set(e, EINVAL, "%s is missing: %s", p->name, p->doc);
	}
	return 0;
}

static int take_boolean(
	const struct route_param *p, const char *text, json_t *request, struct err *e)
{
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return err_set(e, EINVAL, "%s must be true or false", p->name);
	(void)json_object_set_new(request, p->name, json_boolean(yes));
	return 0;
}

static int take_text(const struct route_param *p, const char *text, json_t *request, struct err *e)
{
	double number = 0;
	int64_t v = 0;
	int r;

	if (is_kind(p, "number")) {
		r = str_to_double(text, &number, NULL);
		if (r < 0)
			return err_set(e, EINVAL, "%s must be a number", p->name);
		(void)json_object_set_new(request, p->name, json_real(number));
		return 0;
	}
	if (is_kind(p, "integer")) {
		r = str_to_i64(text, &v, NULL) < 0
			    ? err_set(e, EINVAL, "%s must be a whole number", p->name)
			    : check_integer(p, v, e);
		if (r == 0)
			(void)json_object_set_new(request, p->name, json_integer(v));
		return r;
	}
	if (is_kind(p, "boolean"))
		return take_boolean(p, text, request, e);
	r = check_text(p, strlen(text), e);
	if (r == 0)
		(void)json_object_set_new(request, p->name, json_string(text));
	return r;
}

static int take_segment(const struct route *r, const char *path, const struct route_param *p,
	json_t *request, struct err *e)
{
	_cleanup_(free_p) char *text = NULL;
	size_t len;
	const char *at = route_segment(r, path, p->name, &len);
	int result = query_decode_segment(at, len, &text, e);

	return result < 0 ? result : take_text(p, text, request, e);
}

int relay_take_address(const struct route *r, const char *path, const struct query *q,
	json_t *request, struct err *e)
{
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++) {
		const struct route_param *p = &r->params[i];
		const char *text = is_post(r) ? NULL : query_get(q, p->name);
		int result = 0;

		if (route_has_segment(r, p->name))
			result = take_segment(r, path, p, request, e);
		else if (text && *text)
			result = take_text(p, text, request, e);
		if (result < 0)
			return result;
	}
	return 0;
}

static int add_piece(const char *piece, size_t n, void *user)
{
	buf_add(user, piece, n);
	return 0;
}

void relay_write(struct buf *b, const json_t *answer)
{
	const char *name;
	bool first = true;
	json_t *v;

	buf_addc(b, '{');
	json_object_foreach((json_t *)(uintptr_t)answer, name, v)
	{
		if (strcmp(name, "id") == 0 || strcmp(name, "ok") == 0)
			continue;
		buf_adds(b, first ? "" : ", ");
		buf_add_json_string(b, name);
		buf_adds(b, ": ");
		/* 15 digits are what a double holds; the 17 of the default show 93.1 as
		 * 93.099999999999994. */
		(void)json_dump_callback(
			v, add_piece, b, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		first = false;
	}
	buf_adds(b, "}\n");
}

static void on_answer(struct call *c, const json_t *answer)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	relay_write(&b, answer);
	call_json(c, &b);
}

/* The body of a POST: a JSON object, or nothing. NULL with *e. */
static json_t *parse_body(struct call *c, struct err *e)
{
	size_t len;
	const char *text = http_body(c->rq, &len);
	json_t *body = len ? wire_parse(text, len, NULL) : json_object();

	if (!body)
		(void)err_set(e, EINVAL, "the body must be a JSON object");
	return body;
}

void relay_within(struct call *c, const char *op, int64_t timeout_ms)
{
	json_t *request = json_pack("{s:s}", "op", op);
	json_t *body = NULL;
	struct err e;
	int r = relay_take_address(c->route, http_path(c->rq), &c->query, request, &e);

	if (r == 0 && is_post(c->route)) {
		body = parse_body(c, &e);
		r = body ? relay_take_body(c->route, body, request, &e) : -EINVAL;
	}
	json_decref(body);
	if (r == 0) {
		call_ask_within(c, request, timeout_ms, on_answer);
		return;
	}
	json_decref(request);
	call_fail(c, 400, "%s", e.msg);
}

void relay(struct call *c, const char *op)
{
	relay_within(c, op, UPSTREAM_TIMEOUT_MS);
}
