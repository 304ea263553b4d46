/* SPDX-License-Identifier: Apache-2.0
 *
 * The containers known to runtime.h, sorted by id. Internal to runtime_*.c.
 */
#ifndef COLLECTORS_RUNTIME_STORE_H
#define COLLECTORS_RUNTIME_STORE_H

#include "collectors/container_info.h"

struct runtime_store {
	struct container_info **all; /* by id */
	size_t n, cap;
	unsigned version;
};

void runtime_store_done(struct runtime_store *s);
struct container_info *runtime_store_find(const struct runtime_store *s, const char *id);
/* Notes what was seen of the container's cgroup, and where the engine's state contradicts it,
 * corrects that. */
void runtime_store_saw(struct runtime_store *s, const char *id, bool came);
/* Adds, or merges into what is there; empties `info`. False when there are too many: `info` was
 * dropped. */
bool runtime_store_put(struct runtime_store *s, struct container_info *info);
/* Removes the containers of that engine, learnt from that source, whose `listed` is another. */
void runtime_store_sweep(
	struct runtime_store *s, unsigned source, const char *engine, unsigned listed);
void runtime_store_remove(struct runtime_store *s, const char *id);

#endif
