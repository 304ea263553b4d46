/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/proof.h"

static const char *const kinds[] = {
	[PROOF_NONE] = "none",
	[PROOF_HMAC_SHA256] = "hmac-sha256",
	[PROOF_HMAC_SHA1] = "hmac-sha1",
	[PROOF_STANDARD] = "standard",
	[PROOF_TOKEN] = "token",
	[PROOF_PATH] = "path",
};

json_t *proof_to_json(const struct proof *p)
{
	bool can_be_told = delivery_text_is_clean(p->value) && delivery_text_is_clean(p->id);
	json_t *j = json_object();

	json_object_set_new(j, "kind", json_string(kinds[can_be_told ? p->kind : PROOF_NONE]));
	if (!can_be_told || p->kind == PROOF_NONE)
		return j;
	json_object_set_new(j, "value", json_string(p->value));
	if (p->kind == PROOF_STANDARD) {
		json_object_set_new(j, "id", json_string(p->id));
		json_object_set_new(j, "timestamp", json_integer(p->timestamp_s));
	}
	json_object_set_new(j, "signs_field", json_boolean(p->signs_field));
	return j;
}

static int read_kind(const json_t *j, enum proof_kind *out, struct err *e)
{
	const char *name = json_string_value(json_object_get(j, "kind"));

	for (size_t i = 0; name && i < ARRAY_LEN(kinds); i++)
		if (strcmp(name, kinds[i]) == 0) {
			*out = (enum proof_kind)i;
			return 0;
		}
	return err_set(e, EBADMSG, "\"kind\" is not one of a proof");
}

static int read_text(const json_t *j, const char *name, char *to, size_t size, struct err *e)
{
	const json_t *v = json_object_get(j, name);
	const char *s = v ? json_string_value(v) : "";

	if (!s || (v && strlen(s) != json_string_length(v)) || !str_copy(to, size, s))
		return err_set(e, EBADMSG, "\"%s\" is not a text of a proof", name);
	return 0;
}

int proof_from_json(const json_t *j, struct proof *out, struct err *e)
{
	struct proof p = {.signs_field = json_is_true(json_object_get(j, "signs_field"))};
	int r = read_kind(j, &p.kind, e);

	if (r == 0)
		r = read_text(j, "value", p.value, sizeof(p.value), e);
	if (r == 0)
		r = read_text(j, "id", p.id, sizeof(p.id), e);
	p.timestamp_s = json_integer_value(json_object_get(j, "timestamp"));
	if (r == 0)
		*out = p;
	return r;
}
