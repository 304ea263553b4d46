/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/control.h"
#include "agent/web/webhook_internal.h"
#include "base/str.h"
#include "deploy-hooks/filter.h"
#include "deploy-hooks/proof.h"

enum { PATTERNS_MAX = 500 };

/* The patterns of a target; they stay its own. */
struct patterns {
	const char *list[PATTERNS_MAX];
	size_t n;
};

static void take_patterns(const json_t *target, const char *name, struct patterns *out)
{
	const json_t *list = json_object_get(target, name);

	out->n = 0;
	for (size_t i = 0; i < json_array_size(list) && out->n < PATTERNS_MAX; i++) {
		const char *p = json_string_value(json_array_get(list, i));

		if (p)
			out->list[out->n++] = p;
	}
}

static void skip(struct webhook *w, const struct delivery_change *c, const char *why)
{
	json_array_append_new(w->skipped, json_pack("{s:s, s:s}", "ref", c->ref, "why", why));
}

static const char *why_not(const struct delivery_change *c, enum filter_verdict v)
{
	switch (c->kind) {
	case DELIVERY_PING:
		return "a ping: the webhook works";
	case DELIVERY_DELETED:
		return "it was deleted";
	case DELIVERY_OTHER:
		return "an event that is not deployed";
	default:
		return filter_verdict_text(v);
	}
}

/* The daemon asks git about paths only where nobody could tell by now. */
static void take_change(struct webhook *w, const struct delivery *d,
	const struct delivery_change *c, enum filter_verdict v)
{
	json_t *j;

	if (v != FILTER_DEPLOY && v != FILTER_ASK_GIT) {
		skip(w, c, why_not(c, v));
		return;
	}
	j = delivery_change_to_json(d, c);
	json_object_set_new(j, "files_known", json_boolean(v == FILTER_DEPLOY));
	json_array_append_new(w->changes, j);
}

static void judge(struct webhook *w, const struct delivery *d)
{
	struct patterns branches, tags, paths;
	struct filter f = {.skip_ci = json_is_true(json_object_get(w->target, "skip_ci"))};

	take_patterns(w->target, "branches", &branches);
	take_patterns(w->target, "tags", &tags);
	take_patterns(w->target, "paths", &paths);
	f.branches = branches.list;
	f.n_branches = branches.n;
	f.tags = tags.list;
	f.n_tags = tags.n;
	f.paths = paths.list;
	f.n_paths = paths.n;
	for (size_t i = 0; i < d->n_changes; i++)
		take_change(w, d, &d->changes[i], filter_judge(&f, &d->changes[i]));
	if (d->cut)
		json_array_append_new(
			w->skipped, json_pack("{s:s, s:s}", "ref", "", "why",
					    "more branches and tags than one delivery may have"));
}

static unsigned status_of(int r)
{
	if (r == -E2BIG)
		return 413;
	return r == -EBADMSG ? 400 : 503;
}

/* Of an app that is not there nobody knows who should have sent it. */
static bool is_of_another(struct webhook *w)
{
	const struct provider *seems;

	if (!w->target || w->provider->sent_by(&w->headers))
		return false;
	seems = provider_guess(&w->headers);
	w->status = 400;
	(void)err_set(&w->why, EBADMSG, "the app expects deliveries of %s, and this is one of %s",
		w->provider->name, seems ? seems->name : "somebody else");
	return true;
}

void webhook_read(struct webhook *w)
{
	const struct body_reader reader = {body_spool_read, w->spool};
	struct delivery *d;
	int r;

	if (is_of_another(w))
		return;
	d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	r = w->provider->parse(&w->headers, &reader, d, &w->why);
	(void)str_copy(w->event, sizeof(w->event), d->event);
	if (r < 0)
		w->status = status_of(r);
	else
		judge(w, d);
	delivery_done(d);
	free(d);
}

/* The newest of them. */
static void keep_commits(json_t *changes, size_t n)
{
	for (size_t i = 0; i < json_array_size(changes); i++) {
		json_t *commits = json_object_get(json_array_get(changes, i), "commits");

		while (json_array_size(commits) > n)
			json_array_remove(commits, 0);
	}
}

static size_t size_of(const json_t *request)
{
	return json_dumpb(request, NULL, 0, JSON_COMPACT);
}

json_t *webhook_request(const struct webhook *w)
{
	static const size_t kept[] = {20, 5, 1, 0};
	char peer[PEER_TEXT_MAX], why[sizeof(w->why.msg)];
	struct proof proof = {.kind = PROOF_NONE};
	json_t *j;

	w->provider->proof(&w->headers, w->secret, &proof);
	peer_client_text(http_peer(w->call->rq),
		http_get_last_header(w->call->rq, "X-Forwarded-For"), peer, sizeof(peer));
	delivery_text(why, sizeof(why), w->why.msg, strlen(w->why.msg));
	j = json_pack("{s:s, s:s, s:o, s:s, s:s, s:O, s:i, s:s}", "op", "deploy.deliver", "app",
		w->app, "proof", proof_to_json(&proof), "event", w->event, "peer", peer, "changes",
		w->changes, "status", (int)w->status, "why", w->status ? why : "");
	explicit_bzero(&proof, sizeof(proof));
	/* The id is added to it. */
	for (size_t i = 0; i < ARRAY_LEN(kept) && size_of(j) > CONTROL_LINE_MAX - 64; i++)
		keep_commits(w->changes, kept[i]);
	return j;
}
