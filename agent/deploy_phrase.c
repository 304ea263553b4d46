/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_phrase.h"

#include <stdio.h>
#include <string.h>

#include "agent/json_view.h"
#include "base/str.h"

enum { AT_ONCE_MS = 5 };

static const char *short_ref(const char *ref, const char **kind)
{
	static const char heads[] = "refs/heads/", tags[] = "refs/tags/";

	*kind = "";
	if (str_starts(ref, heads))
		return ref + strlen(heads);
	if (!str_starts(ref, tags))
		return ref;
	*kind = "tag ";
	return ref + strlen(tags);
}

void deploy_phrase_what(const struct deploy *d, struct buf *out)
{
	const char *kind, *ref = short_ref(d->ref, &kind);

	if (d->rollback_of)
		buf_addf(out, "the version of deploy %lld", (long long)d->rollback_of);
	else if (*d->commit && *ref)
		buf_addf(out, "%.*s of %s%s", DEPLOY_PHRASE_COMMIT, d->commit, kind, ref);
	else if (*d->commit)
		buf_addf(out, "%.*s", DEPLOY_PHRASE_COMMIT, d->commit);
	else if (*ref)
		buf_addf(out, "%s%s", kind, ref);
	else if (*d->new.image)
		buf_addf(out, "image %s", d->new.image);
	else
		buf_addf(out, "deploy %lld", (long long)d->id);
}

void deploy_phrase_commit(const struct deploy *d, struct buf *out)
{
	if (*d->subject)
		buf_adds(out, d->subject);
	if (*d->author)
		buf_addf(out, "%s(%s)", *d->subject ? " " : "", d->author);
}

void deploy_phrase_time(char *to, size_t size, int64_t ms)
{
	if (ms < 1000)
		(void)snprintf(to, size, "%lld ms", (long long)ms);
	else if (ms < 10000)
		(void)snprintf(to, size, "%.1f s", (double)ms / 1000);
	else if (ms < 60000)
		(void)snprintf(to, size, "%lld s", (long long)(ms + 500) / 1000);
	else
		str_human_duration(to, size, ms / 1000);
}

const char *deploy_phrase_failed_stage(const struct deploy *d)
{
	const char *stage = "";
	const json_t *one;
	size_t i;

	json_array_foreach(d->stages, i, one)
	{
		if (strcmp(json_view_text(one, "state"), "failed") == 0 &&
			strcmp(json_view_text(one, "verb"), "revert") != 0)
			stage = json_view_text(one, "stage");
	}
	return stage;
}

static int64_t spent_ms(const struct deploy *d, size_t first)
{
	const char *stage = json_view_text(json_array_get(d->stages, first), "stage");
	int64_t spent = 0;

	for (size_t i = first; i < json_array_size(d->stages); i++) {
		const json_t *one = json_array_get(d->stages, i);
		int64_t end = json_view_int(one, "ended_ms");

		if (strcmp(json_view_text(one, "stage"), stage) == 0 && end &&
			strcmp(json_view_text(one, "verb"), "revert") != 0)
			spent += end - json_view_int(one, "started_ms");
	}
	return spent;
}

static bool was_before(const struct deploy *d, size_t at)
{
	const char *stage = json_view_text(json_array_get(d->stages, at), "stage");

	for (size_t i = 0; i < at; i++) {
		const json_t *one = json_array_get(d->stages, i);

		if (strcmp(json_view_text(one, "stage"), stage) == 0 &&
			strcmp(json_view_text(one, "verb"), "revert") != 0)
			return true;
	}
	return false;
}

void deploy_phrase_stages(const struct deploy *d, struct buf *out)
{
	size_t before = out->len;
	const json_t *one;
	size_t i;

	json_array_foreach(d->stages, i, one)
	{
		int64_t ms = spent_ms(d, i);
		char time[32];

		if (strcmp(json_view_text(one, "verb"), "revert") == 0 || was_before(d, i) ||
			ms < AT_ONCE_MS)
			continue;
		deploy_phrase_time(time, sizeof(time), ms);
		buf_addf(out, "%s%s %s", out->len > before ? ", " : "",
			json_view_text(one, "stage"), time);
	}
}
