/* SPDX-License-Identifier: Apache-2.0
 *
 * What a cgroup is, judged by its path alone: a container (of which engine, with which id), a
 * systemd service, a folder in which such are found, or nothing that is watched. Pure.
 *
 * Cgroups inside a container belong to it (docker in docker, systemd in a container, podman's
 * container/ and init.scope) and are never containers of their own: their numbers are already in
 * it. The one exception is a service with podman containers in it (quadlet): the service and the
 * container are both shown, as entities of different classes.
 */
#ifndef COLLECTORS_CGROUP_PATH_H
#define COLLECTORS_CGROUP_PATH_H

#include <stdbool.h>
#include <stddef.h>

enum cgroup_kind { CGROUP_IGNORE, CGROUP_FOLDER, CGROUP_CONTAINER, CGROUP_SERVICE };

enum {
	CGROUP_ID_MAX = 64, /* hex digits of a container id */
	CGROUP_NAME_MAX = 200, /* bytes; a longer name is cut */
	CGROUP_DEPTH_MAX = 12, /* folders above a container */
};

struct cgroup_name {
	enum cgroup_kind kind;
	bool descend; /* containers may be found below it: folders and services */
	/* Static: "docker", "podman", "containerd", "cri-o", "lxc", "nspawn", "libvirt", "qemu",
	 * "" when the path does not tell. */
	const char *engine;
	char id[CGROUP_ID_MAX + 1]; /* hex id; "" for those that are known by their name alone */
	/* The unit without .service, the name of a guest; for Proxmox its number. "" when only
	 * the id is known. */
	char name[CGROUP_NAME_MAX + 1];
	char pod[40]; /* Kubernetes pod uid, or "" */
};

/* `path` is relative to the tree's root: "system.slice/docker-<id>.scope". Leading and double
 * slashes do not matter. */
void cgroup_path_classify(const char *path, struct cgroup_name *out);

/* Decodes systemd's \xHH in unit names; what is no such escape stays. */
void cgroup_unescape(char *to, size_t size, const char *from);

#endif
