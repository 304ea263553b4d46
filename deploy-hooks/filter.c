/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/filter.h"

#include <string.h>

#include "base/str.h"

/* A pattern as the states of a machine that reads the text once. Whoever wrote the text cannot make that slow. */
enum token_kind {
	TOKEN_CHAR,
	TOKEN_ANY, /* one character, no slash */
	TOKEN_STAR, /* any number of them */
	TOKEN_DEEP, /* anything */
	TOKEN_PARTS, /* nothing, or: */
	TOKEN_IN_PARTS, /* anything that ends with a slash */
	TOKEN_END
};

enum { TOKENS_MAX = 512 };

struct token {
	enum token_kind kind;
	const char *at; /* of a character */
	size_t size;
};

/* A byte that is no UTF-8 counts as a character. */
static size_t char_size(const char *s)
{
	size_t n = str_utf8_char(s);

	return n > 0 ? n : 1;
}

/* How many, without the end; 0: too long to be a pattern of anything. */
static size_t compile(const char *p, struct token *out)
{
	size_t n = 0;
	bool at_part = true;

	while (*p && n + 4 < TOKENS_MAX) {
		const char *from = p;

		if (at_part && str_starts(p, "**/")) {
			out[n++].kind = TOKEN_PARTS;
			out[n++].kind = TOKEN_IN_PARTS;
			p += 3;
			continue;
		}
		if (*p == '*') {
			p += strspn(p, "*");
			out[n++].kind = p - from > 1 ? TOKEN_DEEP : TOKEN_STAR;
		} else {
			p += char_size(p);
			out[n++] = (struct token){
				*from == '?' ? TOKEN_ANY : TOKEN_CHAR, from, (size_t)(p - from)};
		}
		at_part = *from == '/';
		if (at_part && !*p)
			out[n++].kind = TOKEN_DEEP;
	}
	out[n].kind = TOKEN_END;
	return *p ? 0 : n;
}

/* States that are reached without reading. They lie ahead, so one pass finds all. */
static void spread(const struct token *t, size_t n, bool *on)
{
	for (size_t i = 0; i < n; i++) {
		enum token_kind k = t[i].kind;

		if (on[i] && (k == TOKEN_STAR || k == TOKEN_DEEP || k == TOKEN_PARTS))
			on[i + 1] = true;
		if (on[i] && k == TOKEN_PARTS)
			on[i + 2] = true;
	}
}

static bool stays(enum token_kind k, bool is_slash)
{
	return k == TOKEN_DEEP || k == TOKEN_IN_PARTS || (k == TOKEN_STAR && !is_slash);
}

static bool goes_on(const struct token *t, const char *c, size_t size)
{
	if (t->kind == TOKEN_CHAR)
		return t->size == size && memcmp(t->at, c, size) == 0;
	return *c == '/' ? t->kind == TOKEN_IN_PARTS : t->kind == TOKEN_ANY;
}

/* Reads one character; from the last state to the first, so that none is seen as it will be. */
static void step(const struct token *t, size_t n, bool *on, const char *c, size_t size)
{
	on[n] = false;
	for (size_t i = n; i-- > 0;) {
		if (!on[i])
			continue;
		if (goes_on(&t[i], c, size))
			on[i + 1] = true;
		on[i] = stays(t[i].kind, *c == '/');
	}
}

static bool matches_one(const char *pattern, const char *text)
{
	struct token t[TOKENS_MAX];
	bool on[TOKENS_MAX] = {true};
	size_t n = compile(pattern, t);

	if (n == 0)
		return false;
	spread(t, n, on);
	while (*text) {
		size_t size = char_size(text);

		step(t, n, on, text, size);
		if (!memchr(on, true, n + 1))
			return false;
		spread(t, n, on);
		text += size;
	}
	return on[n];
}

bool filter_matches(const char *const *patterns, size_t n, const char *text)
{
	bool only_back = n > 0;

	for (size_t i = 0; i < n; i++)
		only_back = only_back && patterns[i][0] == '!';
	for (size_t i = n; i-- > 0;) {
		bool back = patterns[i][0] == '!';

		if (matches_one(patterns[i] + back, text))
			return !back;
	}
	return only_back;
}

static bool ref_matches(const struct filter *f, const struct delivery_change *c)
{
	static const char heads[] = "refs/heads/", tags[] = "refs/tags/";
	const char *ref = c->ref;

	if (c->kind == DELIVERY_IMAGE)
		return filter_matches(f->tags, f->n_tags, ref);
	if (c->kind == DELIVERY_TAG)
		return str_starts(ref, tags) &&
		       filter_matches(f->tags, f->n_tags, ref + sizeof(tags) - 1);
	if (!*ref)
		return true;
	return str_starts(ref, heads) &&
	       filter_matches(f->branches, f->n_branches, ref + sizeof(heads) - 1);
}

static enum filter_verdict judge_paths(const struct filter *f, const struct delivery_change *c)
{
	if (f->n_paths == 0 || c->kind != DELIVERY_PUSH)
		return FILTER_DEPLOY;
	for (size_t i = 0; i < c->n_files; i++)
		if (filter_matches(f->paths, f->n_paths, c->files[i]))
			return FILTER_DEPLOY;
	return c->files_known ? FILTER_PATHS : FILTER_ASK_GIT;
}

enum filter_verdict filter_judge(const struct filter *f, const struct delivery_change *c)
{
	if (c->kind != DELIVERY_PUSH && c->kind != DELIVERY_TAG && c->kind != DELIVERY_IMAGE)
		return FILTER_NOTHING;
	if (!ref_matches(f, c))
		return FILTER_REF;
	if (f->skip_ci && c->skip)
		return FILTER_SKIP_CI;
	return judge_paths(f, c);
}

const char *filter_verdict_text(enum filter_verdict v)
{
	static const char *const texts[] = {
		[FILTER_DEPLOY] = "deployed",
		[FILTER_ASK_GIT] = "deployed if a changed path matches",
		[FILTER_REF] = "the branch or tag is not one that is deployed",
		[FILTER_PATHS] = "no changed path matches",
		[FILTER_SKIP_CI] = "the commit says [skip ci]",
		[FILTER_NOTHING] = "nothing to deploy",
	};

	return texts[v];
}
