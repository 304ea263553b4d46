/* SPDX-License-Identifier: Apache-2.0
 *
 * How the apps answer: each app with health.path is asked once a sample, at the address of the version that serves, as the
 * entity app/NAME (class_app). Without it nobody could say after a deploy whether errors or latency rose. What the probe takes
 * part in is the app alone: neither the router nor the network in front of it.
 */
#ifndef AGENT_DEPLOY_PROBES_H
#define AGENT_DEPLOY_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/deploy_config.h"
#include "base/http_client.h"
#include "collectors/entity.h"

enum { DEPLOY_PROBE_TIMEOUT_MS = 10 * 1000 }; /* at most; health.timeout is often less */

struct deploy_probes;

struct deploy_probes_options {
	struct http_client *http;
	/* "host:port" of the version that serves; false: none does, or it has no address. */
	bool (*serves)(void *user, const char *app, char *address, size_t size);
	/* Not asked meanwhile: which version answers is not defined. */
	bool (*is_swapping)(void *user, const char *app);
	void *user;
};

/* The configuration is borrowed until the next deploy_probes_configure(). */
struct deploy_probes *deploy_probes_new(
	const struct deploy_probes_options *o, const struct deploy_config *c);
void deploy_probes_free(struct deploy_probes *p); /* NULL is fine */
void deploy_probes_configure(struct deploy_probes *p, const struct deploy_config *c);
/* Another version may serve: its address is asked for again. */
void deploy_probes_changed(struct deploy_probes *p, const char *app);
/* In each sample: reports what came of the requests of the sample before, and begins the next ones. */
void deploy_probes_sample(struct deploy_probes *p, struct registry *r, int64_t now_ns);

#endif
