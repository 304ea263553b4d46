/* SPDX-License-Identifier: Apache-2.0
 *
 * No alarm about a container of an app while the app is being swapped.
 */
#include "agent/deploy_vitals.h"

void deploy_vitals_silence(
	struct notify *n, const struct deploys *s, const struct deploy_config *c, int64_t now_ms)
{
	for (size_t i = 0; i < c->n_apps; i++)
		if (deploys_is_swapping(s, c->apps[i].name))
			notify_swap(n, c->apps[i].name, now_ms + DEPLOY_SILENCE_MS);
}
