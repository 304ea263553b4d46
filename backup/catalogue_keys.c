/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/catalogue_internal.h"
#include "base/str.h"

/* A million backups' worth; a store that lists on for ever must end. */
enum { KEYS_MAX = 10 * 1000 * 1000 };

static int add(void *user, const struct store_object *o)
{
	struct listed_keys *l = user;

	if (l->n == KEYS_MAX)
		return -EFBIG;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->items = reallocarray(l->items, l->cap, sizeof(*l->items));
		if (!l->items)
			abort();
	}
	l->items[l->n++] = (struct listed_key){.key = str_dup(o->key),
		.etag = str_dup(o->etag),
		.bytes = o->bytes,
		.modified_ms = o->modified_ms};
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct listed_key *)a)->key, ((const struct listed_key *)b)->key);
}

int listed_keys_read(struct store *s, const char *prefix, struct listed_keys *out, struct err *e)
{
	struct listed_keys l = {.n = 0};
	int r = s->ops->list(s, prefix, add, &l, e);

	if (r == -EFBIG && l.n == KEYS_MAX)
		(void)err_set(e, EFBIG, "more than %d objects", KEYS_MAX);
	if (r < 0) {
		listed_keys_done(&l);
		return r;
	}
	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), compare);
	*out = l;
	return 0;
}

void listed_keys_done(struct listed_keys *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].key);
		free(l->items[i].etag);
	}
	free(l->items);
	*l = (struct listed_keys){.n = 0};
}

const struct listed_key *listed_keys_find(const struct listed_keys *l, const char *key)
{
	const struct listed_key wanted = {.key = (char *)key};

	return l->n ? bsearch(&wanted, l->items, l->n, sizeof(*l->items), compare) : NULL;
}

bool catalogue_split_key(
	const char *key, const char *job, char id[BACKUP_ID_SIZE], const char **name)
{
	size_t n = strlen(job);
	const char *slash;

	if (strncmp(key, job, n) != 0 || key[n] != '/')
		return false;
	slash = strchr(key + n + 1, '/');
	if (!slash || slash - (key + n + 1) >= BACKUP_ID_SIZE)
		return false;
	memcpy(id, key + n + 1, (size_t)(slash - (key + n + 1)));
	id[slash - (key + n + 1)] = '\0';
	*name = slash + 1;
	return backup_id_is_valid(id) && **name && !strchr(*name, '/');
}

int64_t catalogue_verified_ms(const char *name)
{
	_cleanup_(free_p) char *number = NULL;
	int64_t ms;

	if (!str_starts(name, VERIFIED_PREFIX) || !str_ends(name, ".json"))
		return -1;
	name += strlen(VERIFIED_PREFIX);
	number = str_ndup(name, strlen(name) - strlen(".json"));
	return str_to_i64(number, &ms, NULL) == 0 && ms >= 0 ? ms : -1;
}
