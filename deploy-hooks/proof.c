/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/proof.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { HEX_SHA256 = 64 };

void proof_hmac_sha256(
	const struct headers *h, const char *header, const char *prefix, struct proof *out)
{
	const char *v = headers_one(h, header);
	size_t n = strlen(prefix);

	if (!v || strncmp(v, prefix, n) != 0)
		return;
	v += n;
	if (strlen(v) != HEX_SHA256 || strspn(v, "0123456789abcdefABCDEF") != HEX_SHA256)
		return;
	for (size_t i = 0; i <= HEX_SHA256; i++)
		out->value[i] = (char)tolower((unsigned char)v[i]);
	out->kind = PROOF_HMAC_SHA256;
}

/* Printable ASCII without spaces, and something. */
static bool is_word(const char *s, size_t max)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return n > 0 && n <= max;
}

void proof_standard(const struct headers *h, struct proof *out)
{
	const char *id = headers_one(h, "webhook-id"), *time = headers_one(h, "webhook-timestamp");
	const char *signature = headers_one(h, "webhook-signature");
	int64_t at;

	if (!id || !time || !signature || !is_word(id, sizeof(out->id) - 1))
		return;
	if (strlen(time) > 12 || str_to_i64(time, &at, NULL) < 0 || at <= 0)
		return;
	if (!strstr(signature, "v1,") || !str_copy(out->value, sizeof(out->value), signature)) {
		out->value[0] = '\0';
		return;
	}
	(void)str_copy(out->id, sizeof(out->id), id);
	out->timestamp_s = at;
	out->kind = PROOF_STANDARD;
}

void proof_token(const struct headers *h, const char *header, const char *prefix, struct proof *out)
{
	const char *v = headers_one(h, header);
	size_t n = strlen(prefix);

	if (!v || strncasecmp(v, prefix, n) != 0)
		return;
	v += n;
	if (n > 0)
		v += strspn(v, " ");
	if (!*v || !str_copy(out->value, sizeof(out->value), v)) {
		out->value[0] = '\0';
		return;
	}
	out->kind = PROOF_TOKEN;
}

void proof_path(const char *path_rest, struct proof *out)
{
	const char *v = path_rest ? path_rest + (*path_rest == '/') : "";

	if (!is_word(v, sizeof(out->value) - 1) || strchr(v, '/'))
		return;
	(void)str_copy(out->value, sizeof(out->value), v);
	out->kind = PROOF_PATH;
}
