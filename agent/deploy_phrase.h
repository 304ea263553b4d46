/* SPDX-License-Identifier: Apache-2.0
 *
 * A deploy in words, for messages and the git host. Pure.
 */
#ifndef AGENT_DEPLOY_PHRASE_H
#define AGENT_DEPLOY_PHRASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "deploy-hooks/deploy.h"

enum { DEPLOY_PHRASE_COMMIT = 8 }; /* digits of a commit that people are shown */

/* What is deployed: "0d1a26e6 of main", "tag v1.2", "image me/shop:1.2", "the version of deploy 11". */
void deploy_phrase_what(const struct deploy *d, struct buf *out);
/* "Fix the login (Ada)"; nothing when neither is known. */
void deploy_phrase_commit(const struct deploy *d, struct buf *out);
/* "40 ms", "1.2 s", "34 s", "3m 5s". */
void deploy_phrase_time(char *to, size_t size, int64_t ms);
/* The stage it failed in, "build": the last that did; "" when none did. Borrowed. */
const char *deploy_phrase_failed_stage(const struct deploy *d);
/* "fetch 1.2 s, build 34 s, ...": what was done forward, each stage once, without those that were over at once. */
void deploy_phrase_stages(const struct deploy *d, struct buf *out);

#endif
