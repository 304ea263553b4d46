/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_credentials.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

/* A piece of the text; not terminated. */
struct span {
	const char *at;
	size_t n;
};

static struct span trimmed(const char *at, size_t n)
{
	while (n && strchr(" \t\r", *at)) {
		at++;
		n--;
	}
	while (n && strchr(" \t\r", at[n - 1]))
		n--;
	return (struct span){at, n};
}

static bool is(struct span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

/* The next line without spaces around it; false at the end. */
static bool next_line(const char **text, struct span *line)
{
	size_t n = strcspn(*text, "\n");

	if (!**text)
		return false;
	*line = trimmed(*text, n);
	*text += n + ((*text)[n] == '\n');
	return true;
}

static bool has_default(const char *text)
{
	struct span line;

	while (next_line(&text, &line))
		if (is(line, "[default]"))
			return true;
	return false;
}

/* Where the value of that name goes; NULL for a name that is none of ours. */
static char *place_of(struct s3_credentials *c, struct span name, size_t *size)
{
	if (name.n > 4 && memcmp(name.at, "aws_", 4) == 0)
		name = (struct span){name.at + 4, name.n - 4};
	*size = S3_KEY_MAX;
	if (is(name, "access_key_id"))
		return c->access_key_id;
	if (is(name, "secret_access_key"))
		return c->secret_access_key;
	*size = S3_TOKEN_BYTES_MAX;
	return is(name, "session_token") ? c->session_token : NULL;
}

static int take(struct s3_credentials *c, struct span line, unsigned number, struct err *e)
{
	const char *sign = memchr(line.at, '=', line.n);
	struct span name, value;
	size_t size;
	char *to;

	if (!sign)
		return err_set(e, EINVAL, "line %u is not NAME = VALUE", number);
	name = trimmed(line.at, (size_t)(sign - line.at));
	value = trimmed(sign + 1, (size_t)(line.at + line.n - sign - 1));
	if (value.n >= 2 && *value.at == '"' && value.at[value.n - 1] == '"')
		value = (struct span){value.at + 1, value.n - 2};
	to = place_of(c, name, &size);
	if (!to)
		return 0;
	if (value.n >= size)
		return err_set(e, EINVAL, "line %u: the value is too long", number);
	for (size_t i = 0; i < value.n; i++)
		if (value.at[i] <= ' ' || value.at[i] > '~')
			return err_set(e, EINVAL,
				"line %u: the value has characters that no key has", number);
	memcpy(to, value.at, value.n);
	to[value.n] = '\0';
	return 0;
}

static int check(const struct s3_credentials *c, struct err *e)
{
	if (!*c->access_key_id)
		return err_set(e, EINVAL, "there is no line access_key_id = ...");
	if (!*c->secret_access_key)
		return err_set(e, EINVAL, "there is no line secret_access_key = ...");
	return 0;
}

int s3_credentials_parse(const char *text, struct s3_credentials *out, struct err *e)
{
	struct s3_credentials c = {.access_key_id = ""};
	bool only_default = has_default(text), counts = !only_default;
	unsigned number = 0, sections = 0;
	struct span line;
	int r = 0;

	while (r == 0 && next_line(&text, &line)) {
		number++;
		if (!line.n || *line.at == '#' || *line.at == ';')
			continue;
		if (*line.at == '[') {
			sections++;
			counts = only_default ? is(line, "[default]") : sections == 1;
		} else if (counts) {
			r = take(&c, line, number, e);
		}
	}
	if (r == 0)
		r = check(&c, e);
	if (r == 0)
		*out = c;
	s3_credentials_clear(&c);
	return r;
}

bool s3_credentials_are_equal(const struct s3_credentials *a, const struct s3_credentials *b)
{
	return strcmp(a->access_key_id, b->access_key_id) == 0 &&
	       strcmp(a->secret_access_key, b->secret_access_key) == 0 &&
	       strcmp(a->session_token, b->session_token) == 0;
}

void s3_credentials_clear(struct s3_credentials *c)
{
	OPENSSL_cleanse(c, sizeof(*c));
}
