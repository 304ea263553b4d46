/* SPDX-License-Identifier: Apache-2.0
 *
 * What a verdict needs of the stored measurements. Inside of deploy_verdicts.c. Blocks for some milliseconds.
 */
#ifndef AGENT_DEPLOY_VERDICT_READ_H
#define AGENT_DEPLOY_VERDICT_READ_H

#include "agent/deploy_verdict.h"
#include "agent/deploy_verdicts.h"

struct deploy_verdict_data {
	double *values[2][DEPLOY_VERDICT_FIGURES]; /* before, after; owned; NULL: none */
	size_t n[2][DEPLOY_VERDICT_FIGURES];
};
void deploy_verdict_data_done(struct deploy_verdict_data *v);

/* What is not stored, or cannot be read, is unknown. */
void deploy_verdict_read(const struct deploy_verdicts_options *o, const struct deploy *d,
	const struct deploy_verdict_times *t, struct deploy_verdict_data *out);

#endif
