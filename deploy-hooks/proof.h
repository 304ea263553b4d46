/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers by which deliveries prove who sent them. What is missing, empty, given twice, too long or not of its form leaves
 * PROOF_NONE: that is refused whatever the secret is.
 */
#ifndef DEPLOY_HOOKS_PROOF_H
#define DEPLOY_HOOKS_PROOF_H

#include "deploy-hooks/provider.h"

/* `header` is `prefix` and 64 hexadecimal digits. */
void proof_hmac_sha256(
	const struct headers *h, const char *header, const char *prefix, struct proof *out);
/* webhook-id, webhook-timestamp, webhook-signature: Standard Webhooks 1.0, "Webhook headers". */
void proof_standard(const struct headers *h, struct proof *out);
/* The header is the secret, after `prefix` (case does not matter). */
void proof_token(
	const struct headers *h, const char *header, const char *prefix, struct proof *out);
/* The end of the path is, with or without a slash in front. */
void proof_path(const char *path_rest, struct proof *out);

/* How the web process tells the daemon: {"kind","value","id","timestamp","signs_field"}; a new reference. What is no UTF-8 cannot be
 * told and proves nothing. In proof_json.c, as is the way back. */
json_t *proof_to_json(const struct proof *p);
/* Form and bounds again, by who does not trust the sender of it. -EBADMSG. */
int proof_from_json(const json_t *j, struct proof *out, struct err *e);

#endif
