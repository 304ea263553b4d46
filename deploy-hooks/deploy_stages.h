/* SPDX-License-Identifier: Apache-2.0
 *
 * What the record of a deploy has of its stages: d->stages, kept by machine.c.
 */
#ifndef DEPLOY_HOOKS_DEPLOY_STAGES_H
#define DEPLOY_HOOKS_DEPLOY_STAGES_H

#include "deploy-hooks/deploy.h"

/* One begins. `verb` "": nothing is run, as in "watch". Beyond DEPLOY_STAGES_MAX it is not written down. */
void deploy_stages_begin(struct deploy *d, const char *stage, const char *verb, int64_t now_ms);
/* The one that runs is tried once more. */
void deploy_stages_again(struct deploy *d);
/* The one that runs has ended: "done", "skipped", "failed", "cancelled", "interrupted". Without one nothing happens. */
void deploy_stages_end(struct deploy *d, const char *state, int64_t now_ms);
/* No hook serves the one that runs: it has "nothing": true. */
void deploy_stages_nothing(struct deploy *d);
/* When the last of that name and verb began; 0: there was none. */
int64_t deploy_stages_began_ms(const struct deploy *d, const char *stage, const char *verb);

#endif
