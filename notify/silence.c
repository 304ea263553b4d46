/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/silence.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/event.h"
#include "notify/silence_parts.h"

static const int64_t year_ms = 366LL * 24 * 3600 * 1000;
static const char swap_reason[] = "a new version is being started";

static void silence_done(struct silence *one)
{
	free(one->rule);
	free(one->entity);
	free(one->reason);
	free(one->by);
}

void silences_free(struct silences *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		silence_done(&s->list[i]);
	for (size_t i = 0; i < s->n_swaps; i++)
		free(s->swaps[i].key);
	silence_free_maintenance(s);
	free(s);
}

static char *or_all(const char *pattern)
{
	return str_dup(pattern && *pattern ? pattern : "*");
}

/* One line, without control characters, cut. */
static char *clean_reason(const char *reason)
{
	_cleanup_(free_p) char *clean = NULL;
	char cut[SILENCE_REASON_MAX + 1];

	event_set(&clean, reason);
	(void)str_copy(cut, sizeof(cut), clean);
	return str_dup(cut);
}

static struct silence copy_of(const struct silence *one)
{
	return (struct silence){
		.id = one->id,
		.rule = or_all(one->rule),
		.entity = or_all(one->entity),
		.from_ms = one->from_ms,
		.until_ms = one->until_ms,
		.reason = clean_reason(one->reason),
		.by = clean_reason(one->by),
	};
}

static int load(struct silences *s, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *q = NULL;
	int r = db_prepare(s->db,
		"SELECT id, rule, entity, from_ms, until_ms, reason, by_whom FROM silence"
		" ORDER BY id",
		&q, e);

	while (r >= 0 && s->n < SILENCES_MAX) {
		r = db_step(q, e);
		if (r <= 0)
			break;
		s->list[s->n++] = copy_of(&(struct silence){
			.id = db_int(q, 0),
			.rule = (char *)db_text(q, 1),
			.entity = (char *)db_text(q, 2),
			.from_ms = db_int(q, 3),
			.until_ms = db_int(q, 4),
			.reason = (char *)db_text(q, 5),
			.by = (char *)db_text(q, 6),
		});
	}
	return r < 0 ? r : 0;
}

static int delete_ended(struct silences *s, int64_t now_ms, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *q = NULL;
	int r = db_prepare(s->db, "DELETE FROM silence WHERE until_ms <= ?1", &q, e);

	if (r < 0)
		return r;
	db_bind_int(q, 1, now_ms);
	return db_step(q, e);
}

int silences_new(struct db *db, int64_t now_ms, struct silences **out, struct err *e)
{
	_cleanup_(silences_free_p) struct silences *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	s->db = db;
	r = delete_ended(s, now_ms, e);
	if (r == 0)
		r = load(s, e);
	if (r < 0)
		return err_wrap(e, r, "silences");
	*out = TAKE_PTR(s);
	return 0;
}

static int check(const struct silences *s, const struct silence *one, struct err *e)
{
	if (one->until_ms <= one->from_ms)
		return err_set(e, EINVAL, "a silence needs a duration");
	if (one->until_ms - one->from_ms > year_ms)
		return err_set(e, EINVAL, "a silence lasts at most a year; switch the rule off");
	if (strlen(one->rule) > SILENCE_PATTERN_MAX || strlen(one->entity) > SILENCE_PATTERN_MAX)
		return err_set(e, EINVAL, "a pattern has at most %d bytes", SILENCE_PATTERN_MAX);
	if (s->n == SILENCES_MAX)
		return err_set(e, ENOSPC, "there are %d silences already", SILENCES_MAX);
	return 0;
}

static int insert(struct silences *s, struct silence *one, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *q = NULL;
	int r = db_prepare(s->db,
		"INSERT INTO silence(rule, entity, from_ms, until_ms, reason, by_whom)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		&q, e);

	if (r < 0)
		return r;
	db_bind_text(q, 1, one->rule);
	db_bind_text(q, 2, one->entity);
	db_bind_int(q, 3, one->from_ms);
	db_bind_int(q, 4, one->until_ms);
	db_bind_text(q, 5, one->reason);
	db_bind_text(q, 6, one->by);
	r = db_step(q, e);
	if (r < 0)
		return r;
	one->id = db_last_id(s->db);
	return 0;
}

int silences_add(struct silences *s, const struct silence *one, int64_t *out_id, struct err *e)
{
	struct silence copy = copy_of(one);
	int r = check(s, &copy, e);

	if (r == 0)
		r = insert(s, &copy, e);
	if (r < 0) {
		silence_done(&copy);
		return r;
	}
	s->list[s->n++] = copy;
	*out_id = copy.id;
	return 0;
}

static void forget(struct silences *s, size_t i)
{
	silence_done(&s->list[i]);
	s->n--;
	memmove(&s->list[i], &s->list[i + 1], (s->n - i) * sizeof(s->list[0]));
}

int silences_remove(struct silences *s, int64_t id, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *q = NULL;
	size_t i = 0;
	int r;

	while (i < s->n && s->list[i].id != id)
		i++;
	if (i == s->n)
		return err_set(e, ENOENT, "there is no silence %lld", (long long)id);
	r = db_prepare(s->db, "DELETE FROM silence WHERE id = ?1", &q, e);
	if (r < 0)
		return r;
	db_bind_int(q, 1, id);
	r = db_step(q, e);
	if (r < 0)
		return r;
	forget(s, i);
	return 0;
}

size_t silences_count(const struct silences *s)
{
	return s->n;
}

const struct silence *silences_at(const struct silences *s, size_t i)
{
	return &s->list[i];
}

static void swap_forget(struct silences *s, size_t i)
{
	free(s->swaps[i].key);
	s->swaps[i] = s->swaps[--s->n_swaps];
}

static void swap_make_room(struct silences *s)
{
	size_t first = 0;

	if (s->n_swaps < SWAPS_MAX)
		return;
	for (size_t i = 1; i < s->n_swaps; i++)
		if (s->swaps[i].until_ms < s->swaps[first].until_ms)
			first = i;
	swap_forget(s, first);
}

void silences_swap(struct silences *s, const char *entity_key, int64_t until_ms)
{
	for (size_t i = 0; i < s->n_swaps; i++) {
		if (strcmp(s->swaps[i].key, entity_key) == 0) {
			swap_forget(s, i);
			break;
		}
	}
	if (!until_ms)
		return;
	swap_make_room(s);
	s->swaps[s->n_swaps++] = (struct silence_swap){str_dup(entity_key), until_ms};
}

bool silences_is_swaps_doing(const struct rule *r)
{
	if (r->class == &class_app)
		return true;
	if (r->class != &class_container)
		return false;
	return r->type == RULE_GONE || r->type == RULE_MISSING || r->metric == CGROUP_running ||
	       r->metric == CGROUP_restarts || r->metric == CGROUP_healthy;
}

/* Its further containers ("shop.2"), and the one of the version that leaves ("shop@0a1b2c3d4e5f"), count too. */
static bool is_swapped(const struct silence_swap *w, const char *key)
{
	size_t n = strlen(w->key);

	if (strncmp(w->key, key, n) != 0)
		return false;
	return !key[n] || key[n] == '@' ||
	       (key[n] == '.' && key[n + 1] >= '0' && key[n + 1] <= '9');
}

static const char *swap_reason_of(
	const struct silences *s, const struct rule *r, const char *key, int64_t now_ms)
{
	for (size_t i = 0; i < s->n_swaps; i++)
		if (now_ms < s->swaps[i].until_ms && is_swapped(&s->swaps[i], key))
			return silences_is_swaps_doing(r) ? swap_reason : NULL;
	return NULL;
}

bool silence_matches(const char *pattern, const char *a, const char *b)
{
	bool negative = *pattern == '!';

	pattern += negative;
	return (fnmatch(pattern, a, 0) == 0 || (b && fnmatch(pattern, b, 0) == 0)) != negative;
}

const char *silences_reason(struct silences *s, const struct rule *r, const char *class_name,
	const char *entity_key, int64_t now_ms)
{
	char full[ENTITY_KEY_MAX + 64];

	(void)snprintf(full, sizeof(full), "%s/%s", class_name, entity_key);
	for (size_t i = 0; i < s->n; i++) {
		const struct silence *one = &s->list[i];

		if (one->from_ms <= now_ms && now_ms < one->until_ms &&
			silence_matches(one->rule, r->name, NULL) &&
			silence_matches(one->entity, entity_key, full))
			return *one->reason ? one->reason : "silenced";
	}
	for (size_t i = 0; i < s->n_windows; i++)
		if (silence_window_covers(&s->windows[i], r->name, entity_key, full, now_ms))
			return s->windows[i].reason;
	return swap_reason_of(s, r, entity_key, now_ms);
}

bool silences_expire(struct silences *s, int64_t now_ms)
{
	bool some = false, ended = false;

	for (size_t i = s->n_swaps; i > 0; i--) {
		if (s->swaps[i - 1].until_ms > now_ms)
			continue;
		swap_forget(s, i - 1);
		some = true;
	}
	for (size_t i = 0; i < s->n; i++)
		ended = ended || s->list[i].until_ms <= now_ms;
	/* What cannot be deleted now has no effect any more, and goes another time. */
	if (!ended || delete_ended(s, now_ms, NULL) < 0)
		return some;
	for (size_t i = s->n; i > 0; i--)
		if (s->list[i - 1].until_ms <= now_ms)
			forget(s, i - 1);
	return true;
}
