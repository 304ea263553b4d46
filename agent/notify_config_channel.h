/* SPDX-License-Identifier: Apache-2.0
 *
 * One block of `channels`, for notify_config.c.
 */
#ifndef AGENT_NOTIFY_CONFIG_CHANNEL_H
#define AGENT_NOTIFY_CONFIG_CHANNEL_H

#include "agent/config_block.h"
#include "agent/mistakes.h"
#include "notify/channel.h"

/* What a struct channel borrows and the configuration does not have. */
struct channel_texts {
	char *secret, *url, *template;
	const char **command; /* NULL-terminated */
	bool incomplete; /* a secret is not for this process */
};
void channel_texts_done(struct channel_texts *t);

/* Fills *out; mistakes are added. `with_secrets` false: a secret that this process cannot have is no
 * mistake, and the rest is checked as far as it can be. */
void notify_config_channel(const struct config_block *b, bool with_secrets,
	struct channel_texts *texts, struct channel *out, struct mistakes *m);

#endif
