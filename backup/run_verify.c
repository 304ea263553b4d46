/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the newest backup (or the one named) back from each store, and proves as much of it as can be proved here: the
 * stored bytes always; what is inside when there is a key; that the engine's own tool reads it when there is one.
 */
#include <errno.h>
#include <string.h>

#include "backup/run_read.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum depth { DEPTH_PROOF, DEPTH_PLAIN, DEPTH_STORED };

struct verify {
	struct run *r;
	struct chosen *c;
	struct read_keys keys;
	enum depth depth; /* the least over all members */
	bool has_engine;
};

static void at_most(struct verify *v, enum depth d)
{
	if (d > v->depth)
		v->depth = d;
}

/* What a checker or the engine's tool says about the plain bytes. */
struct judges {
	struct sink *checker, *proof;
};

static void judges_done(struct judges *j)
{
	sink_free(j->checker);
	sink_free(j->proof);
}

static int judges_open(
	struct verify *v, const struct manifest_member *m, struct judges *j, struct err *e)
{
	const struct format *f = format_find(m->format);
	struct run *r = v->r;
	int result = f && f->checker ? f->checker(&j->checker, e) : 0;

	if (result == 0 && v->has_engine && r->engine->proof)
		result = r->engine->proof(&r->call, m, &j->proof, e);
	if (result == 0 && !j->proof)
		at_most(v, DEPTH_PLAIN);
	return result;
}

static int verify_member(struct verify *v, const struct manifest_member *m, struct err *e)
{
	_cleanup_(read_member_done) struct read_member member = {.r = v->r};
	_cleanup_(judges_done) struct judges j = {NULL, NULL};
	bool plain = read_can_open(v->c->manifest, &v->keys);
	int result = 0;

	report_stage(v->r->report, "check", m->title, v->c->store->name);
	if (plain)
		result = judges_open(v, m, &j, e);
	else
		at_most(v, DEPTH_STORED);
	if (result == 0)
		result = read_member_open(
			v->r, v->c->store, v->c->manifest, m, &v->keys, plain, &member, e);
	if (result == 0)
		result = read_member_pump(&member, j.checker, j.proof, e);
	if (result == 0 && j.checker)
		result = sink_finish(j.checker, e);
	if (result == 0 && j.proof)
		result = sink_finish(j.proof, e);
	return result;
}

/* Only what is wrong with the bytes themselves makes a backup bad: not a store that is away, not a missing key. */
static bool is_damage(int result)
{
	return result == -EBADMSG || result == -ENOENT;
}

static void mark(struct verify *v, int result, const struct err *why)
{
	struct manifest *m = (struct manifest *)v->c->manifest;
	struct err e = {""};

	if (result < 0 && !is_damage(result))
		return;
	if (result == 0) {
		m->verified_ms = clock_wall_ms();
		m->bad_ms = 0;
	} else {
		m->bad_ms = clock_wall_ms();
		free(m->bad_why);
		m->bad_why = str_dup(why->msg);
	}
	if (catalogue_mark(v->c->store->store, m, &e) < 0)
		report_warning(v->r->report, "store %s: what was found could not be noted: %s",
			v->c->store->name, e.msg);
}

static int verify_chosen(struct verify *v, struct err *e)
{
	const struct manifest *m = v->c->manifest;
	int result = read_keys_open(v->r, m, &v->keys, e);

	for (size_t i = 0; i < m->n_members && result == 0; i++) {
		result = verify_member(v, &m->members[i], e);
		if (result < 0 && result != -ECANCELED)
			(void)err_wrap(e, result, "backup %s, %s", m->id, m->members[i].title);
	}
	if (result != -ECANCELED)
		mark(v, result, e);
	return result;
}

static int verify_store(struct verify *v, struct run_store *s, struct err *e)
{
	int result;

	v->keys = (struct read_keys){.has_identities = false};
	result = read_choose_in(v->r, s, v->c, e);
	if (result == 0)
		result = verify_chosen(v, e);
	read_keys_done(&v->keys);
	return result;
}

/* Without the database, or its tools, there is still much to check. */
static void open_engine(struct verify *v)
{
	struct err e = {""};

	v->has_engine = run_open_engine(v->r, &e) == 0;
	if (!v->has_engine)
		report_warning(v->r->report, "checked without the database's own tools: %s", e.msg);
}

static void say_depth(struct verify *v)
{
	static const char *const names[] = {"proof", "plain", "stored"};

	json_object_set_new(v->r->result, "depth", json_string(names[v->depth]));
	if (v->depth == DEPTH_STORED)
		report_warning(v->r->report, "only its checksum was compared: it is encrypted, and "
					     "there is no private key here (identity_file)");
}

static int verify_all(struct verify *v, struct err *e)
{
	struct run *r = v->r;

	open_engine(v);
	for (struct run_store *s = r->stores; s < r->stores + r->n_stores; s++) {
		int result = s->failed ? 0 : verify_store(v, s, e);

		if (result < 0)
			(void)run_store_fail(r, s, result, e);
		if (result == -ECANCELED)
			return result;
	}
	say_depth(v);
	return run_stores_result(r, e);
}

int run_verify(struct run *r, struct err *e)
{
	struct verify v = {.r = r, .c = calloc(1, sizeof(*v.c))};
	int result = v.c ? run_lock(r, e) : -ENOMEM;

	if (result == 0)
		result = run_open_any_stores(r, r->o->restore.store, e);
	if (result == 0)
		result = verify_all(&v, e);
	if (v.c)
		read_chosen_done(v.c);
	free(v.c);
	return result;
}
