/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/run_apply.h"

#include <errno.h>
#include <string.h>

#include "backup/stop.h"
#include "base/cleanup.h"

bool apply_wants(const struct run *r, const struct manifest_member *m)
{
	const char *only = r->o->restore.member;

	return !only || strcmp(only, m->name) == 0 || strcmp(only, m->title) == 0;
}

int apply_check_member(const struct run *r, const struct manifest *m, struct err *e)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(300);

	for (size_t i = 0; i < m->n_members; i++) {
		if (apply_wants(r, &m->members[i]))
			return 0;
		buf_addf(&names, "%s%s", i ? ", " : "", m->members[i].title);
	}
	return err_set(e, ENOENT, "the backup has no \"%s\"; it has %s", r->o->restore.member,
		buf_str(&names));
}

static int64_t wanted_bytes(const struct run *r, const struct manifest *m)
{
	int64_t all = 0;

	for (size_t i = 0; i < m->n_members; i++)
		all += apply_wants(r, &m->members[i]) ? m->members[i].stored_bytes : 0;
	return all;
}

int apply_check_stored(
	struct run *r, const struct chosen *c, const struct read_keys *k, struct err *e)
{
	const struct manifest *m = c->manifest;
	int64_t before = 0;
	int result = 0;

	for (size_t i = 0; i < m->n_members && result == 0; i++) {
		_cleanup_(read_member_done) struct read_member member = {.r = r};

		if (!apply_wants(r, &m->members[i]))
			continue;
		report_stage(r->report, "check", m->members[i].title, c->store->name);
		/* Opened to its plain bytes, so that a key that does not fit is known now. */
		result = read_member_open(r, c->store, m, &m->members[i], k, true, &member, e);
		member.before_bytes = before;
		member.all_bytes = wanted_bytes(r, m);
		if (result == 0)
			result = read_member_check(&member, e);
		before += m->members[i].stored_bytes;
	}
	return result;
}

int apply_member(struct run *r, const struct chosen *c, const struct manifest_member *m,
	const struct read_keys *k, struct sink *to, struct err *e)
{
	_cleanup_(read_member_done) struct read_member member = {.r = r};
	_cleanup_(sink_free_p) struct sink *checker = NULL;
	const struct format *format = format_find(m->format);
	int result;

	report_stage(r->report, "restore", m->title, c->store->name);
	result = format && format->checker ? format->checker(&checker, e) : 0;
	if (result == 0)
		result = read_member_open(r, c->store, c->manifest, m, k, true, &member, e);
	if (result == 0)
		result = read_member_pump(&member, checker, to, e);
	if (result == 0 && checker)
		result = sink_finish(checker, e);
	/* A target that is a program takes the end of its input as a commit: only now. */
	if (result == 0)
		result = sink_finish(to, e);
	return result;
}

static int apply_members(struct run *r, const struct engine_call *call,
	const struct engine_restore *how, struct engine_target *t, const struct chosen *c,
	const struct read_keys *k, struct err *e)
{
	const struct manifest *m = c->manifest;
	int result = 0;

	for (size_t i = 0; i < m->n_members && result == 0; i++) {
		_cleanup_(sink_free_p) struct sink *to = NULL;

		if (!apply_wants(r, &m->members[i]))
			continue;
		result = r->engine->restore_member(call, how, t, &m->members[i], &to, e);
		if (result == 0)
			result = apply_member(r, c, &m->members[i], k, to, e);
		if (result < 0 && result != -ECANCELED)
			(void)err_wrap(e, result, "%s", m->members[i].title);
	}
	return result;
}

int apply_backup(struct run *r, const struct engine_call *call, const struct engine_restore *how,
	const struct chosen *c, const struct read_keys *k, struct err *e)
{
	struct engine_target target = {.state = NULL};
	struct err end_error = {""};
	int result, end;

	result = r->engine->restore_begin(call, how, &target, e);
	if (result < 0)
		return result;
	result = apply_members(r, call, how, &target, c, k, e);
	/* Half of an end would be the worst of all. */
	stop_hold(true);
	end = r->engine->restore_end(call, how, &target, result == 0, &end_error);
	stop_hold(false);
	if (end == -EUCLEAN)
		json_object_set_new(r->result, "partial", json_true());
	if (result == 0) {
		*e = end_error;
		return end;
	}
	if (end < 0) {
		struct err why = *e;

		(void)err_set(e, -end, "%.240s; %.240s", why.msg, end_error.msg);
		return end == -EUCLEAN ? end : result;
	}
	return result;
}
