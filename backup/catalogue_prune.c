/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/catalogue_internal.h"
#include "backup/stop.h"
#include "base/str.h"

/* A store that is out of order costs its whole time of retries at each. */
enum { FAILURES_MAX = 3 };

struct pruning {
	struct store *store;
	const char *job;
	const struct prune_report *report;
	size_t failed, removed;
	int forbidden; /* -EPERM once the store has said that nothing may be removed */
	struct err first; /* of the failures */
	int first_r;
};

static int remove_key(struct pruning *g, const char *key, struct err *e)
{
	int r = stop_check(e);

	return r < 0 ? r : g->store->ops->remove(g->store, key, e);
}

/* From the last object to the first: the last one's lock is the last to end, so that a locked backup loses nothing. */
static int remove_data(struct pruning *g, const struct manifest *m, struct err *e)
{
	for (size_t i = m->n_members; i-- > 0;)
		for (size_t s = m->members[i].n_segments; s-- > 0;) {
			int r = remove_key(g, m->members[i].segments[s].key, e);

			if (r < 0)
				return r;
		}
	return 0;
}

/* Verdicts, and whatever else lies in the backup's own folder. They were written later than the data and may be locked for longer: then
 * they stay, and go with a later prune. */
static int remove_beside(struct pruning *g, const struct manifest *m, struct err *e)
{
	_cleanup_(listed_keys_done) struct listed_keys keys = {.n = 0};
	_cleanup_(free_p) char *folder = str_format("%s/%s/", m->job, m->id);
	int r = listed_keys_read(g->store, folder, &keys, e);

	for (size_t i = 0; r == 0 && i < keys.n; i++) {
		const char *key = keys.items[i].key;

		if (!str_starts(key, folder) || strcmp(key + strlen(folder), MANIFEST_NAME) == 0)
			continue;
		r = remove_key(g, key, e);
		if (r == -EBUSY || r == -EPERM)
			r = 0;
	}
	return r;
}

static int remove_backup(struct pruning *g, const struct manifest *m, struct err *e)
{
	char key[MANIFEST_KEY_MAX];
	int r = remove_data(g, m, e);

	if (r == 0)
		r = remove_beside(g, m, e);
	manifest_key(key, m->job, m->id);
	return r < 0 ? r : remove_key(g, key, e);
}

static void removed(struct pruning *g, const struct manifest *m, int r, const struct err *e)
{
	if (g->report && g->report->removed)
		g->report->removed(g->report->user, m, r, e);
}

/* -ECANCELED, or 0: other results are told. */
static int prune_one(struct pruning *g, const struct manifest *m)
{
	struct err e = {""};
	int r;

	if (g->forbidden) {
		removed(g, m, g->forbidden, &g->first);
		return 0;
	}
	r = remove_backup(g, m, &e);
	removed(g, m, r, &e);
	if (r == -EPERM) {
		g->forbidden = r;
		g->first = e;
	} else if (r < 0 && r != -EBUSY) {
		if (g->failed++ == 0) {
			g->first = e;
			g->first_r = r;
		}
	} else if (r == 0) {
		g->removed++;
	}
	return r == -ECANCELED ? r : 0;
}

/* Verdicts that a lock made outlive their backup. Only where nothing else is in the folder: a backup that is being made has no
 * manifest yet, either. */
static void remove_stray_verdicts(struct pruning *g)
{
	_cleanup_(listed_keys_done) struct listed_keys keys = {.n = 0};
	_cleanup_(free_p) char *prefix = str_format("%s/", g->job);
	struct err e;

	if (listed_keys_read(g->store, prefix, &keys, &e) < 0)
		return;
	for (size_t i = 0, next; i < keys.n; i = next) {
		size_t folder = strcspn(keys.items[i].key + strlen(prefix), "/") + strlen(prefix);
		bool only_verdicts = true;

		for (next = i; next < keys.n &&
			       strncmp(keys.items[next].key, keys.items[i].key, folder + 1) == 0;
			next++) {
			char id[BACKUP_ID_SIZE];
			const char *name;

			only_verdicts &=
				catalogue_split_key(keys.items[next].key, g->job, id, &name) &&
				catalogue_verified_ms(name) >= 0;
		}
		if (next == i)
			next++;
		for (size_t k = i; only_verdicts && k < next; k++)
			(void)remove_key(g, keys.items[k].key, &e);
	}
}

/* Of this host only: others decide about theirs. Borrowed manifests. */
static size_t choose(const struct catalogue_list *l, const char *host, struct manifest **own,
	struct retention_item *items)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct manifest *m = l->items[i];

		if (strcmp(m->host, host) != 0)
			continue;
		own[n] = m;
		items[n++] = (struct retention_item){.id = m->id,
			.time_ms = m->started_ms,
			.is_good = m->bad_ms == 0,
			.is_verified = m->verified_ms > 0 && m->bad_ms == 0,
			.is_locked = m->locked_until_ms > 0,
			.locked_until_ms = m->locked_until_ms};
	}
	return n;
}

static int remove_chosen(struct pruning *g, struct manifest **own,
	const struct retention_item *items, size_t n, struct err *e)
{
	size_t wanted = 0;

	/* The oldest first, so that what remains after an interruption is the newest. */
	for (size_t i = n; i-- > 0;) {
		if (items[i].keep)
			continue;
		wanted++;
		if (g->failed < FAILURES_MAX && prune_one(g, own[i]) < 0)
			return err_set(e, ECANCELED, "stopped");
	}
	if (!g->forbidden)
		remove_stray_verdicts(g);
	if (!g->failed)
		return 0;
	return err_set(e, -g->first_r, "%zu of %zu backups could not be removed: %s",
		wanted - g->removed, wanted, g->first.msg);
}

int catalogue_prune(struct store *s, const char *state_dir, const char *job, const char *host,
	const struct retention_policy *p, bool dry_run, int64_t now_ms,
	const struct prune_report *report, struct err *e)
{
	struct pruning g = {.store = s, .job = job, .report = report};
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	_cleanup_(free_p) struct retention_item *items = NULL;
	_cleanup_(free_p) struct manifest **own = NULL;
	size_t n;
	int r = catalogue_read(s, state_dir, job, &l, e);

	if (r < 0)
		return r;
	items = calloc(l.n + 1, sizeof(*items));
	own = calloc(l.n + 1, sizeof(struct manifest *));
	if (!items || !own)
		abort();
	n = choose(&l, host, own, items);
	r = retention_decide(p, items, n, now_ms, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (report && report->decided)
			report->decided(report->user, own[i], items[i].keep, items[i].why);
	if (dry_run || !s->may_delete)
		return 0;
	return remove_chosen(&g, own, items, n, e);
}
