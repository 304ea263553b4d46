/* SPDX-License-Identifier: Apache-2.0
 *
 * What deploys ask the measurements: how a version of an app is, and whether the server has room for a build. All of it is
 * quick: nothing is asked of an engine.
 */
#ifndef AGENT_DEPLOY_VITALS_H
#define AGENT_DEPLOY_VITALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/deploys.h"
#include "collectors/containers.h"
#include "collectors/entity.h"
#include "notify/notify.h"

enum {
	/* Share of the time in which all tasks, or some, waited for memory, from which on a build waits. */
	DEPLOY_PRESSURE_FULL_PERCENT = 10,
	DEPLOY_PRESSURE_SOME_PERCENT = 40,
	/* Alarms are held for this long after the last deploy_vitals_silence(): what the last sample saw may be a moment old. */
	DEPLOY_SILENCE_MS = 60 * 1000,
};

/* `container` is what the start hook said: the name of a container, the service of a swarm, a systemd unit ("shop@12.service").
 * As of this moment, not of the last sample, where the engine tells of changes. `known` is false for what is none of these
 * and for what was never seen; what ended a moment ago, or is being started again, is known and does not run. `c` may be NULL. */
void deploy_vitals_read(
	const struct containers *c, const char *container, struct deploys_vitals *out);

/* Room for a build: bytes free on the disk of the state folder or on Docker's, whichever has less; memory that programs can
 * still get, 0 while deploy_vitals_is_tight(). INT64_MAX for what is not known. `docker_root` may be missing. */
void deploy_vitals_room(const struct registry *r, const char *state_dir, const char *docker_root,
	int64_t *disk_bytes, int64_t *memory_bytes);
/* Whether programs stand still for want of memory (pressure of the last sample). `why` gets a sentence; NULL is fine. */
bool deploy_vitals_is_tight(const struct registry *r, char *why, size_t size);

/* Before each alerting_sample(): apps that are being swapped (deploys_is_swapping()) are not told as down, unhealthy or
 * restarting. The app's key is its name, for its second container too. */
void deploy_vitals_silence(
	struct notify *n, const struct deploys *s, const struct deploy_config *c, int64_t now_ms);

#endif
