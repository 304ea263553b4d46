/* SPDX-License-Identifier: Apache-2.0
 *
 * The kinds of channels there are, one file each. Alphabetical, as in channel_types.c.
 */
#ifndef NOTIFY_CHANNEL_TYPES_H
#define NOTIFY_CHANNEL_TYPES_H

#include "notify/channel.h"

extern const struct channel_type channel_alertmanager;
extern const struct channel_type channel_command;
extern const struct channel_type channel_discord;
extern const struct channel_type channel_dokploy;
extern const struct channel_type channel_email;
extern const struct channel_type channel_gotify;
extern const struct channel_type channel_ntfy;
extern const struct channel_type channel_slack;
extern const struct channel_type channel_teams;
extern const struct channel_type channel_telegram;
extern const struct channel_type channel_webhook;

#endif
