/* SPDX-License-Identifier: Apache-2.0
 *
 * The two access tokens, admin and viewer: files `token.admin` and `token.viewer` in the state
 * folder, readable by their owner alone, made at the first start. Never in the database, never in
 * the log.
 */
#ifndef AGENT_TOKENS_H
#define AGENT_TOKENS_H

#include <stdbool.h>

#include "agent/operation.h"
#include "base/err.h"

enum { TOKEN_BYTES = 24, TOKEN_SIZE = 2 * TOKEN_BYTES + 1 };

struct tokens {
	char admin[TOKEN_SIZE];
	char viewer[TOKEN_SIZE];
	bool fresh; /* the admin token was made by this call of tokens_load() */
};

/* Reads the files of the folder or makes them. On failure to write them (*e says why, negative
 * errno) the tokens are valid all the same, until the process ends. */
int tokens_load(struct tokens *t, int state_fd, struct err *e);
/* Makes a new token for the role and writes its file. */
int tokens_rotate(struct tokens *t, enum role role, int state_fd, struct err *e);
/* ROLE_NONE when it is neither. Constant time. */
enum role tokens_check(const struct tokens *t, const char *token);
const char *tokens_get(const struct tokens *t, enum role role);

#endif
