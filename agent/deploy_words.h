/* SPDX-License-Identifier: Apache-2.0
 *
 * A deploy in words for the command line: what it is of, how far it is, how it ended and what serves now. Takes deploys as
 * CONTROL.md describes them. Pure.
 */
#ifndef AGENT_DEPLOY_WORDS_H
#define AGENT_DEPLOY_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/term.h"
#include "base/buf.h"

/* "main 3f9a2c1b", "tag v1.2 3f9a2c1b", "image registry/shop:2". */
void deploy_words_version(const json_t *deploy, struct buf *out);
/* The same with what else is known of it: "main 3f9a2c1b Fix the cart", "back to deploy 9: main 8e2f0d11 Add the cart". */
void deploy_words_what(const json_t *deploy, struct buf *out);
/* "octocat by a webhook", "root on the command line". */
void deploy_words_who(const json_t *deploy, struct buf *out);

/* "waiting", "rolled back". */
void deploy_words_state(const json_t *deploy, char *to, size_t size);
enum term_style deploy_words_style(const json_t *deploy);
bool deploy_words_is_over(const json_t *deploy); /* as to its state: observers may still run */
/* "830ms", "3.2s", "2m 4s". */
void deploy_words_took(char *to, size_t size, int64_t ms);

/* One of its stages: "build", "back to the old version". */
const char *deploy_words_stage(const json_t *stage);
/* No hook serves it, or the time to wait is none; of one that is over. */
bool deploy_words_is_nothing(const json_t *stage);

/* Why it waits, or is held up: "second in the queue", "less than 512 MiB of memory are free"; "" when it does not wait. */
void deploy_words_waits(const json_t *deploy, char *to, size_t size);

/* How it ended: "shop  done in 42s: deploy 12 serves, main 3f9a2c1b". When it went wrong, why and where to look on lines of their
 * own. `serves` is the deploy that serves now; NULL: none, or it is not known. Ends with a newline. */
void deploy_words_end(
	const struct term *t, const json_t *deploy, const json_t *serves, struct buf *out);

/* The exit code that belongs to how it ended (agent-deploy(8)). */
int deploy_words_exit(const json_t *deploy);

#endif
