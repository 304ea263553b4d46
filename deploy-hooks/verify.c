/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/str.h"
#include "deploy-hooks/form_field.h"

enum {
	SIGNATURES_MAX = 16, /* in one header; rotation needs two */
	SIGNATURE_BYTES = 32,
	SIGNATURE_TEXT = 44, /* the same as base64 */
	KEY_MAX = 4096,
	READ_BYTES = 32768,
};

struct verify {
	int fd;
	enum proof_kind kind;
	off_t at;
	struct form_field *field; /* what is signed is a field of the body; NULL: all of it */
	struct hash_hmac *hmac[VERIFY_SECRETS_MAX];
	size_t n_hmac;
	bool token_is_right;
	char wanted[SIGNATURES_MAX][HASH_SHA256_HEX_SIZE]; /* one of these */
	size_t n_wanted;
	int64_t timestamp_s;
	int result; /* 1 until it is known */
};

void verify_free(struct verify *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_hmac; i++)
		hash_hmac_free(v->hmac[i]);
	form_field_free(v->field);
	if (v->fd >= 0)
		(void)close(v->fd);
	explicit_bzero(v, sizeof(*v));
	free(v);
}
DEFINE_CLEANUP(struct verify *, verify_free);

static int refuse(struct err *e, const char *why)
{
	return err_set(e, EACCES, "%s", why);
}

/* The digits in the case of our own. */
static int take_hex(struct verify *v, const char *value, struct err *e)
{
	char *to = v->wanted[0];

	if (strlen(value) != HASH_SHA256_HEX_SIZE - 1 ||
		strspn(value, "0123456789abcdefABCDEF") != HASH_SHA256_HEX_SIZE - 1)
		return refuse(e, "the signature is not 64 hexadecimal digits");
	for (; *value; value++)
		*to++ = (char)(*value >= 'A' && *value <= 'F' ? *value | 0x20 : *value);
	v->n_wanted = 1;
	return 0;
}

/* "v1,BASE64" of n bytes; other versions, and what has not the form, are passed over. */
static void take_signature(struct verify *v, const char *text, size_t n)
{
	struct buf bytes = BUF_INIT(SIGNATURE_BYTES + 3);

	if (n == 3 + SIGNATURE_TEXT && memcmp(text, "v1,", 3) == 0 &&
		base64_decode(&bytes, text + 3, n - 3, NULL) == 0 && bytes.len == SIGNATURE_BYTES) {
		for (size_t i = 0; i < SIGNATURE_BYTES; i++)
			(void)snprintf(v->wanted[v->n_wanted] + 2 * i, 3, "%02x",
				(unsigned char)bytes.data[i]);
		v->n_wanted++;
	}
	buf_done(&bytes);
}

static int take_standard(struct verify *v, const struct proof *p, struct err *e)
{
	const char *at = p->value;

	if (!*p->id || p->timestamp_s <= 0)
		return refuse(e, "the signature has no id or no time");
	while (*at && v->n_wanted < SIGNATURES_MAX) {
		size_t n = strcspn(at, " ");

		take_signature(v, at, n);
		at += n;
		at += strspn(at, " ");
	}
	if (v->n_wanted == 0)
		return refuse(e, "there is no signature of the form \"v1,BASE64\"");
	v->timestamp_s = p->timestamp_s;
	return 0;
}

/* Every secret is looked at, also after one that fits. */
static int take_token(
	struct verify *v, const char *value, const char *const *secrets, size_t n, struct err *e)
{
	bool right = false;

	if (!*value)
		return refuse(e, "the token is empty");
	for (size_t i = 0; i < n; i++)
		right |= hash_equal_text(value, secrets[i]);
	v->token_is_right = right;
	return 0;
}

static int take_proof(struct verify *v, const struct proof *p, const char *const *secrets, size_t n,
	struct err *e)
{
	v->kind = p->kind;
	switch (p->kind) {
	case PROOF_HMAC_SHA256:
		return take_hex(v, p->value, e);
	case PROOF_STANDARD:
		return take_standard(v, p, e);
	case PROOF_TOKEN:
	case PROOF_PATH:
		return take_token(v, p->value, secrets, n, e);
	case PROOF_HMAC_SHA1:
		return refuse(e, "signatures with SHA-1 are not accepted");
	case PROOF_NONE:
		break;
	}
	return refuse(e, "there is no signature");
}

static int start_hmac(struct verify *v, const struct proof *p, const char *secret, struct err *e)
{
	static const char prefix[] = "whsec_";
	struct buf key = BUF_INIT(KEY_MAX);
	char head[sizeof(p->id) + 32];
	int r = 0;

	if (p->kind == PROOF_STANDARD && str_starts(secret, prefix))
		r = base64_decode(
			&key, secret + strlen(prefix), strlen(secret + strlen(prefix)), e);
	else
		buf_adds(&key, secret);
	if (r < 0 || key.overflow || key.len == 0) {
		r = err_set(e, EINVAL, "the secret is not a key: %s",
			r < 0 ? "what follows whsec_ is not base64"
			      : (key.overflow ? "it is too long" : "it is empty"));
	} else {
		v->hmac[v->n_hmac] = hash_hmac_sha256_new(key.data, key.len);
		if (p->kind == PROOF_STANDARD) {
			(void)snprintf(
				head, sizeof(head), "%s.%" PRId64 ".", p->id, p->timestamp_s);
			hash_hmac_update(v->hmac[v->n_hmac], head, strlen(head));
		}
		v->n_hmac++;
	}
	if (key.data)
		explicit_bzero(key.data, key.cap);
	buf_done(&key);
	return r;
}

int verify_new(const struct proof *p, int body_fd, const char *const *secrets, size_t n_secrets,
	struct verify **out, struct err *e)
{
	_cleanup_(verify_free_p) struct verify *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		abort();
	v->fd = body_fd;
	v->result = 1;
	if (n_secrets == 0 || n_secrets > VERIFY_SECRETS_MAX)
		return err_set(e, EINVAL, "%zu secrets, and 1 or %d are needed", n_secrets,
			VERIFY_SECRETS_MAX);
	/* An empty one would make everybody right. */
	for (size_t i = 0; i < n_secrets; i++)
		if (!secrets[i] || !*secrets[i])
			return err_set(e, EINVAL, "a secret is empty");
	r = take_proof(v, p, secrets, n_secrets, e);
	for (size_t i = 0; r == 0 && v->n_wanted && i < n_secrets; i++)
		r = start_hmac(v, p, secrets[i], e);
	if (r < 0)
		return r;
	if (v->n_wanted && p->signs_field)
		v->field = form_field_new("payload");
	*out = TAKE_PTR(v);
	return 0;
}

static void hash(void *user, const void *data, size_t n)
{
	struct verify *v = user;

	for (size_t i = 0; i < v->n_hmac; i++)
		hash_hmac_update(v->hmac[i], data, n);
}

static int judge(struct verify *v, int64_t now_s, struct err *e)
{
	char hex[HASH_SHA256_HEX_SIZE];
	bool right = v->token_is_right;

	for (size_t i = 0; i < v->n_hmac; i++) {
		hash_hmac_final(v->hmac[i], hex);
		for (size_t j = 0; j < v->n_wanted; j++)
			right |= hash_equal(hex, v->wanted[j], sizeof(hex) - 1);
	}
	if (!right)
		return refuse(e, v->n_wanted ? "the signature is wrong" : "the token is wrong");
	if (v->timestamp_s && (v->timestamp_s > now_s + VERIFY_WINDOW_S ||
				      v->timestamp_s < now_s - VERIFY_WINDOW_S))
		return err_set(e, ETIME, "it was sent %" PRId64 " s %s, at most %d s are accepted",
			v->timestamp_s > now_s ? v->timestamp_s - now_s : now_s - v->timestamp_s,
			v->timestamp_s > now_s ? "in the future" : "ago", VERIFY_WINDOW_S);
	return 0;
}

/* Bytes taken, 0 at the end, or negative. */
static ssize_t take_some(struct verify *v, struct err *e)
{
	char bytes[READ_BYTES];
	ssize_t n = pread(v->fd, bytes, sizeof(bytes), v->at);

	if (n < 0)
		return errno == EINTR ? 1 : err_sys(e, "read the body");
	v->at += n;
	if (v->at > DELIVERY_BODY_MAX)
		return err_set(e, E2BIG, "the body has more than %d bytes", DELIVERY_BODY_MAX);
	if (v->field && form_field_add(v->field, bytes, (size_t)n, hash, v) < 0)
		return refuse(e, "the body is not a form with one field \"payload\"");
	if (!v->field)
		hash(v, bytes, (size_t)n);
	return n;
}

int verify_step(struct verify *v, int64_t now_s, struct err *e)
{
	off_t end = v->at + VERIFY_SLICE_BYTES;
	ssize_t n = 1;

	if (v->result != 1)
		return refuse(e, "it was judged before");
	while (v->n_wanted && n > 0 && v->at < end)
		n = take_some(v, e);
	if (n > 0 && v->n_wanted)
		return 1;
	if (n < 0)
		v->result = (int)n;
	else if (v->field && !form_field_is_there(v->field))
		v->result = refuse(e, "the body is not a form with one field \"payload\"");
	else
		v->result = judge(v, now_s, e);
	return v->result;
}
