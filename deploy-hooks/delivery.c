/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

const char *delivery_kind_name(enum delivery_kind k)
{
	static const char *const names[DELIVERY_KINDS] = {
		[DELIVERY_OTHER] = "other",
		[DELIVERY_PING] = "ping",
		[DELIVERY_PUSH] = "push",
		[DELIVERY_TAG] = "tag",
		[DELIVERY_DELETED] = "deleted",
		[DELIVERY_IMAGE] = "image",
	};

	return names[k];
}

void delivery_change_done(struct delivery_change *c)
{
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i]);
	free(c->files);
	json_decref(c->commits);
	memset(c, 0, sizeof(*c));
}

void delivery_done(struct delivery *d)
{
	for (size_t i = 0; i < d->n_changes; i++)
		delivery_change_done(&d->changes[i]);
	memset(d, 0, sizeof(*d));
}

/* What git-check-ref-format(1) forbids in one part between slashes. */
static bool part_is_valid(const char *s, size_t n)
{
	static const char lock[] = ".lock";
	size_t tail = sizeof(lock) - 1;

	if (n == 0 || s[0] == '.')
		return false;
	return n < tail || memcmp(s + n - tail, lock, tail) != 0;
}

static bool has_forbidden(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("~^:?*[\\", *p))
			return true;
	return strstr(s, "..") || strstr(s, "@{");
}

bool delivery_ref_is_valid(const char *ref)
{
	const char *name;
	size_t n = strlen(ref);

	if (n >= DEPLOY_REF_SIZE || has_forbidden(ref) || !delivery_text_is_clean(ref))
		return false;
	if (str_ends(ref, "."))
		return false;
	if (!str_starts(ref, "refs/heads/") && !str_starts(ref, "refs/tags/"))
		return false;
	name = strchr(ref + strlen("refs/"), '/') + 1;
	if (*name == '-')
		return false;
	for (;;) {
		size_t part = strcspn(name, "/");

		if (!part_is_valid(name, part))
			return false;
		if (!name[part])
			return true;
		name += part + 1;
	}
}

bool delivery_commit_is_valid(const char *commit)
{
	size_t n = strspn(commit, "0123456789abcdef");

	return !commit[n] && (n == 40 || n == 64);
}

bool delivery_commit_is_zero(const char *commit)
{
	return delivery_commit_is_valid(commit) && !commit[strspn(commit, "0")];
}

bool delivery_tag_is_valid(const char *tag)
{
	size_t n = strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return !tag[n] && n > 0 && n <= 128 && *tag != '.' && *tag != '-';
}

bool delivery_digest_is_valid(const char *digest)
{
	static const char algorithm[] = "sha256:";
	const char *hex = digest + sizeof(algorithm) - 1;

	return str_starts(digest, algorithm) && strlen(hex) == 64 && delivery_commit_is_valid(hex);
}

bool delivery_id_is_valid(const char *id)
{
	size_t n = strspn(
		id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:+=/{}");

	return !id[n] && n > 0 && n < sizeof(((struct delivery *)NULL)->id);
}

/* Bytes of the control character at s (ASCII's, and those of U+0080 to U+009F); 0: it is none. */
static size_t control(const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];

	if (c < 0x20 || c == 0x7f)
		return 1;
	if (n > 1 && c == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0)
		return 2;
	return 0;
}

/* Of a character that is whole within n bytes; 0: there is none. */
static size_t whole(const char *s, size_t n)
{
	char padded[5] = {0};
	size_t size;

	memcpy(padded, s, n < 4 ? n : 4);
	size = str_utf8_char(padded);
	return size <= n ? size : 0;
}

void delivery_text(char *to, size_t size, const char *from, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		size_t skip = control(from + i, n - i);
		size_t take = skip ? 1 : whole(from + i, n - i);

		/* A byte that is no character is left out. */
		if (take == 0) {
			i++;
			continue;
		}
		if (len + take >= size)
			break;
		memcpy(to + len, skip ? " " : from + i, take);
		len += take;
		i += skip ? skip : take;
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

bool delivery_text_is_clean(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0, step; i < n; i += step) {
		step = whole(text + i, n - i);
		if (step == 0 || control(text + i, n - i))
			return false;
	}
	return true;
}
