/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/hook.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"

enum { PORT_MAX = 65535 };
static const char hex_digits[] = "0123456789abcdef";
static const char name_bytes[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* A name that cannot be taken for an option of a program. */
static bool is_plain(const char *s, const char *more)
{
	if (*s == '-' || *s == '.')
		return false;
	for (; *s; s++)
		if (!strchr(name_bytes, *s) && !strchr(more, *s))
			return false;
	return true;
}

static bool is_image(const char *s)
{
	return is_plain(s, "/:@+");
}

/* Also a unit of systemd: "shop@12.service". */
static bool is_container(const char *s)
{
	return is_plain(s, "@:");
}

/* "sha256:..." */
static bool is_digest(const char *s)
{
	const char *colon = strchr(s, ':');

	return colon && colon > s &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789") == (size_t)(colon - s) &&
	       strlen(colon + 1) >= 32 && strspn(colon + 1, hex_digits) == strlen(colon + 1);
}

/* "172.17.0.3:8080", "[fd00::3]:8080", "app:80" */
static bool is_address(const char *s)
{
	const char *colon = strrchr(s, ':');
	uint64_t port;

	if (!colon || colon == s || str_to_u64(colon + 1, &port, NULL) < 0)
		return false;
	if (s[0] == '[')
		return colon[-1] == ']' &&
		       strspn(s + 1, "0123456789abcdefABCDEF:.") == (size_t)(colon - s) - 2 &&
		       port >= 1 && port <= PORT_MAX;
	return is_plain(s, ":") && strchr(s, ':') == colon && port >= 1 && port <= PORT_MAX;
}

static bool is_commit(const char *s)
{
	size_t n = strlen(s);

	return (n == 40 || n == 64) && strspn(s, hex_digits) == n;
}

static bool is_text(const char *s)
{
	(void)s; /* lines were looked at as a whole */
	return true;
}

/* What may be set, where it goes, how it must look. */
static const struct result {
	const char *key;
	size_t offset, size; /* of the field in struct deploy */
	bool (*is_valid)(const char *value);
} results[] = {
#define FIELD(f) offsetof(struct deploy, f), sizeof(((struct deploy *)0)->f)
	{"address", FIELD(new.address), is_address},
	{"author", FIELD(author), is_text},
	{"commit", FIELD(commit), is_commit},
	{"container", FIELD(new.container), is_container},
	{"digest", FIELD(new.digest), is_digest},
	{"image", FIELD(new.image), is_image},
	{"subject", FIELD(subject), is_text},
#undef FIELD
};

/* Whether a word is one of a list by spaces. */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; *at;) {
		size_t len = strcspn(at, " ");

		if (len == n && memcmp(at, word, n) == 0)
			return true;
		at += len;
		at += strspn(at, " ");
	}
	return false;
}

static int set_downtime(struct deploy *d, const char *value, struct err *e)
{
	enum { DAY_MS = 86400000 };
	uint64_t ms;

	if (str_to_u64(value, &ms, NULL) < 0 || ms > DAY_MS)
		return err_set(e, EBADMSG, "downtime_ms is not a number of milliseconds");
	d->downtime_ms = (int64_t)ms;
	return 0;
}

static int set(const struct hook_stage *s, struct deploy *d, const char *key, const char *value,
	struct err *e)
{
	if (!has_word(s->results, key))
		return err_set(e, EBADMSG, "%s may not set \"%.64s\"; %s%s", s->name, key,
			*s->results ? "it may set " : "it may set nothing", s->results);
	if (strcmp(key, "downtime_ms") == 0)
		return set_downtime(d, value, e);
	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		const struct result *r = &results[i];

		if (strcmp(r->key, key) != 0)
			continue;
		if (!*value || !r->is_valid(value))
			return err_set(e, EBADMSG, "\"%.100s\" is not a value of %s", value, key);
		/* Only what people read may be shortened. */
		if (!str_copy((char *)d + r->offset, r->size, value) && r->is_valid != is_text)
			return err_set(e, EBADMSG, "the value of %s is too long", key);
		return 0;
	}
	return err_set(e, EBADMSG, "\"%.64s\" is not known", key);
}

static bool line_is_text(const char *line, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = str_utf8_char(line + i);
		if (len == 0 || (unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return false;
	}
	return true;
}

typedef int (*pair_fn)(void *user, const char *key, const char *value, struct err *e);

/* Each line `key=value`, with its number in front of what is wrong with it. */
static int for_each(const char *text, size_t n, pair_fn fn, void *user, struct err *e)
{
	unsigned number = 0;

	if (n > HOOK_OUTPUT_MAX)
		return err_set(e, EBADMSG, "more than %d bytes of results", HOOK_OUTPUT_MAX);
	for (size_t at = 0, len; at < n; at += len + 1) {
		const char *end = memchr(text + at, '\n', n - at);
		_cleanup_(free_p) char *line = NULL;
		char *value;
		int r;

		number++;
		len = end ? (size_t)(end - (text + at)) : n - at;
		line = str_ndup(text + at, len);
		if (!line_is_text(line, len))
			return err_set(e, EBADMSG, "line %u of the results is no text", number);
		if (!*line || *line == '#')
			continue;
		value = strchr(line, '=');
		if (!value)
			return err_set(e, EBADMSG,
				"line %u of the results is not key=value: %.100s", number, line);
		*value++ = '\0';
		r = fn(user, line, value, e);
		if (r < 0)
			return err_wrap(e, r, "line %u of the results", number);
	}
	return 0;
}

struct setting {
	const struct hook_stage *stage;
	struct deploy deploy;
};

static int on_result(void *user, const char *key, const char *value, struct err *e)
{
	struct setting *s = user;

	return set(s->stage, &s->deploy, key, value, e);
}

int hook_results(
	const struct hook_stage *s, const char *text, size_t n, struct deploy *d, struct err *e)
{
	/* A copy: what is wrong in the last line leaves nothing of the first. No pointer is changed in it. */
	struct setting setting = {s, *d};
	int r = for_each(text, n, on_result, &setting, e);

	if (r < 0)
		return r;
	*d = setting.deploy;
	return 0;
}

static int on_status(void *user, const char *key, const char *value, struct err *e)
{
	static const char *const names[RECOVERY_SEEN] = {[RECOVERY_UNKNOWN] = "unknown",
		[RECOVERY_OLD] = "old",
		[RECOVERY_NEW] = "new",
		[RECOVERY_NEITHER] = "neither"};
	enum recovery_seen *out = user;

	if (strcmp(key, "serves") != 0)
		return err_set(e, EBADMSG, "status may not set \"%.64s\"; it may set serves", key);
	for (int i = 0; i < RECOVERY_SEEN; i++) {
		if (strcmp(names[i], value) == 0) {
			*out = (enum recovery_seen)i;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "serves is old, new, neither or unknown, not \"%.64s\"", value);
}

int hook_status(const char *text, size_t n, enum recovery_seen *out, struct err *e)
{
	enum recovery_seen seen = RECOVERY_UNKNOWN;
	int r = for_each(text, n, on_status, &seen, e);

	if (r < 0)
		return r;
	*out = seen;
	return 0;
}
