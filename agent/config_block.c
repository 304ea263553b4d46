/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_block.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Room for a full name; what was read from a file is shorter. */
struct full {
	char name[OPTION_NAME_MAX + 64];
};

static struct full full_name(const struct config_block *b, const char *option)
{
	struct full f;

	(void)snprintf(f.name, sizeof(f.name), "%s.%s%s%s", b->group, b->name, option ? "." : "",
		option ? option : "");
	return f;
}

bool config_block_has(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);

	return config_is_set(b->config, f.name);
}

const char *config_block_string(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);

	return config_string(b->config, f.name);
}

bool config_block_bool(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);

	return config_bool(b->config, f.name);
}

int config_block_flag(const struct config_block *b, const char *option)
{
	return config_block_has(b, option) ? config_block_bool(b, option) : -1;
}

int64_t config_block_int(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);

	return config_int(b->config, f.name);
}

int64_t config_block_duration_ms(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);

	return config_string(b->config, f.name) ? config_duration_ms(b->config, f.name) : -1;
}

size_t config_block_choice(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);

	return config_choice(b->config, f.name);
}

size_t config_block_list(const struct config_block *b, const char *option, const char *const **out)
{
	struct full f = full_name(b, option);

	return config_list(b->config, f.name, out);
}

const char *config_block_origin(const struct config_block *b, const char *option)
{
	struct full f = full_name(b, option);
	const char *origin = config_origin(b->config, f.name);

	if (origin)
		return origin;
	f = full_name(b, NULL);
	return config_origin(b->config, f.name);
}

void config_block_mistake(const struct config_block *b, struct mistakes *m, const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
	_cleanup_(free_p) char *word = str_ndup(text, n);
	const char *origin = config_block_origin(b, n && config_block_has(b, word) ? word : NULL);

	mistakes_add(m, origin, 0, "%s.%s%s%s", b->group, b->name,
		text[n] == ':' && config_block_has(b, word) ? "." : ": ", text);
}
