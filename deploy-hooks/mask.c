/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"

struct pattern {
	char *bytes;
	size_t n;
	bool is_base64; /* either alphabet */
	struct pattern *next; /* of those that start alike */
};

/* Almost every byte of a log starts none: what is asked for each is one look into this table. */
struct mask {
	struct pattern *starts[256];
};

struct mask *mask_new(void)
{
	struct mask *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	return m;
}

void mask_free(struct mask *m)
{
	for (size_t i = 0; m && i < ARRAY_LEN(m->starts); i++) {
		while (m->starts[i]) {
			struct pattern *p = m->starts[i];

			m->starts[i] = p->next;
			explicit_bzero(p->bytes, p->n);
			free(p->bytes);
			free(p);
		}
	}
	free(m);
}

/* The alphabet for addresses has two characters of its own. */
static unsigned char usual(char c)
{
	return c == '-' ? '+' : c == '_' ? '/' : (unsigned char)c;
}

static void add_pattern(struct mask *m, const char *bytes, size_t n, bool is_base64)
{
	struct pattern **at = &m->starts[usual(bytes[0])];
	struct pattern *p;

	/* Each hook of a deploy brings the same secrets. */
	for (p = *at; p; p = p->next)
		if (p->n == n && p->is_base64 == is_base64 && memcmp(p->bytes, bytes, n) == 0)
			return;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	*p = (struct pattern){str_ndup(bytes, n), n, is_base64, *at};
	*at = p;
}

/* As it stands in the base64 of something longer, `before` bytes after a multiple of three: without the characters at both
 * ends that depend on the bytes around. */
static void add_base64(struct mask *m, const char *bytes, size_t n, size_t before)
{
	char whole[MASK_PIECE_MAX + 3] = "";
	struct buf text = BUF_INIT(MASK_MATCH_MAX);
	size_t from = (before * 8 + 5) / 6, to = (before + n) * 8 / 6;

	memcpy(whole + before, bytes, n);
	base64_encode(&text, whole, before + n, 0);
	add_pattern(m, text.data + from, to - from, true);
	explicit_bzero(whole, sizeof(whole));
	explicit_bzero(text.data, text.len);
	buf_done(&text);
}

static void add_piece(struct mask *m, const char *bytes, size_t n)
{
	add_pattern(m, bytes, n, false);
	for (size_t before = 0; before < 3; before++)
		add_base64(m, bytes, n, before);
}

void mask_add(struct mask *m, const char *secret)
{
	while (*secret) {
		size_t n = strcspn(secret, "\r\n");

		for (size_t at = 0; n >= MASK_SECRET_MIN && at < n; at += MASK_PIECE_MAX) {
			size_t piece = n - at < MASK_PIECE_MAX ? n - at : MASK_PIECE_MAX;

			/* A short rest is looked for together with what is before it. */
			if (piece < MASK_SECRET_MIN) {
				at = n - MASK_SECRET_MIN;
				piece = MASK_SECRET_MIN;
			}
			add_piece(m, secret + at, piece);
		}
		secret += n;
		secret += strspn(secret, "\r\n");
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "%41" stands for; -1: none. */
static int percent(const char *text, size_t n)
{
	if (n < 3 || text[0] != '%' || digit(text[1]) < 0 || digit(text[2]) < 0)
		return -1;
	return digit(text[1]) << 4 | digit(text[2]);
}

static bool is_same(const struct pattern *p, char want, char got)
{
	return want == got || (p->is_base64 && usual(want) == usual(got));
}

/* How much of the text is the byte `want`, in one of its forms; 0: it is another. */
static size_t take(const struct pattern *p, char want, const char *text, size_t n)
{
	int code = percent(text, n);

	if (code >= 0 && is_same(p, want, (char)code))
		return 3;
	if (n >= 2 && text[0] == '\\' && text[1] == want)
		return 2;
	if (n >= 1 && (is_same(p, want, text[0]) || (want == ' ' && text[0] == '+')))
		return 1;
	return 0;
}

/* Length of the match at the start of the text; 0: none. */
static size_t match(const struct pattern *p, const char *text, size_t n)
{
	size_t at = 0;

	if (n >= p->n && memcmp(text, p->bytes, p->n) == 0)
		return p->n;
	for (size_t i = 0; i < p->n; i++) {
		size_t len = take(p, p->bytes[i], text + at, n - at);

		if (len == 0)
			return 0;
		at += len;
	}
	return at;
}

static size_t longest(const struct mask *m, unsigned char start, const char *text, size_t n)
{
	size_t most = 0;

	for (const struct pattern *p = m->starts[start]; p; p = p->next) {
		size_t len = match(p, text, n);

		if (len > most)
			most = len;
	}
	return most;
}

/* The same for each byte the text may start with. */
static size_t longest_here(const struct mask *m, const char *text, size_t n)
{
	size_t most = longest(m, usual(text[0]), text, n), other = 0;
	int code = percent(text, n);

	if (code >= 0)
		other = longest(m, usual((char)code), text, n);
	else if (text[0] == '\\' && n >= 2)
		other = longest(m, usual(text[1]), text, n);
	else if (text[0] == '+')
		other = longest(m, ' ', text, n);
	return other > most ? other : most;
}

void mask_find(const struct mask *m, const char *text, size_t n, unsigned char *marks)
{
	for (size_t i = 0; i < n; i++) {
		size_t len;

		if (!m->starts[usual(text[i])] && text[i] != '%' && text[i] != '\\' &&
			text[i] != '+')
			continue;
		len = longest_here(m, text + i, n - i);

		if (len)
			memset(marks + i, 1, len);
	}
}
