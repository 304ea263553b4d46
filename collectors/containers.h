/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers and systemd services: finds their cgroups as they come and go, reads their numbers
 * each sample, gives them their stable names, and puts all of it into the registry (classes
 * `container` and `service`). The one interface the daemon uses; the parts are cgroup_*.h
 * (numbers), runtime*.h (names) and container_*.h (who is who).
 *
 * Labels of a container: id (cgroup path), container_id, name, image, engine, state, network, pod,
 * namespace, project, app (that the agent deploys). Of a service: id.
 */
#ifndef COLLECTORS_CONTAINERS_H
#define COLLECTORS_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "collectors/collector.h"

enum {
	CGROUPS_MAX = 5000, /* more are left out, with a problem that says so */
};

struct containers;

/* Where Docker and Podman put their sockets when nothing else is configured; ended by NULL. */
extern const char *const containers_default_sockets[];

struct containers_options {
	/* API sockets of Docker or Podman. NULL: containers_default_sockets. Missing ones are
	 * looked for now and then. */
	const char *const *sockets;
	size_t n_sockets;
	const char *docker_root; /* NULL: "/var/lib/docker" */
	const char *podman_root; /* NULL: "/var/lib/containers/storage" */
	/* By stable name; no match: watched. The list must outlive the containers. */
	struct patterns containers, services;
	int root_fd, proc_fd, sys_fd; /* as in struct collect_ctx; the caller keeps them open */
	/* the real system: inotify, engine sockets and limits of this process may be used */
	bool live;
};

/* `loop` and `http` may be NULL: no socket is used, and the cgroup tree is walked in each
 * sample. `problems` must outlive it. When `live`, raises this process's soft limit of open
 * files to the hard one, and keeps at most half of it open. */
int containers_new(struct loop *loop, struct http_client *http, const struct containers_options *o,
	struct problems *problems, struct containers **out, struct err *e);
void containers_free(struct containers *c);
DEFINE_CLEANUP(struct containers *, containers_free);

/* One sample: between the start of a sample and registry_sweep(). Failures of single containers
 * are reasons or problems; a negative errno only when nothing at all could be read. */
int containers_sample(struct containers *c, const struct collect_ctx *ctx, struct err *e);

/* One container, or a version of an app with all its containers, as it is at this moment: between two samples too, where the
 * engine tells of changes and the kernel announces kills. */
struct container_state_now {
	bool running;
	/* By the engine; of a service of swarm its further tasks. */
	double restarts;
	double oom_kills;
};
/* `name`: of a container, as its engine shows it, of a version ("shop-12"), or of a systemd unit with its .service. False:
 * there is none of that name. */
bool containers_look(const struct containers *c, const char *name, struct container_state_now *out);

/* Other patterns, from a reload; in force with the next sample. */
void containers_set_patterns(
	struct containers *c, struct patterns containers, struct patterns services);

/* The cgroup below the agent's own in which hooks run, as an absolute path: a build that runs out of its memory is no OOM kill of
 * the agent. */
void containers_set_hooks_cgroup(struct containers *c, const char *path);

/* "v1", "v2", "hybrid", or "none". `c` may be NULL. */
const char *containers_cgroup_mode(const struct containers *c);

#endif
