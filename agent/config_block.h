/* SPDX-License-Identifier: Apache-2.0
 *
 * One block that the user named ("channels.ops"): the getters of config.h by the option's own name
 * ("url_file"). All results are borrowed from the configuration.
 */
#ifndef AGENT_CONFIG_BLOCK_H
#define AGENT_CONFIG_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"

struct config_block {
	const struct config *config;
	const char *group; /* "channels" */
	const char *name; /* "ops" */
};

bool config_block_has(const struct config_block *b, const char *option); /* set by the user */
const char *config_block_string(const struct config_block *b, const char *option);
bool config_block_bool(const struct config_block *b, const char *option);
int config_block_flag(const struct config_block *b, const char *option); /* 1, 0; -1: not set */
int64_t config_block_int(const struct config_block *b, const char *option);
/* -1: neither set nor with a default. */
int64_t config_block_duration_ms(const struct config_block *b, const char *option);
size_t config_block_choice(const struct config_block *b, const char *option);
size_t config_block_list(const struct config_block *b, const char *option, const char *const **out);
/* Where the option stands, or the block when it is not set, or `option` is NULL. */
const char *config_block_origin(const struct config_block *b, const char *option);
/* Adds "ORIGIN: channels.ops: TEXT". When the text begins with the name of an option that is set
 * ("warning: ...", "url has ..."), the line is that of the option. */
void config_block_mistake(const struct config_block *b, struct mistakes *m, const char *text);

#endif
