/* SPDX-License-Identifier: Apache-2.0
 *
 * What the container engines say about the containers of this machine, kept by container id. With
 * the engine's API socket (Docker, Podman) it is told of changes at once; without, its files on
 * disk are read when a cgroup appears or vanishes. Numbers never come from here: asking an engine
 * for them costs it hundreds of times more than reading the cgroup files.
 */
#ifndef COLLECTORS_RUNTIME_H
#define COLLECTORS_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "collectors/cgroup.h"
#include "collectors/cgroup_path.h"
#include "collectors/container_info.h"

enum {
	RUNTIME_CONTAINERS_MAX = 5000,
	RUNTIME_SOCKETS_MAX = 8,
};

struct runtime;

struct runtime_options {
	/* API sockets, as many as RUNTIME_SOCKETS_MAX; those that do not exist are left out (and
	 * looked for again). */
	const char *const *sockets;
	size_t n_sockets;
	const char *docker_root; /* "/var/lib/docker" */
	const char *podman_root; /* "/var/lib/containers/storage" */
	int root_fd; /* "/": the folders above are looked for below it */
	const struct cgroup_tree *tree; /* of engine_api_options */
};

/* `loop` and `http` may be NULL: files only. Options are copied; problems stay the caller's. */
int runtime_new(struct loop *loop, struct http_client *http, const struct runtime_options *o,
	struct problems *problems, struct runtime **out, struct err *e);
void runtime_free(struct runtime *r);

/* What is known of the container with that cgroup; NULL: nothing. Valid until the runtime
 * changes (see runtime_version()). */
const struct container_info *runtime_find(const struct runtime *r, const struct cgroup_name *name);
size_t runtime_count(const struct runtime *r);
const struct container_info *runtime_at(const struct runtime *r, size_t i);
/* Another number after each change of anything above. */
unsigned runtime_version(const struct runtime *r);
/* An answer is under way that may bring the names of containers found just now. */
bool runtime_is_asking(const struct runtime *r);

/* A cgroup with that name came or went: look at its container again. Reads files at once; asks
 * the engine, if it can be asked, in the background. The cgroup is believed before the engine,
 * which notes the change a moment later. */
void runtime_cgroup_changed(struct runtime *r, const struct cgroup_name *name, bool came);

/* Once per sample: looks for sockets that came, lists again when that is due. Quick. */
void runtime_poll(struct runtime *r);

#endif
