/* SPDX-License-Identifier: Apache-2.0
 *
 * Restores a backup into a throw-away server and counts what is there: the only proof that a restore will work.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/run_apply.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

struct drill {
	struct run *r;
	struct chosen *c;
	struct read_keys keys;
	struct engine_call call; /* the throw-away server */
	struct engine_target target;
	char into[128];
};

static int compare_member(struct drill *d, const struct manifest_member *m, struct err *e)
{
	struct engine_member member = {.format = format_find(m->format)};
	struct counts have = {.n_items = 0};
	int result;

	if (!m->counts.n_items || !d->r->engine->count)
		return 0;
	report_stage(d->r->report, "compare", m->title, d->c->store->name);
	(void)str_copy(member.title, sizeof(member.title), *d->into ? d->into : m->title);
	result = d->r->engine->count(&d->call, &member, &have, e);
	if (result == 0)
		result = counts_compare(&m->counts, &have, e);
	return err_wrap(e, result, "%s", m->title);
}

static int restore_and_compare(struct drill *d, struct err *e)
{
	const struct manifest *m = d->c->manifest;
	const struct engine_restore how = {
		.into = *d->into ? d->into : NULL, .is_drill = true, .manifest = m};
	int result = apply_backup(d->r, &d->call, &how, d->c, &d->keys, e);

	for (size_t i = 0; i < m->n_members && result == 0; i++)
		if (apply_wants(d->r, &m->members[i]))
			result = compare_member(d, &m->members[i], e);
	return result;
}

static void note(struct drill *d, int result, const struct err *why)
{
	struct manifest *m = (struct manifest *)d->c->manifest;
	struct err e = {""};

	if (result == 0)
		m->drilled_ms = m->verified_ms = clock_wall_ms();
	else if (result == -EBADMSG) {
		m->bad_ms = clock_wall_ms();
		free(m->bad_why);
		m->bad_why = str_dup(why->msg);
	} else
		return;
	if (result == 0)
		m->bad_ms = 0;
	if (catalogue_mark(d->c->store->store, m, &e) < 0)
		report_warning(d->r->report, "store %s: what was found could not be noted: %s",
			d->c->store->name, e.msg);
}

static int with_server(struct drill *d, struct err *e)
{
	struct run *r = d->r;
	int result = run_open_engine(r, e);

	if (result < 0)
		return result;
	if (!r->engine->drill_begin)
		return err_set(e, ENOTSUP, "engine %s has no drill", r->job->engine);
	report_stage(r->report, "probe", NULL, d->c->store->name);
	result = r->engine->drill_begin(&r->call, d->c->manifest, &d->call, d->into, &d->target, e);
	if (result < 0)
		return err_wrap(e, result, "the throw-away server");
	result = restore_and_compare(d, e);
	stop_hold(true);
	r->engine->drill_end(&r->call, &d->call, &d->target);
	stop_hold(false);
	return result;
}

static int drill(struct drill *d, struct err *e)
{
	int result = read_choose(d->r, d->c, e);

	if (result == 0)
		result = read_keys_open(d->r, d->c->manifest, &d->keys, e);
	if (result < 0)
		return result;
	json_object_set_new(d->r->result, "store", json_string(d->c->store->name));
	if (!read_can_open(d->c->manifest, &d->keys))
		return err_set(e, ENOKEY,
			"the backup is encrypted and there is no key here: set %s",
			d->c->manifest->passphrase ? "passphrase_file" : "identity_file");
	result = with_server(d, e);
	note(d, result, e);
	return result;
}

int run_drill(struct run *r, struct err *e)
{
	struct drill d = {.r = r, .c = calloc(1, sizeof(*d.c))};
	int result = d.c ? run_lock(r, e) : -ENOMEM;

	if (result == 0)
		result = run_open_any_stores(r, r->o->restore.store, e);
	if (result == 0)
		result = drill(&d, e);
	read_keys_done(&d.keys);
	if (d.c)
		read_chosen_done(d.c);
	free(d.c);
	return result;
}
