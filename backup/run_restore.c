/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/run_restore.h"

#include <errno.h>
#include <string.h>

#include "backup/run_apply.h"
#include "base/cleanup.h"

/* MySQL's and MariaDB's dumps are for each other, as far as their versions allow; the engine looks at those. */
static bool same_family(const char *a, const char *b)
{
	static const char *const family[] = {"mysql", "mariadb"};
	int known = 0;

	if (strcmp(a, b) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(family); i++)
		known += (strcmp(a, family[i]) == 0) + (strcmp(b, family[i]) == 0);
	return known == 2;
}

static void say_plan(struct run *r, const char *text, bool destructive)
{
	report_line(r->report, "plan",
		json_pack("{s:o, s:b}", "text", report_text(text), "destructive", destructive));
}

/* -EPERM while nobody has confirmed it; the result has the code for that. */
static int confirm(struct run *r, const char *text, bool destructive, struct err *e)
{
	say_plan(r, text, destructive);
	if (!destructive || r->o->restore.yes)
		return 0;
	r->code = "confirm";
	return err_set(e, EPERM, "%s: to be confirmed", text);
}

static int plan(struct run *r, const struct engine_restore *how, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	bool destructive = true;
	int result = 0;

	if (r->engine->restore_plan)
		result = r->engine->restore_plan(&r->call, how, &text, &destructive, e);
	return result < 0 ? result : confirm(r, buf_str(&text), destructive, e);
}

static int into_files(
	struct run *r, const struct chosen *c, const struct read_keys *k, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	int result = restore_to_check(r, c->manifest, e);

	if (result == 0 && restore_to_replaces(r, c->manifest, &text))
		result = confirm(r, buf_str(&text), true, e);
	if (result == 0)
		result = apply_check_stored(r, c, k, e);
	return result < 0 ? result : restore_to(r, c, k, e);
}

static int into_engine(
	struct run *r, const struct chosen *c, const struct read_keys *k, struct err *e)
{
	const struct manifest *m = c->manifest;
	const struct engine_restore how = {
		.into = r->o->restore.into, .member = r->o->restore.member, .manifest = m};
	int result;

	if (!same_family(m->engine, r->job->engine))
		return err_set(e, EPROTO, "the backup is of engine %s, the job has %s", m->engine,
			r->job->engine);
	result = run_open_engine(r, e);
	if (result < 0)
		return result;
	if (!r->engine->restore_begin)
		return err_set(e, ENOTSUP, "engine %s cannot restore", r->job->engine);
	result = plan(r, &how, e);
	/* Before anything is touched. */
	if (result == 0)
		result = apply_check_stored(r, c, k, e);
	return result < 0 ? result : apply_backup(r, &r->call, &how, c, k, e);
}

static int restore_chosen(struct run *r, const struct chosen *c, struct err *e)
{
	_cleanup_(read_keys_done) struct read_keys keys = {.has_identities = false};
	const struct manifest *m = c->manifest;
	int result;

	json_object_set_new(r->result, "store", json_string(c->store->name));
	json_object_set_new(r->result, "plain_bytes", json_integer(manifest_plain_bytes(m)));
	json_object_set_new(r->result, "stored_bytes", json_integer(manifest_stored_bytes(m)));
	result = apply_check_member(r, m, e);
	if (result == 0)
		result = read_keys_open(r, m, &keys, e);
	if (result < 0)
		return result;
	if (!read_can_open(m, &keys))
		return err_set(e, ENOKEY, "the backup is encrypted: %s",
			m->passphrase ? "passphrase_file is missing"
				      : "the private key is needed (identity_file)");
	if (m->bad_ms)
		report_warning(
			r->report, "this backup was found bad: %s", m->bad_why ? m->bad_why : "");
	return r->o->restore.to ? into_files(r, c, &keys, e) : into_engine(r, c, &keys, e);
}

int run_restore(struct run *r, struct err *e)
{
	struct chosen *c = calloc(1, sizeof(*c));
	int result = c ? run_lock(r, e) : -ENOMEM;

	if (result == 0)
		result = run_open_any_stores(r, r->o->restore.store, e);
	if (result == 0) {
		report_stage(r->report, "probe", NULL, NULL);
		result = read_choose(r, c, e);
	}
	if (result == 0)
		result = restore_chosen(r, c, e);
	if (c)
		read_chosen_done(c);
	free(c);
	return result;
}
