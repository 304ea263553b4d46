/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of containers from the files their engines keep: Docker's config.v2.json, Podman's
 * containers.json, the OCI bundles of containerd and CRI-O, the guests' configuration of Proxmox.
 * Most are readable by root alone.
 */
#ifndef COLLECTORS_RUNTIME_FILES_H
#define COLLECTORS_RUNTIME_FILES_H

#include "collectors/cgroup_path.h"
#include "collectors/container_info.h"

/* What such a container is known by: its id, or ENGINE/NAME for a guest that has none. */
void runtime_id(char to[CONTAINER_ID_MAX + 1], const struct cgroup_name *name);

struct runtime_files {
	int root_fd;
	const char *docker_root, *podman_root;
};

/* Reads what the files say about the container of that cgroup. -ENOENT: no file of a known
 * engine names it; -EACCES: this user may not read them. */
int runtime_files_read(const struct runtime_files *f, const struct cgroup_name *name,
	struct container_info *out, struct err *e);

/* Calls fn with the id of each container in Docker's folder, running or not. 0, -ENOENT, -EACCES. */
typedef void (*runtime_files_fn)(void *user, const char *id);
int runtime_files_list(
	const struct runtime_files *f, runtime_files_fn fn, void *user, struct err *e);

#endif
