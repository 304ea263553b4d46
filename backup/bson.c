/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/bson.h"

#include <string.h>

enum type { TYPE_DOUBLE = 1, TYPE_TEXT = 2, TYPE_BOOL = 8, TYPE_INT32 = 16, TYPE_INT64 = 18 };

struct element {
	enum type type;
	const char *name;
	const unsigned char *value;
	size_t size;
};

static uint32_t read_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool bson_open(struct bson *b, const void *document, size_t n)
{
	const unsigned char *p = document;

	if (n < BSON_SIZE_MIN || read_u32(p) != n || p[n - 1] != 0)
		return false;
	b->p = p + 4;
	b->end = p + n - 1;
	return true;
}

/* Bytes of the value at p; 0: not known, or more than there is. */
static size_t value_size(enum type type, const unsigned char *p, size_t left)
{
	size_t size = 0;

	if (type == TYPE_DOUBLE || type == TYPE_INT64)
		size = 8;
	else if (type == TYPE_INT32)
		size = 4;
	else if (type == TYPE_BOOL)
		size = 1;
	else if (type == TYPE_TEXT && left > 4 && read_u32(p) > 0 && read_u32(p) <= left - 4)
		size = 4 + (size_t)read_u32(p);
	return size <= left ? size : 0;
}

/* Moves p behind the element. */
static bool next(const unsigned char **p, const unsigned char *end, struct element *out)
{
	const unsigned char *nul;

	if (*p >= end)
		return false;
	out->type = (enum type) * *p;
	out->name = (const char *)*p + 1;
	nul = memchr(*p + 1, '\0', (size_t)(end - *p - 1));
	if (!nul)
		return false;
	out->value = nul + 1;
	out->size = value_size(out->type, out->value, (size_t)(end - out->value));
	*p = out->value + out->size;
	return out->size > 0;
}

static bool find(const struct bson *b, const char *name, enum type type, struct element *out)
{
	const unsigned char *p = b->p;

	while (next(&p, b->end, out))
		if (out->type == type && strcmp(out->name, name) == 0)
			return true;
	return false;
}

struct bson_text bson_get_text(const struct bson *b, const char *name)
{
	struct bson_text t = {NULL, 0};
	struct element x;

	/* Its length counts the NUL at its end. */
	if (find(b, name, TYPE_TEXT, &x) && !memchr(x.value + 4, '\0', x.size - 5))
		t = (struct bson_text){(const char *)x.value + 4, x.size - 5};
	return t;
}

bool bson_get_bool(const struct bson *b, const char *name)
{
	struct element x;

	return find(b, name, TYPE_BOOL, &x) && *x.value;
}

bool bson_get_int64(const struct bson *b, const char *name, int64_t *out)
{
	struct element x;
	uint64_t v = 0;

	if (!find(b, name, TYPE_INT64, &x))
		return false;
	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)x.value[i] << 8 * i;
	*out = (int64_t)v;
	return true;
}
