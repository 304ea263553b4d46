/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_redis.h"
#include "base/str.h"

int redis_info_ask(const struct engine_call *c, struct redis_info *out, struct err *e)
{
	struct redis_info i;
	int r;

	buf_init(&i.text, REDIS_ANSWER_MAX);
	r = redis_say(c, "INFO", NULL, PLACE_DEADLINE_MS, &i.text, e);
	if (r == 0 && !str_starts(buf_str(&i.text), "# "))
		r = redis_refused("INFO", buf_str(&i.text), e);
	if (r < 0)
		redis_info_done(&i);
	else
		*out = i;
	return r;
}

void redis_info_done(struct redis_info *i)
{
	buf_done(&i->text);
}

/* What stands behind "NAME:" at the start of a line; NULL. */
static const char *find(const struct redis_info *i, const char *name)
{
	const char *line = buf_str(&i->text);
	size_t n = strlen(name);

	while (*line) {
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

void redis_info_text(const struct redis_info *i, const char *name, char *to, size_t size)
{
	const char *value = find(i, name);
	size_t n = value ? strcspn(value, "\r\n") : 0;

	if (n >= size)
		n = size - 1;
	if (value)
		memcpy(to, value, n);
	to[n] = '\0';
}

bool redis_info_is(const struct redis_info *i, const char *name, const char *value)
{
	char text[64];

	redis_info_text(i, name, text, sizeof(text));
	return strcmp(text, value) == 0;
}

int64_t redis_info_number(const struct redis_info *i, const char *name)
{
	char text[32];
	int64_t n;

	redis_info_text(i, name, text, sizeof(text));
	return str_to_i64(text, &n, NULL) == 0 ? n : -1;
}

/* Lines "db0:keys=2,expires=1,avg_ttl=0" (INFO, section Keyspace). */
void redis_info_keys(const struct redis_info *i, struct redis_keys *out)
{
	const char *line = buf_str(&i->text);

	memset(out, 0, sizeof(*out));
	while (*line) {
		int64_t keys, expires;
		unsigned number;

		if (sscanf(line, "db%u:keys=%" SCNd64 ",expires=%" SCNd64, &number, &keys,
			    &expires) == 3) {
			out->keys += keys;
			out->lasting += keys - expires;
			out->databases++;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

void redis_info_version(const struct redis_info *i, char *to, size_t size)
{
	char version[48];
	bool is_valkey = redis_info_is(i, "server_name", "valkey");

	redis_info_text(
		i, is_valkey ? "valkey_version" : "redis_version", version, sizeof(version));
	(void)snprintf(to, size, "%s%s", is_valkey ? "Valkey " : "", version);
}
