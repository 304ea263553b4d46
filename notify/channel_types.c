/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/channel_types.h"

#include <string.h>

const struct channel_type *const channel_types[] = {
	&channel_alertmanager,
	&channel_command,
	&channel_discord,
	&channel_dokploy,
	&channel_email,
	&channel_gotify,
	&channel_ntfy,
	&channel_slack,
	&channel_teams,
	&channel_telegram,
	&channel_webhook,
	NULL,
};

const struct channel_type *channel_type_find(const char *name)
{
	for (size_t i = 0; channel_types[i]; i++)
		if (strcmp(channel_types[i]->name, name) == 0)
			return channel_types[i];
	return NULL;
}
