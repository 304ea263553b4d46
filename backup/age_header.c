/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/age_header.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "backup/age.h"
#include "base/base64.h"
#include "base/cleanup.h"

enum { BODY_LINE_MAX = 64, WORDS_MAX = 16 };

/* Base64 without padding. */
static void add_base64(struct buf *out, const void *data, size_t n)
{
	base64_encode(out, data, n, 0);
	while (out->len > 0 && out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
}

void age_header_begin(struct buf *out)
{
	buf_adds(out, AGE_INTRO);
}

void age_header_add(struct buf *out, const struct age_stanza *s)
{
	if (s->kind == AGE_X25519) {
		buf_adds(out, "-> X25519 ");
		add_base64(out, s->share, sizeof(s->share));
	} else {
		buf_adds(out, "-> scrypt ");
		add_base64(out, s->salt, sizeof(s->salt));
		buf_addf(out, " %d", s->log_n);
	}
	buf_addc(out, '\n');
	add_base64(out, s->wrapped, sizeof(s->wrapped)); /* 43 characters: one line, a short one */
	buf_addc(out, '\n');
}

static void header_mac(uint8_t to[AGE_KEY_BYTES], const uint8_t file_key[AGE_FILE_KEY_BYTES],
	const char *text, size_t n)
{
	uint8_t key[AGE_KEY_BYTES];

	age_hkdf(key, file_key, AGE_FILE_KEY_BYTES, "", 0, "header");
	age_hmac(to, key, text, n);
	age_wipe(key, sizeof(key));
}

void age_header_end(struct buf *out, const uint8_t file_key[AGE_FILE_KEY_BYTES])
{
	uint8_t mac[AGE_KEY_BYTES];

	buf_adds(out, AGE_MAC_LINE);
	header_mac(mac, file_key, out->data, out->len);
	buf_addc(out, ' ');
	add_base64(out, mac, sizeof(mac));
	buf_addc(out, '\n');
}

struct text {
	const char *at, *end;
};

struct piece {
	const char *p;
	size_t n;
};

static int bad(struct err *e, const char *what)
{
	return err_set(e, EBADMSG, "age header: %s", what);
}

/* The next line, without its end; false when there is none. */
static bool next_line(struct text *t, struct piece *line)
{
	const char *end = memchr(t->at, '\n', (size_t)(t->end - t->at));

	if (!end)
		return false;
	*line = (struct piece){t->at, (size_t)(end - t->at)};
	t->at = end + 1;
	return true;
}

static bool piece_is(struct piece a, const char *text)
{
	return a.n == strlen(text) && memcmp(a.p, text, a.n) == 0;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Without padding, and in the one way in which these bytes can be written. At most n of them go to `to`;
 * returns how many there are, -1 for what is no base64. */
static ssize_t from_base64(struct piece text, uint8_t *to, size_t n)
{
	unsigned bits = 0, have = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.n; i++) {
		int v = base64_value(text.p[i]);

		if (v < 0)
			return -1;
		bits = (bits << 6 | (unsigned)v) & 0xfff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (len < n)
			to[len] = (uint8_t)(bits >> have);
		len++;
	}
	if (have == 6 || (bits & ((1u << have) - 1)) != 0)
		return -1;
	return (ssize_t)len;
}

/* "-> KIND ARG ARG": words of visible ASCII with one space between. */
static int split_args(struct piece line, struct piece args[WORDS_MAX], size_t *n, struct err *e)
{
	size_t start = 3;

	*n = 0;
	if (line.n < 4 || memcmp(line.p, "-> ", 3) != 0)
		return bad(e, "a line that is none");
	for (size_t i = start; i <= line.n; i++) {
		if (i < line.n && line.p[i] != ' ') {
			if (line.p[i] < 0x21 || line.p[i] > 0x7e)
				return bad(e, "characters that may not be there");
			continue;
		}
		if (i == start || *n == WORDS_MAX)
			return bad(e, "an empty word, or too many");
		args[(*n)++] = (struct piece){line.p + start, i - start};
		start = i + 1;
	}
	return 0;
}

/* The lines below: of 64 characters, the last one shorter. Returns the number of bytes in all of them. */
static int read_body(struct text *t, uint8_t *to, size_t max, size_t *len, struct err *e)
{
	struct piece line;

	*len = 0;
	do {
		ssize_t n;

		if (!next_line(t, &line))
			return bad(e, "it ends early");
		if (line.n > BODY_LINE_MAX)
			return bad(e, "a line that is too long");
		n = from_base64(line, *len < max ? to + *len : NULL, *len < max ? max - *len : 0);
		if (n < 0)
			return bad(e, "something that is no base64");
		*len += (size_t)n;
	} while (line.n == BODY_LINE_MAX);
	return 0;
}

static int parse_x25519(struct age_stanza *s, const struct piece *args, size_t n, struct err *e)
{
	s->kind = AGE_X25519;
	if (n != 2 || from_base64(args[1], s->share, sizeof(s->share)) != sizeof(s->share))
		return bad(e, "a wrong X25519 recipient");
	return 0;
}

static int parse_scrypt(struct age_stanza *s, const struct piece *args, size_t n, struct err *e)
{
	s->kind = AGE_SCRYPT;
	if (n != 3 || from_base64(args[1], s->salt, sizeof(s->salt)) != sizeof(s->salt))
		return bad(e, "a wrong scrypt recipient");
	if (args[2].n == 0 || args[2].n > 2 || args[2].p[0] < '1' || args[2].p[0] > '9')
		return bad(e, "a wrong work factor");
	for (size_t i = 0; i < args[2].n; i++) {
		if (args[2].p[i] < '0' || args[2].p[i] > '9')
			return bad(e, "a wrong work factor");
		s->log_n = s->log_n * 10 + (args[2].p[i] - '0');
	}
	if (s->log_n > AGE_WORK_FACTOR_MAX)
		return err_set(e, E2BIG, "the passphrase's work factor is %d, at most %d is taken",
			s->log_n, AGE_WORK_FACTOR_MAX);
	return 0;
}

static int parse_stanza(struct text *t, struct piece line, struct age_header *h, struct err *e)
{
	struct piece args[WORDS_MAX];
	struct age_stanza s = {0};
	bool is_known = true;
	size_t n, len = 0;
	int r = split_args(line, args, &n, e);

	if (r == 0 && piece_is(args[0], "X25519"))
		r = parse_x25519(&s, args, n, e);
	else if (r == 0 && piece_is(args[0], "scrypt"))
		r = parse_scrypt(&s, args, n, e);
	else
		is_known = false;
	if (r == 0)
		r = read_body(t, s.wrapped, sizeof(s.wrapped), &len, e);
	if (r < 0)
		return r;
	if (!is_known) {
		h->n_unknown++;
		return 0;
	}
	if (len != sizeof(s.wrapped))
		return bad(e, "a wrapped key of a wrong length");
	if (h->n_stanzas == AGE_STANZAS_MAX)
		return bad(e, "too many recipients");
	h->stanzas[h->n_stanzas++] = s;
	return 0;
}

static int parse_mac(struct piece line, const char *text, struct age_header *h, struct err *e)
{
	size_t skip = strlen(AGE_MAC_LINE) + 1;
	struct piece mac = {line.p + skip, line.n < skip ? 0 : line.n - skip};

	if (line.n < skip || line.p[skip - 1] != ' ' ||
		from_base64(mac, h->mac, sizeof(h->mac)) != sizeof(h->mac))
		return bad(e, "a wrong MAC");
	h->mac_len = (size_t)(line.p - text) + strlen(AGE_MAC_LINE);
	return 0;
}

int age_header_parse(const char *text, size_t n, struct age_header *out, struct err *e)
{
	struct text t = {text, text + n};
	struct piece line;
	int r;

	memset(out, 0, sizeof(*out));
	if (n < strlen(AGE_INTRO) || memcmp(text, AGE_INTRO, strlen(AGE_INTRO)) != 0)
		return bad(e, "this is no age file of version 1");
	t.at += strlen(AGE_INTRO);
	for (;;) {
		if (!next_line(&t, &line))
			return bad(e, "it ends early");
		if (line.n >= 3 && memcmp(line.p, AGE_MAC_LINE, 3) == 0)
			break;
		r = parse_stanza(&t, line, out, e);
		if (r < 0)
			return r;
	}
	r = parse_mac(line, text, out, e);
	if (r < 0)
		return r;
	if (t.at != t.end)
		return bad(e, "something behind its end");
	if (out->n_stanzas + out->n_unknown == 0)
		return bad(e, "nobody can open it");
	for (size_t i = 0; i < out->n_stanzas; i++)
		if (out->stanzas[i].kind == AGE_SCRYPT && out->n_stanzas + out->n_unknown > 1)
			return bad(e, "a passphrase beside other recipients");
	return 0;
}

int age_header_check(const struct age_header *h, const char *text,
	const uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	uint8_t mac[AGE_KEY_BYTES];

	header_mac(mac, file_key, text, h->mac_len);
	if (CRYPTO_memcmp(mac, h->mac, sizeof(mac)) != 0)
		return bad(e, "it was changed");
	return 0;
}
