/* SPDX-License-Identifier: Apache-2.0
 *
 * What the agent itself costs, as the entity agent/agent: CPU time and resident memory of the
 * daemon and the web process, time and delay of samples; and how many alerts fire and messages wait. An agent that claims to be light must show
 * it.
 */
#ifndef AGENT_OWN_COST_H
#define AGENT_OWN_COST_H

#include <stdint.h>
#include <sys/types.h>

#include "collectors/entity.h"

struct own_cost {
	int64_t sample_ns; /* how long the sample before took; 0: none yet */
	int64_t delay_ms; /* how late this sample began */
	/* After the sample before. */
	uint64_t alerts_firing;
	uint64_t messages_waiting;
	pid_t web_pid; /* 0: not running */
	double ended_web_seconds; /* CPU time of web processes that have ended */
	pid_t last_web_pid;
	double last_web_seconds;
};

/* Fills the entity for the current sample. */
void own_cost_report(struct own_cost *c, struct registry *r);

#endif
