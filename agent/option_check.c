/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/option_check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/cron.h"
#include "base/str.h"
#include "collectors/rrd_layout.h"
#include "notify/quiet.h"
#include "notify/rule.h"

int check_any_pattern(const char *text, struct err *e)
{
	if (!text[*text == '!'])
		return err_set(e, EINVAL, "\"%s\": an empty pattern matches nothing", text);
	return 0;
}

int check_cron(const char *text, struct err *e)
{
	struct cron c;

	return cron_parse(text, &c, e);
}

int check_host(const char *text, struct err *e)
{
	struct in6_addr address;
	char inside[INET6_ADDRSTRLEN];
	size_t n = strlen(text);

	if (text[0] != '[')
		return check_hostname(text, e);
	if (n < 3 || n - 2 >= sizeof(inside) || text[n - 1] != ']')
		return err_set(e, EINVAL, "\"%s\" is not an IPv6 address such as \"[::1]\"", text);
	memcpy(inside, text + 1, n - 2);
	inside[n - 2] = '\0';
	if (inet_pton(AF_INET6, inside, &address) != 1)
		return err_set(e, EINVAL, "\"%s\" is not an IPv6 address such as \"[::1]\"", text);
	return 0;
}

int check_hostname(const char *text, struct err *e)
{
	static const char expected[] = "expected letters, digits, '-' and '.'";
	size_t n = strlen(text);

	if (n == 0 || n > 253 || strchr("-.", text[0]) || text[n - 1] == '-')
		return err_set(e, EINVAL, "\"%s\" is not a host name; %s", text, expected);
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-._", *p))
			return err_set(e, EINVAL, "\"%s\" is not a host name; %s", text, expected);
	return 0;
}

int check_label_pattern(const char *text, struct err *e)
{
	const char *name = text + (*text == '!');

	if (*name == '=' || !strchr(name, '='))
		return err_set(e, EINVAL,
			"\"%s\" is not of the form NAME=PATTERN, such as \"image=shop*\"", text);
	return 0;
}

int check_metric(const char *text, struct err *e)
{
	return rule_check_metric(text, e);
}

int check_pattern(const char *text, struct err *e)
{
	if (!*text)
		return err_set(e, EINVAL, "an empty pattern matches nothing");
	if (*text == '!')
		return err_set(e, EINVAL,
			"\"%s\": patterns do not start with '!'; use include and exclude", text);
	return 0;
}

int check_quiet(const char *text, struct err *e)
{
	struct quiet_span span;

	return quiet_parse(text, &span, e);
}

int check_retention(const char *text, struct err *e)
{
	struct rrd_archive a;

	/* Against the interval it is checked when all of the file is known. */
	return rrd_archive_parse(text, 1, &a, e);
}

int check_seconds(const char *text, struct err *e)
{
	int64_t ms;
	int r = str_to_duration_ms(text, &ms, e);

	if (r < 0)
		return r;
	if (ms % 1000)
		return err_set(e, EINVAL, "\"%s\" is not a whole number of seconds", text);
	return 0;
}

int check_server(const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon && !strchr(colon, ']') ? (size_t)(colon - text) : strlen(text);
	_cleanup_(free_p) char *host = str_ndup(text, n);
	uint64_t port = 1;

	if (text[n] && (str_to_u64(text + n + 1, &port, NULL) < 0 || port < 1 || port > 65535))
		return err_set(
			e, EINVAL, "\"%s\" has no port from 1 to 65535 behind the ':'", text);
	return check_host(host, e);
}

int check_text_line(const char *text, struct err *e)
{
	if (!*text)
		return err_set(e, EINVAL, "is empty");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, EINVAL, "has control characters; expected one line");
	return 0;
}

int check_timezone(const char *text, struct err *e)
{
	char path[300];
	struct stat st;
	bool clean = *text && *text != '/' && !strstr(text, "..") && strlen(text) < 200;

	for (const char *p = text; clean && *p; p++)
		clean = isalnum((unsigned char)*p) || strchr("+-_/", *p);
	if (!clean)
		return err_set(e, EINVAL,
			"\"%s\" is not a time zone such as \"UTC\" or \"Europe/Berlin\"", text);
	/* A small container image may lack the zone files; then the name cannot be checked. */
	if (strcmp(text, "UTC") == 0 || stat("/usr/share/zoneinfo", &st) < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", text);
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EINVAL,
			"there is no time zone \"%s\"; expected one such as \"UTC\" or "
			"\"Europe/Berlin\" (`timedatectl list-timezones`)",
			text);
	return 0;
}

int check_url(const char *text, struct err *e)
{
	size_t scheme = str_starts(text, "https://") ? 8 : str_starts(text, "http://") ? 7 : 0;
	bool good = scheme && isgraph((unsigned char)text[scheme]) && !strchr("/:?#", text[scheme]);

	for (const char *p = text; good && *p; p++)
		good = isgraph((unsigned char)*p) && *p != '"';
	if (!good)
		return err_set(e, EINVAL,
			"\"%s\" is not an address such as \"https://vps1.example.com:4500\"", text);
	return 0;
}
