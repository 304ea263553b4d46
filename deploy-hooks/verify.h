/* SPDX-License-Identifier: Apache-2.0
 *
 * The secret against a delivery, by the daemon. A body of 25 MB is hashed in slices, so that nothing else waits.
 */
#ifndef DEPLOY_HOOKS_VERIFY_H
#define DEPLOY_HOOKS_VERIFY_H

#include "deploy-hooks/provider.h"

enum { VERIFY_SECRETS_MAX = 2, VERIFY_SLICE_BYTES = 256 * 1024, VERIFY_WINDOW_S = 300 };

struct verify;

/* Takes the descriptor over, also when it fails; it is read from its beginning, wherever its offset stands. `secrets`
 * (at least one, none empty; copied, wiped at the end): two while one is replaced. Of PROOF_STANDARD a secret
 * "whsec_..." is the key as base64, any other the key itself (standard-webhooks.com). -EACCES: the proof has not even
 * the form, or none is accepted: PROOF_NONE, PROOF_HMAC_SHA1. -EINVAL: the secrets cannot be used. */
int verify_new(const struct proof *p, int body_fd, const char *const *secrets, size_t n_secrets,
	struct verify **out, struct err *e);
/* One slice. 1: call again; 0: it is right; -EACCES: it is not; -ETIME: right, but its time is more than
 * VERIFY_WINDOW_S from now (wall, seconds); -E2BIG: more than DELIVERY_BODY_MAX; another: the body cannot be read. All
 * comparisons take the same time for right and wrong. Whatever is not 0 or 1 means refused, for good. */
int verify_step(struct verify *v, int64_t now_s, struct err *e);
void verify_free(struct verify *v); /* NULL is fine */

#endif
