/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/age.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age_header.h"
#include "backup/age_keys.h"
#include "backup/age_payload.h"
#include "base/buf.h"
#include "base/cleanup.h"

struct encryptor {
	struct sink sink;
	struct sink *next;
	struct age_cipher *cipher;
	uint64_t number; /* of the next chunk */
	size_t len; /* waiting in `plain` */
	uint8_t plain[AGE_CHUNK_BYTES], sealed[AGE_SEALED_BYTES];
};

static int put_chunk(struct encryptor *s, const void *data, size_t n, bool is_last, struct err *e)
{
	uint8_t nonce[AGE_NONCE_BYTES];

	age_chunk_nonce(nonce, s->number++, is_last);
	age_seal(s->cipher, nonce, data, n, s->sealed);
	return sink_write(s->next, s->sealed, n + AGE_TAG_BYTES, e);
}

/* A full chunk waits until a byte follows it: only then it is known not to be the last. */
static int encryptor_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct encryptor *s = (struct encryptor *)sink;
	const uint8_t *p = data;

	while (n > 0) {
		bool is_direct = s->len == 0 && n > AGE_CHUNK_BYTES;
		size_t k = AGE_CHUNK_BYTES - s->len;
		int r = 0;

		if (s->len == AGE_CHUNK_BYTES) {
			r = put_chunk(s, s->plain, AGE_CHUNK_BYTES, false, e);
			s->len = 0;
			k = 0;
		} else if (is_direct) {
			r = put_chunk(s, p, AGE_CHUNK_BYTES, false, e);
		} else {
			k = n < k ? n : k;
			memcpy(s->plain + s->len, p, k);
			s->len += k;
		}
		if (r < 0)
			return r;
		p += k;
		n -= k;
	}
	return 0;
}

static int encryptor_finish(struct sink *sink, struct err *e)
{
	struct encryptor *s = (struct encryptor *)sink;

	return put_chunk(s, s->plain, s->len, true, e);
}

static void encryptor_free(struct sink *sink)
{
	struct encryptor *s = (struct encryptor *)sink;

	age_cipher_free(s->cipher);
	age_wipe(s->plain, sizeof(s->plain));
	free(s);
}

static const struct sink_ops encryptor_ops = {encryptor_write, encryptor_finish, encryptor_free};

static int add_recipient(struct buf *header, const char *text,
	const uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	uint8_t public[AGE_KEY_BYTES], secret[AGE_KEY_BYTES], shared[AGE_KEY_BYTES];
	uint8_t key[AGE_KEY_BYTES], salt[2 * AGE_KEY_BYTES];
	struct age_stanza s = {.kind = AGE_X25519};
	int r = age_recipient_parse(text, public, e);

	if (r < 0)
		return err_wrap(e, r, "recipient \"%.80s\"", text);
	age_random(secret, sizeof(secret));
	age_x25519_public(s.share, secret);
	r = age_x25519(shared, secret, public, e);
	memcpy(salt, s.share, AGE_KEY_BYTES);
	memcpy(salt + AGE_KEY_BYTES, public, AGE_KEY_BYTES);
	if (r == 0) {
		age_hkdf(key, shared, sizeof(shared), salt, sizeof(salt),
			"age-encryption.org/v1/X25519");
		age_wrap(s.wrapped, key, file_key);
		age_header_add(header, &s);
	}
	age_wipe(secret, sizeof(secret));
	age_wipe(shared, sizeof(shared));
	age_wipe(key, sizeof(key));
	return r;
}

int age_passphrase_check(const char *text, struct err *e)
{
	if (strlen(text) < AGE_PASSPHRASE_MIN)
		return err_set(e, EINVAL, "the passphrase has %zu characters: take %d or more",
			strlen(text), AGE_PASSPHRASE_MIN);
	return 0;
}

static int add_passphrase(struct buf *header, const char *passphrase,
	const uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	struct age_stanza s = {.kind = AGE_SCRYPT, .log_n = AGE_WORK_FACTOR};
	uint8_t key[AGE_KEY_BYTES];
	int r;

	r = age_passphrase_check(passphrase, e);
	if (r < 0)
		return r;
	age_random(s.salt, sizeof(s.salt));
	r = age_scrypt(key, passphrase, s.salt, s.log_n, e);
	if (r == 0) {
		age_wrap(s.wrapped, key, file_key);
		age_header_add(header, &s);
	}
	age_wipe(key, sizeof(key));
	return r;
}

static int make_header(struct buf *header, const struct age_encrypt *o,
	const uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	int r = 0;

	age_header_begin(header);
	if (o->passphrase)
		r = add_passphrase(header, o->passphrase, file_key, e);
	for (size_t i = 0; r == 0 && i < o->n_recipients; i++)
		r = add_recipient(header, o->recipients[i], file_key, e);
	if (r == 0)
		age_header_end(header, file_key);
	return r;
}

/* The header and the payload's nonce. */
static int begin_file(struct encryptor *s, const struct age_encrypt *o, struct err *e)
{
	_cleanup_(buf_done) struct buf header = BUF_INIT(AGE_HEADER_MAX);
	uint8_t file_key[AGE_FILE_KEY_BYTES], nonce[AGE_PAYLOAD_NONCE_BYTES];
	int r;

	age_random(file_key, sizeof(file_key));
	age_random(nonce, sizeof(nonce));
	r = make_header(&header, o, file_key, e);
	s->cipher = age_payload_cipher(file_key, nonce, true);
	age_wipe(file_key, sizeof(file_key));
	if (r == 0)
		r = sink_write(s->next, header.data, header.len, e);
	if (r == 0)
		r = sink_write(s->next, nonce, sizeof(nonce), e);
	return r;
}

int age_encryptor_new(
	const struct age_encrypt *o, struct sink *next, struct sink **out, struct err *e)
{
	struct encryptor *s;
	int r;

	if ((o->passphrase != NULL) == (o->n_recipients > 0))
		return err_set(e, EINVAL, "encryption needs either recipients or a passphrase");
	if (o->n_recipients > AGE_RECIPIENTS_MAX)
		return err_set(e, EINVAL, "more than %d recipients", AGE_RECIPIENTS_MAX);
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->sink.ops = &encryptor_ops;
	s->next = next;
	r = begin_file(s, o, e);
	if (r < 0) {
		encryptor_free(&s->sink);
		return r;
	}
	*out = &s->sink;
	return 0;
}
