/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/option_check_apps.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/option_check.h"
#include "base/str.h"
#include "deploy-hooks/delivery.h"

enum { PATTERN_MAX = 200 }; /* filter.h takes no longer ones */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_of(const char *text, const char *characters)
{
	return *text && !text[strspn(text, characters)];
}

static bool is_graphic(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return false;
	return *text;
}

int check_assignment(const char *text, struct err *e)
{
	size_t n = strspn(text, LETTERS DIGITS "_");

	if (!n || text[n] != '=' || isdigit((unsigned char)*text))
		return err_set(e, EINVAL, "\"%s\" is not of the form NAME=value", text);
	return check_text(text, e);
}

int check_branch(const char *text, struct err *e)
{
	char ref[DEPLOY_REF_SIZE];

	if (str_starts(text, "refs/"))
		return err_set(
			e, EINVAL, "\"%s\": expected the name alone, such as \"main\"", text);
	if ((size_t)snprintf(ref, sizeof(ref), "refs/heads/%s", text) >= sizeof(ref) ||
		!delivery_ref_is_valid(ref))
		return err_set(e, EINVAL, "\"%s\" is not the name of a branch", text);
	return 0;
}

int check_cpus(const char *text, struct err *e)
{
	size_t n = strspn(text, DIGITS);
	const char *rest = text[n] == '.' ? text + n + 1 : text + n;

	if (!n || n > 4 || rest[strspn(rest, DIGITS)] || strlen(rest) > 3 ||
		strtod(text, NULL) < 0.01)
		return err_set(
			e, EINVAL, "\"%s\" is not a number of CPUs such as \"2\" or \"0.5\"", text);
	return 0;
}

int check_domain(const char *text, struct err *e)
{
	const char *name = str_starts(text, "http://") ? text + strlen("http://") : text;

	if (strstr(text, "https://"))
		return err_set(e, EINVAL,
			"\"%s\": expected the name alone, such as \"shop.example.com\"", text);
	if (str_starts(name, "*."))
		name += 2;
	if (!is_of(name, LETTERS DIGITS "-.") || strlen(name) > 253 || strchr("-.", *name) ||
		strstr(name, ".."))
		return err_set(e, EINVAL,
			"\"%s\" is not the name of a domain such as \"shop.example.com\"", text);
	return 0;
}

int check_hook_name(const char *text, struct err *e)
{
	if (!is_of(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "-") || *text == '-' ||
		strlen(text) > 63)
		return err_set(e, EINVAL,
			"\"%s\" is not the name of a hook; expected a-z, 0-9 and '-'", text);
	return 0;
}

int check_hook_unit(const char *text, struct err *e)
{
	if (strchr(text, '@') || str_ends(text, ".service"))
		return err_set(e, EINVAL,
			"\"%s\": expected the name of the template alone: \"shop\" of "
			"shop@.service",
			text);
	if (!is_of(text, LETTERS DIGITS ":_.-") || *text == '-' || strlen(text) > 200)
		return err_set(e, EINVAL, "\"%s\" is not the name of a unit", text);
	return 0;
}

int check_image(const char *text, struct err *e)
{
	if (strstr(text, "://"))
		return err_set(e, EINVAL,
			"\"%s\": expected an image such as "
			"\"registry.example.com/me/shop:stable\", "
			"without https://",
			text);
	if (!is_of(text, LETTERS DIGITS "._/:@-") || strchr("-./:@", *text) ||
		strlen(text) >= DEPLOY_IMAGE_SIZE)
		return err_set(e, EINVAL, "\"%s\" is not the name of an image", text);
	return 0;
}

int check_inside(const char *text, struct err *e)
{
	_cleanup_(free_p) char *parts = str_format("/%s/", text);

	if (*text == '/' || *text == '-' || strstr(parts, "/../"))
		return err_set(e, EINVAL,
			"\"%s\" is not a path within the source, such as \"server\"", text);
	return check_text_line(text, e);
}

/* Without a '!' in front. */
static int check_any(const char *text, struct err *e)
{
	if (!text[*text == '!'])
		return err_set(e, EINVAL, "\"%s\": an empty pattern matches nothing", text);
	if (strlen(text) > PATTERN_MAX)
		return err_set(e, EINVAL, "the pattern is longer than %d bytes", PATTERN_MAX);
	return check_text_line(text, e);
}

int check_path_pattern(const char *text, struct err *e)
{
	if (text[*text == '!'] == '/' || str_starts(text + (*text == '!'), "./"))
		return err_set(e, EINVAL,
			"\"%s\": paths are those of the repository, with nothing in front: "
			"\"api/**\"",
			text);
	return check_any(text, e);
}

int check_ref_pattern(const char *text, struct err *e)
{
	if (str_starts(text + (*text == '!'), "refs/"))
		return err_set(e, EINVAL,
			"\"%s\": expected the name alone, such as \"main\" or \"release/*\"", text);
	return check_any(text, e);
}

int check_registry(const char *text, struct err *e)
{
	if (strstr(text, "://"))
		return err_set(e, EINVAL,
			"\"%s\": expected HOST/PATH such as \"registry.example.com/me\", without "
			"https://",
			text);
	if (!is_of(text, LETTERS DIGITS "._/:-") || strchr("-./:", *text) || str_ends(text, "/"))
		return err_set(e, EINVAL,
			"\"%s\" is not a registry such as \"registry.example.com/me\"", text);
	return 0;
}

/* "git@git.example.com:me/shop.git" */
static bool is_scp_like(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && colon != text && colon[1] && colon[1] != ':' &&
	       !memchr(text, '/', (size_t)(colon - text));
}

static bool has_password(const char *text)
{
	const char *host = strstr(text, "://");
	const char *at = host ? memchr(host + 3, '@', strcspn(host + 3, "/")) : NULL;

	return at && (str_starts(text, "http") || memchr(host + 3, ':', (size_t)(at - host - 3)));
}

int check_source(const char *text, struct err *e)
{
	bool url = str_starts(text, "https://") || str_starts(text, "http://") ||
		   str_starts(text, "ssh://") || str_starts(text, "file:///");
	bool has_host = url && strstr(text, "://")[3];

	if (has_password(text))
		return err_set(e, EINVAL,
			"an address with a user or password in it is seen by everybody; expected "
			"git_token_file and git_user beside an address without");
	if (!is_graphic(text) || *text == '-' || strlen(text) > 500 ||
		!(url ? has_host : *text == '/' || is_scp_like(text)) ||
		(!url && strstr(text, "://")))
		return err_set(e, EINVAL,
			"\"%s\" is not the address of a git repository such as "
			"\"https://git.example.com/me/shop.git\", "
			"\"git@git.example.com:me/shop.git\" "
			"or \"/srv/git/shop.git\"",
			text);
	return 0;
}

int check_tag(const char *text, struct err *e)
{
	if (!delivery_tag_is_valid(text))
		return err_set(e, EINVAL, "\"%s\" is not the tag of an image", text);
	return 0;
}

int check_text(const char *text, struct err *e)
{
	return *text ? check_text_line(text, e) : 0;
}

int check_url_path(const char *text, struct err *e)
{
	if (*text != '/' || !is_graphic(text) || strpbrk(text, "\"\\#"))
		return err_set(e, EINVAL, "\"%s\" is not a path such as \"/healthz\"", text);
	return 0;
}

int check_variable(const char *text, struct err *e)
{
	if (!is_of(text, LETTERS DIGITS "_") || isdigit((unsigned char)*text) || strlen(text) > 58)
		return err_set(e, EINVAL,
			"\"%s\" is not the name of a variable; expected letters, digits and '_'",
			text);
	return 0;
}
