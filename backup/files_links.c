/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_links.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Open addressing; a slot without a path is free. */
struct slot {
	ino_t inode;
	char *path;
};

struct files_links {
	struct slot *slots;
	size_t n_slots, n, bytes; /* n_slots is a power of 2 */
};

static size_t slot_of(const struct slot *slots, size_t n_slots, ino_t inode)
{
	size_t i = (size_t)((uint64_t)inode * 0x9e3779b97f4a7c15u >> 20) & (n_slots - 1);

	while (slots[i].path && slots[i].inode != inode)
		i = (i + 1) & (n_slots - 1);
	return i;
}

static struct slot *make(size_t n_slots)
{
	struct slot *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		abort();
	return slots;
}

struct files_links *files_links_new(void)
{
	struct files_links *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->n_slots = 256;
	l->slots = make(l->n_slots);
	return l;
}

void files_links_free(struct files_links *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n_slots; i++)
		free(l->slots[i].path);
	free(l->slots);
	free(l);
}

const char *files_links_find(const struct files_links *l, ino_t inode)
{
	return l->slots[slot_of(l->slots, l->n_slots, inode)].path;
}

static void grow(struct files_links *l)
{
	size_t n_slots = 2 * l->n_slots;
	struct slot *slots = make(n_slots);

	for (size_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].path)
			slots[slot_of(slots, n_slots, l->slots[i].inode)] = l->slots[i];
	free(l->slots);
	l->slots = slots;
	l->n_slots = n_slots;
}

bool files_links_add(struct files_links *l, ino_t inode, const char *path)
{
	size_t len = strlen(path) + 1;
	size_t i;

	if (l->n == FILES_LINKS_MAX || l->bytes + len > FILES_LINKS_BYTES_MAX)
		return false;
	if (2 * (l->n + 1) > l->n_slots)
		grow(l);
	i = slot_of(l->slots, l->n_slots, inode);
	if (l->slots[i].path)
		return true;
	l->slots[i] = (struct slot){inode, str_dup(path)};
	l->n++;
	l->bytes += len;
	return true;
}
