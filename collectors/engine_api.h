/* SPDX-License-Identifier: Apache-2.0
 *
 * One container engine's API over its Unix socket (Docker Engine API, which Podman speaks too). Keeps a runtime_store up to date:
 * lists all containers, looks at single ones, and with Docker follows the stream of events, so that changes are known at once.
 * A connection that is lost is made again, after a pause that doubles up to a minute. An engine that only systemd
 * would start for us is left alone, and Podman's service, which ends by itself when nobody asks, is not kept
 * awake by a stream: it is asked again when a cgroup came or went, and now and then.
 * Format: docs.docker.com/engine/api, GET /version, /containers/json, /containers/ID/json, /events.
 */
#ifndef COLLECTORS_ENGINE_API_H
#define COLLECTORS_ENGINE_API_H

#include <stdbool.h>

#include "base/http_client.h"
#include "base/loop.h"
#include "collectors/cgroup.h"
#include "collectors/runtime_store.h"

struct engine_api;

struct engine_api_options {
	struct loop *loop;
	struct http_client *http;
	const char *socket;
	unsigned source; /* marks what came from this engine in the store; not 0 */
	struct runtime_store *store;
	const struct cgroup_tree *tree; /* tells whether the engine's service runs; may be NULL */
};

/* Begins to connect, when the socket is there. The strings are copied. */
struct engine_api *engine_api_new(const struct engine_api_options *o);
void engine_api_free(struct engine_api *a);

/* It answers: what it says of its containers is in the store. */
bool engine_api_is_ready(const struct engine_api *a);
/* The first list, or the answer about some container, is on its way. */
bool engine_api_is_asking(const struct engine_api *a);
/* "docker", "podman"; "" before it has answered. */
const char *engine_api_engine(const struct engine_api *a);
/* Why a socket that exists cannot be used, and the cure; "" when there is nothing to complain about. */
const char *engine_api_trouble(const struct engine_api *a);

/* Looks at this container soon; one that the engine does not know (any more) is forgotten if it came from here. */
void engine_api_ask(struct engine_api *a, const char *id);

/* Whether systemd listens at this Docker socket in the place of an engine that does not run: connecting would start it. */
bool engine_would_be_started(const char *socket, const struct cgroup_tree *tree);

/* --- pure --- */

/* What an event says: the container's id when it is one to look at, "" when not. `removed`: it is gone for good. -EINVAL for what is no
 * event. */
int engine_event_parse(
	const char *text, size_t len, char id[CONTAINER_ID_MAX + 1], bool *removed, struct err *e);
/* The engine in the answer of GET /version. */
const char *engine_version_parse(const char *text, size_t len);

#endif
