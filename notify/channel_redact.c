/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"

/* Shorter texts are no secrets, and replacing them would make a message unreadable. */
enum { SECRET_MIN = 4, URL_PATH_MIN = 8, URL_SEGMENT_MIN = 16 };

static const char stars[] = "***";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the two digits at s stand for, or -1. */
static int hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

	return low < 0 ? -1 : high * 16 + low;
}

/* The same for "%XX". */
static int percent_byte(const char *s)
{
	return s[0] == '%' ? hex_byte(s + 1) : -1;
}

/* How many bytes at `text` stand for the byte `c`, as it is or in one of the forms in which answers
 * repeat what was sent: %XX, JSON's \/ and \u00XX, HTML's &amp;. 0: another byte. */
static size_t match_byte(const char *text, char c)
{
	if (percent_byte(text) == (unsigned char)c)
		return 3;
	if (*text == c)
		return str_starts(text, "&amp;") ? 5 : 1;
	if (text[0] == '\\' && text[1] == c)
		return 2;
	if (str_starts(text, "\\u00") && hex_byte(text + 4) == (unsigned char)c)
		return 6;
	return 0;
}

/* Length of the secret at the beginning of `text`, in whatever form; 0: it is not there. */
static size_t match(const char *text, const char *secret, size_t n)
{
	const char *p = text;

	if (strncmp(text, secret, n) == 0)
		return n;
	for (size_t i = 0; i < n; i++) {
		size_t k = match_byte(p, secret[i]);

		if (!k)
			return 0;
		p += k;
	}
	return (size_t)(p - text);
}

static void redact(char *text, const char *secret, size_t n)
{
	if (n < SECRET_MIN)
		return;
	for (char *p = text; *p; p++) {
		size_t k = match(p, secret, n);

		if (!k)
			continue;
		memcpy(p, stars, strlen(stars));
		memmove(p + strlen(stars), p + k, strlen(p + k) + 1);
		p += strlen(stars) - 1;
	}
}

static void percent_decode(char *s)
{
	char *to = s;

	while (*s) {
		int c = percent_byte(s);

		*to++ = c > 0 ? (char)c : *s;
		s += c > 0 ? 3 : 1;
	}
	*to = '\0';
}

/* The whole of it first, then what could stand alone. */
static void redact_path(char *text, const char *path)
{
	if (strlen(path) >= URL_PATH_MIN)
		redact(text, path, strlen(path));
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/?&=");

		/* Behind a '=' is a value, however short. */
		if (n >= URL_SEGMENT_MIN || (p > path && p[-1] == '='))
			redact(text, p, n);
		p += n + (p[n] != '\0');
	}
}

/* "user:password" in front of the host. */
static void redact_login(char *text, char *login)
{
	const char *password = strchr(login, ':');

	percent_decode(login);
	redact(text, login, strlen(login));
	if (password)
		redact(text, password + 1, strlen(password + 1));
}

/* A webhook's address is its secret: all behind the host, and a password in front of it. */
static void redact_url(char *text, const char *url)
{
	const char *host = strstr(url, "://");
	_cleanup_(free_p) char *login = NULL, *path = NULL;
	size_t n;

	if (!host)
		return;
	host += 3;
	n = strcspn(host, "/?#");
	path = str_dup(host + n);
	percent_decode(path);
	redact_path(text, path);
	login = str_ndup(host, n);
	if (strrchr(login, '@')) {
		*strrchr(login, '@') = '\0';
		redact_login(text, login);
	}
}

/* As it is, the part behind the number of a bot, and as HTTP's Basic login. */
static void redact_secret(char *text, const struct channel *c)
{
	_cleanup_(buf_done) struct buf basic = BUF_INIT(64 * 1024);
	const char *tail = strrchr(c->secret, ':');

	redact(text, c->secret, strlen(c->secret));
	if (tail && strlen(tail + 1) >= URL_SEGMENT_MIN)
		redact(text, tail + 1, strlen(tail + 1));
	if (c->user) {
		_cleanup_(free_p) char *login = str_format("%s:%s", c->user, c->secret);

		base64_encode(&basic, login, strlen(login), 0);
		redact(text, buf_str(&basic), basic.len);
	}
}

void channel_redact(const struct channel *c, char *text, size_t size)
{
	assert(strlen(text) < size); /* a replacement is never longer than what it replaces */
	if (c->secret)
		redact_secret(text, c);
	if (c->url)
		redact_url(text, c->url);
	/* Addresses as arguments of a command: Apprise takes tokens even where a host should be. */
	for (size_t i = 0; c->command && c->command[i]; i++) {
		const char *address = strstr(c->command[i], "://");

		if (address)
			redact_path(text, address + 3);
	}
}
