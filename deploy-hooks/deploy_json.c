/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "deploy-hooks/deploy.h"

enum kind { TEXT, INT64, UNSIGNED, STATE, STRATEGY };

/* One member, the same in both directions. */
struct member {
	const char *name;
	enum kind kind;
	size_t offset, size;
};

#define MEMBER(type, field, kind)                                                                  \
	{                                                                                          \
#field, kind, offsetof(type, field), sizeof(((type *)0)->field)                    \
	}

static const struct member members[] = {
	MEMBER(struct deploy, id, INT64),
	MEMBER(struct deploy, app, TEXT),
	MEMBER(struct deploy, state, STATE),
	MEMBER(struct deploy, strategy, STRATEGY),
	MEMBER(struct deploy, watch_ms, INT64),
	MEMBER(struct deploy, drain_ms, INT64),
	MEMBER(struct deploy, trigger, TEXT),
	MEMBER(struct deploy, by, TEXT),
	MEMBER(struct deploy, provider, TEXT),
	MEMBER(struct deploy, delivery, TEXT),
	MEMBER(struct deploy, ref, TEXT),
	MEMBER(struct deploy, commit, TEXT),
	MEMBER(struct deploy, before, TEXT),
	MEMBER(struct deploy, author, TEXT),
	MEMBER(struct deploy, subject, TEXT),
	MEMBER(struct deploy, queued_ms, INT64),
	MEMBER(struct deploy, started_ms, INT64),
	MEMBER(struct deploy, ended_ms, INT64),
	MEMBER(struct deploy, deadline_ms, INT64),
	MEMBER(struct deploy, stage, TEXT),
	MEMBER(struct deploy, attempt, UNSIGNED),
	MEMBER(struct deploy, requeued, UNSIGNED),
	MEMBER(struct deploy, after, STATE),
	MEMBER(struct deploy, failed_in, STATE),
	MEMBER(struct deploy, error, TEXT),
	MEMBER(struct deploy, rollback_of, INT64),
	MEMBER(struct deploy, superseded_by, INT64),
	MEMBER(struct deploy, downtime_ms, INT64),
	MEMBER(struct deploy, verdict_ms, INT64),
	MEMBER(struct deploy, verdict_grade, TEXT),
	MEMBER(struct deploy, verdict, TEXT),
};

static const struct member version_members[] = {
	MEMBER(struct deploy_version, image, TEXT),
	MEMBER(struct deploy_version, digest, TEXT),
	MEMBER(struct deploy_version, container, TEXT),
	MEMBER(struct deploy_version, address, TEXT),
};

/* Hooks print what they like, and a commit's author has any bytes. A byte for a byte, so that it fits when it is read. */
static json_t *text_to_json(const char *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(DEPLOY_ERROR_SIZE);

	for (size_t n; *s; s += n ? n : 1) {
		n = str_utf8_char(s);
		buf_add(&b, n ? s : "?", n ? n : 1);
	}
	return json_string(buf_str(&b));
}

static json_t *member_to_json(const struct member *m, const void *object)
{
	const void *field = (const char *)object + m->offset;

	switch (m->kind) {
	case TEXT:
		return text_to_json(field);
	case INT64:
		return json_integer(*(const int64_t *)field);
	case UNSIGNED:
		return json_integer(*(const unsigned *)field);
	case STATE:
		return json_string(deploy_state_name(*(const enum deploy_state *)field));
	case STRATEGY:
		return json_string(deploy_strategy_name(*(const enum deploy_strategy *)field));
	}
	return NULL;
}

static json_t *object_to_json(const struct member *list, size_t n, const void *object)
{
	json_t *j = json_object();

	for (size_t i = 0; i < n; i++)
		(void)json_object_set_new(j, list[i].name, member_to_json(&list[i], object));
	return j;
}

static json_t *version_to_json(const struct deploy_version *v)
{
	return object_to_json(version_members, ARRAY_LEN(version_members), v);
}

json_t *deploy_to_json(const struct deploy *d)
{
	json_t *j = object_to_json(members, ARRAY_LEN(members), d);

	(void)json_object_set_new(j, "new", version_to_json(&d->new));
	(void)json_object_set_new(j, "old", version_to_json(&d->old));
	(void)json_object_set(j, "stages", d->stages);
	if (d->document)
		(void)json_object_set(j, "document", d->document);
	return j;
}

static int bad(const struct member *m, struct err *e)
{
	return err_set(e, EBADMSG, "the record of a deploy has no usable \"%s\"", m->name);
}

static int member_from_json(
	const struct member *m, const json_t *value, void *object, struct err *e)
{
	void *field = (char *)object + m->offset;
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	switch (m->kind) {
	case TEXT:
		return text && str_copy(field, m->size, text) ? 0 : bad(m, e);
	case INT64:
		if (!json_is_integer(value))
			return bad(m, e);
		*(int64_t *)field = number;
		return 0;
	case UNSIGNED:
		if (!json_is_integer(value) || number < 0 || number > INT_MAX)
			return bad(m, e);
		*(unsigned *)field = (unsigned)number;
		return 0;
	case STATE:
		return text && deploy_state_find(text, field) == 0 ? 0 : bad(m, e);
	case STRATEGY:
		return text && deploy_strategy_find(text, field) == 0 ? 0 : bad(m, e);
	}
	return bad(m, e);
}

/* What an earlier version did not write yet stays as it is. */
static int object_from_json(
	const struct member *list, size_t n, const json_t *j, void *object, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(j, list[i].name);
		int r = value ? member_from_json(&list[i], value, object, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int version_from_json(const json_t *j, struct deploy_version *v, struct err *e)
{
	return object_from_json(version_members, ARRAY_LEN(version_members), j, v, e);
}

int deploy_from_json(const json_t *j, struct deploy **out, struct err *e)
{
	_cleanup_(deploy_free_p) struct deploy *d = deploy_new("");
	json_t *stages = json_object_get(j, "stages"), *document = json_object_get(j, "document");
	int r = object_from_json(members, ARRAY_LEN(members), j, d, e);

	if (r == 0 && (!*d->app || !json_object_get(j, "state")))
		r = err_set(e, EBADMSG, "this is no record of a deploy");
	if (r == 0)
		r = version_from_json(json_object_get(j, "new"), &d->new, e);
	if (r == 0)
		r = version_from_json(json_object_get(j, "old"), &d->old, e);
	if (r < 0)
		return r;
	if (stages && (!json_is_array(stages) || json_array_size(stages) > DEPLOY_STAGES_MAX))
		return err_set(e, EBADMSG, "the record of a deploy has no usable \"stages\"");
	if (stages) {
		json_decref(d->stages);
		/* Its own: they change as it goes on. */
		d->stages = json_deep_copy(stages);
	}
	d->document = json_incref(document);
	*out = TAKE_PTR(d);
	return 0;
}
