/* SPDX-License-Identifier: Apache-2.0
 *
 * What GitHub's webhooks have in common, those of its container registry too.
 */
#ifndef DEPLOY_HOOKS_PROVIDER_GITHUB_H
#define DEPLOY_HOOKS_PROVIDER_GITHUB_H

#include "deploy-hooks/provider.h"

bool github_sent_by(const struct headers *h);
void github_proof(const struct headers *h, const char *path_rest, struct proof *out);
/* Sets the id and the event, which it returns; "": none is said. */
const char *github_event(const struct headers *h, struct delivery *d);

#endif
