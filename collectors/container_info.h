/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container engine knows of a container: name, image, state, health, restarts. Parsed from
 * the engine's API or from the files it keeps on disk. Pure: no I/O. All texts are bounded; what is
 * not understood is left unknown. Formats: Docker Engine API v1.24 and later (also spoken by
 * Podman), moby container/container.go (config.v2.json is the same structure), containers/storage
 * containers.json, OCI runtime-spec config.json with the annotations of containerd's and CRI-O's
 * Kubernetes parts.
 */
#ifndef COLLECTORS_CONTAINER_INFO_H
#define COLLECTORS_CONTAINER_INFO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	CONTAINER_ID_MAX = 64,
	CONTAINER_ID_SHORT = 12,
	CONTAINER_TEXT_MAX = 255, /* bytes of a name, image, ...; longer ones are cut */
};

enum container_state {
	CONTAINER_STATE_UNKNOWN,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_REMOVING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
};

enum container_health {
	HEALTH_UNKNOWN,
	HEALTH_NONE,
	HEALTH_STARTING,
	HEALTH_HEALTHY,
	HEALTH_UNHEALTHY
};

struct container_info {
	char id[CONTAINER_ID_MAX + 1];
	const char *engine; /* static: "docker", "podman", ...; NULL: not known */
	/* NULL: not known. Owned. */
	char *name; /* as the engine shows it, without "/" */
	char *stable; /* the entity's key: see container_stable_name() */
	char *image;
	char *network; /* "bridge", "host", "none", "container:ID", the name of a network */
	char *pod, *pod_namespace;
	char *project; /* compose project or swarm stack */
	/* Of a version of an app that the agent deploys: the app, and the version, "shop-12": the name of its container, or of its
	 * service of swarm. */
	char *app, *version;
	enum container_state state;
	enum container_health health;
	double restarts; /* by the engine's restart policy; NaN: not known */
	double started_at; /* Unix seconds; NaN: not known or never */
	long pid; /* of its first process; 0: none; -1: not known */
	bool oom_killed; /* its last end was by the OOM killer */
	/* For the runtime: where it was learnt (0: files, else an engine's socket); the last
	 * list it was in; whether its cgroup was seen to come or go (0: neither); whether that
	 * contradicts the engine, which notes it a moment later. */
	unsigned source, listed;
	enum { CGROUP_NOT_SEEN, CGROUP_CAME, CGROUP_WENT } cgroup;
	bool doubtful;
};

void container_info_init(struct container_info *c);
void container_info_done(struct container_info *c);
/* Takes over what `from` knows and leaves `from` empty; what it does not know stays. */
void container_info_merge(struct container_info *c, struct container_info *from);

const char *container_state_name(enum container_state s); /* "running"; "" when unknown */
bool container_state_is_live(enum container_state s); /* has processes: running, paused */

/* One element of GET /containers/json. 0 or -EINVAL. */
int container_info_from_list(const json_t *entry, struct container_info *out, struct err *e);
/* GET /containers/ID/json, or config.v2.json. 0 or -EINVAL. */
int container_info_from_inspect(const json_t *object, struct container_info *out, struct err *e);
/* The element of that id in overlay-containers/containers.json. 0, -EINVAL, -ENOENT. */
int container_info_from_podman(
	const json_t *list, const char *id, struct container_info *out, struct err *e);
/* The config.json of an OCI bundle. -ENOENT when its annotations name no container. */
int container_info_from_oci(
	const json_t *object, const char *id, struct container_info *out, struct err *e);

/* The name that stays when the container is replaced by a new version: the label agent.name if
 * there is one, else the app of container_app_version(), else project-service of compose (with "-N" for the second and
 * further ones), else the service of swarm (with ".N" for both), else the container's own name. `labels` may be NULL. At
 * most `size` - 1 bytes. */
void container_stable_name(char *to, size_t size, const json_t *labels, const char *name);
/* Whether the agent's deploys made it as a version of an app: the labels agent.app and agent.deploy, and the name APP-DEPLOY
 * of the container or its service of swarm. The labels alone say nothing: what is run by hand from an image of the app
 * inherits them. `app` (borrowed from the labels) and `version` (borrowed too) are set then. */
bool container_app_version(
	const json_t *labels, const char *name, const char **app, const char **version);
/* The same for a container of a Kubernetes pod: namespace/pod/container, the pod without the
 * random parts that a deployment gives it. */
void container_pod_stable_name(
	char *to, size_t size, const char *ns, const char *pod, const char *name);

/* "2026-11-21T05:06:07.123456789Z" or with an offset: Unix seconds; NaN for anything else and
 * for years before 1970. */
double container_time(const char *rfc3339);

#endif
