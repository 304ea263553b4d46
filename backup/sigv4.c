/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/sigv4.h"

#include <assert.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/hash.h"

enum { KEY_BYTES = 32, SECRET_MAX_BYTES = 4096, REQUEST_MAX_BYTES = 64 * 1024 };

void sigv4_date(char to[SIGV4_DATE_SIZE], int64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(to, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm))
		abort();
}

void sigv4_encode(struct buf *out, const char *s, bool keep_slash)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 0x80 && isalnum(c)) || strchr("-._~", c) || (c == '/' && keep_slash))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void sigv4_query(struct buf *out, const struct sigv4_pair *query, size_t n)
{
	char *parts[SIGV4_PAIRS_MAX];

	assert(n <= SIGV4_PAIRS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_INIT(REQUEST_MAX_BYTES);

		sigv4_encode(&b, query[i].name, false);
		/* Sorts before all that a longer name can go on with. */
		buf_addc(&b, '\1');
		sigv4_encode(&b, query[i].value, false);
		parts[i] = buf_take(&b);
	}
	qsort(parts, n, sizeof(parts[0]), by_text);
	for (size_t i = 0; i < n; i++) {
		*strchr(parts[i], '\1') = '=';
		buf_addf(out, "%s%s", i ? "&" : "", parts[i]);
		free(parts[i]);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct sigv4_pair *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

static size_t sort_headers(struct sigv4_pair to[SIGV4_PAIRS_MAX], const struct sigv4_request *r)
{
	assert(r->n_headers <= SIGV4_PAIRS_MAX);
	memcpy(to, r->headers, r->n_headers * sizeof(to[0]));
	qsort(to, r->n_headers, sizeof(to[0]), by_name);
	return r->n_headers;
}

static void add_lower(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_addc(out, (char)tolower((unsigned char)*s));
}

/* Without spaces at the ends, and with single ones between. */
static void add_trimmed(struct buf *out, const char *s)
{
	bool began = false, gap = false;

	for (; *s; s++) {
		if (*s == ' ' || *s == '\t') {
			gap = began;
			continue;
		}
		if (gap)
			buf_addc(out, ' ');
		buf_addc(out, *s);
		began = true;
		gap = false;
	}
}

static void add_signed_names(struct buf *out, const struct sigv4_request *r)
{
	struct sigv4_pair sorted[SIGV4_PAIRS_MAX];
	size_t n = sort_headers(sorted, r);

	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ';');
		add_lower(out, sorted[i].name);
	}
}

void sigv4_canonical_request(struct buf *out, const struct sigv4_request *r)
{
	struct sigv4_pair sorted[SIGV4_PAIRS_MAX];
	size_t n = sort_headers(sorted, r);

	buf_addf(out, "%s\n", r->method);
	sigv4_encode(out, r->path, true);
	buf_addc(out, '\n');
	sigv4_query(out, r->query, r->n_query);
	buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		add_lower(out, sorted[i].name);
		buf_addc(out, ':');
		add_trimmed(out, sorted[i].value);
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
	add_signed_names(out, r);
	buf_addf(out, "\n%s", r->payload_sha256);
}

static const char *header(const struct sigv4_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

/* key = HMAC(key, text), in place. */
static void derive(unsigned char key[KEY_BYTES], size_t key_len, const char *text)
{
	unsigned char out[KEY_BYTES];

	if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out,
		    NULL))
		abort();
	memcpy(key, out, KEY_BYTES);
	OPENSSL_cleanse(out, sizeof(out));
}

static void signing_key(unsigned char key[KEY_BYTES], const struct sigv4_keys *k, const char *day)
{
	unsigned char start[SECRET_MAX_BYTES + 4] = "AWS4";
	size_t n = strlen(k->secret_access_key);

	assert(n <= SECRET_MAX_BYTES);
	memcpy(start + 4, k->secret_access_key, n);
	derive(start, n + 4, day);
	derive(start, KEY_BYTES, k->region);
	derive(start, KEY_BYTES, k->service);
	derive(start, KEY_BYTES, "aws4_request");
	memcpy(key, start, KEY_BYTES);
	OPENSSL_cleanse(start, sizeof(start));
}

void sigv4_authorization(struct buf *out, const struct sigv4_request *r, const struct sigv4_keys *k)
{
	_cleanup_(buf_done) struct buf canonical = BUF_INIT(REQUEST_MAX_BYTES);
	_cleanup_(buf_done) struct buf text = BUF_INIT(REQUEST_MAX_BYTES);
	_cleanup_(buf_done) struct buf scope = BUF_INIT(REQUEST_MAX_BYTES);
	char hash[HASH_SHA256_HEX_SIZE], signature[HASH_SHA256_HEX_SIZE], day[9];
	unsigned char key[KEY_BYTES];
	const char *date = header(r, "x-amz-date");

	assert(date && strlen(date) == SIGV4_DATE_SIZE - 1);
	memcpy(day, date, 8);
	day[8] = '\0';
	buf_addf(&scope, "%s/%s/%s/aws4_request", day, k->region, k->service);
	sigv4_canonical_request(&canonical, r);
	hash_sha256_hex(hash, buf_str(&canonical), canonical.len);
	buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, buf_str(&scope), hash);
	signing_key(key, k, day);
	hash_hmac_sha256_hex(signature, key, sizeof(key), buf_str(&text), text.len);
	OPENSSL_cleanse(key, sizeof(key));
	buf_addf(out, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=", k->access_key_id,
		buf_str(&scope));
	add_signed_names(out, r);
	buf_addf(out, ", Signature=%s", signature);
}
