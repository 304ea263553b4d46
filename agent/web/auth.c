/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/auth.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/web/login_limit.h"
#include "agent/web/routes.h"
#include "agent/web/upstream.h"
#include "base/clock.h"
#include "base/str.h"

bool auth_parse_bearer(const char *header, char *out)
{
	static const char scheme[] = "Bearer ";
	size_t n;

	if (strncasecmp(header, scheme, strlen(scheme)) != 0)
		return false;
	header += strlen(scheme);
	header += strspn(header, " ");
	for (n = 0; header[n] > 0x20 && header[n] < 0x7f; n++)
		if (n + 1 >= AUTH_TOKEN_MAX)
			return false;
	if (n == 0 || header[n])
		return false;
	memcpy(out, header, n + 1);
	return true;
}

bool auth_parse_cookie(const char *header, char *out)
{
	const char *p = header;

	while (p) {
		p += strspn(p, " \t;");
		if (str_starts(p, AUTH_COOKIE "=")) {
			const char *v = p + strlen(AUTH_COOKIE "=");
			size_t n = strspn(v, "0123456789abcdef");

			if (n != AUTH_SESSION_LEN || !strchr("; \t", v[n]))
				return false;
			memcpy(out, v, n);
			out[n] = '\0';
			return true;
		}
		p = strchr(p, ';');
	}
	return false;
}

/* The name or address in "name:port", "[::1]:port"; false when it is not one. */
static bool host_name(const char *host, char *to, size_t size)
{
	size_t n;

	if (*host == '[') {
		const char *end = strchr(++host, ']');

		n = end ? (size_t)(end - host) : 0;
	} else {
		n = strcspn(host, ":");
	}
	while (n > 0 && host[n - 1] == '.')
		n--;
	if (n == 0 || n >= size)
		return false;
	memcpy(to, host, n);
	to[n] = '\0';
	return true;
}

bool auth_host_matches(const char *host, const char *const *allowed)
{
	unsigned char address[16];
	char name[256];

	if (!*allowed)
		return true;
	if (!host_name(host, name, sizeof(name)))
		return false;
	if (strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1 ||
		inet_pton(AF_INET6, name, address) == 1)
		return true;
	for (; *allowed; allowed++)
		if (strcasecmp(name, *allowed) == 0)
			return true;
	return false;
}

bool auth_same_site(const char *origin, const char *sec_fetch_site, const char *host)
{
	if (sec_fetch_site)
		return strcmp(sec_fetch_site, "same-origin") == 0;
	if (!origin || !host)
		return false;
	if (str_starts(origin, "http://"))
		return strcasecmp(origin + strlen("http://"), host) == 0;
	if (str_starts(origin, "https://"))
		return strcasecmp(origin + strlen("https://"), host) == 0;
	return false;
}

bool auth_session(const struct call *c, char *out)
{
	const char *cookie = http_get_header(c->rq, "Cookie");

	return cookie && auth_parse_cookie(cookie, out);
}

bool auth_host_allowed(struct call *c)
{
	const char *host = http_get_header(c->rq, "Host");

	if (auth_host_matches(host ? host : "", (const char *const *)c->web->hosts))
		return true;
	call_fail(
		c, 421, "this server does not answer to that name; add it to the option \"hosts\"");
	return false;
}

bool auth_origin_allowed(struct call *c)
{
	const char *origin = http_get_header(c->rq, "Origin");
	const char *site = http_get_header(c->rq, "Sec-Fetch-Site");

	/* Programs with a token send neither header, and no page can make a browser send the token. */
	if (!c->by_cookie && !origin && !site)
		return true;
	if (auth_same_site(origin, site, http_get_header(c->rq, "Host")))
		return true;
	call_fail(c, 403, "the request comes from another site");
	return false;
}

static struct peer_key client(const struct call *c)
{
	return peer_client(http_peer(c->rq), http_get_last_header(c->rq, "X-Forwarded-For"));
}

/* Answers 429 and returns false while the client has to wait. */
static bool may_try(struct call *c)
{
	struct peer_key k = client(c);
	int64_t wait = login_limit_wait_ms(c->web->login_limit, &k, clock_mono_ms());
	char seconds[24];

	if (wait == 0)
		return true;
	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait + 999) / 1000);
	http_add_header(c->rq, "Retry-After", seconds);
	call_fail(c, 429, "too many wrong tokens from your address; try again in %s seconds",
		seconds);
	return false;
}

static void unauthorized(struct call *c, const char *sentence)
{
	http_add_header(c->rq, "WWW-Authenticate", "Bearer");
	call_fail(c, 401, "%s", sentence);
}

static void go_on(struct call *c)
{
	if (c->role < c->route->role)
		call_fail(c, 403, "that needs the admin token");
	else
		c->then(c);
}

/* The role in an answer; ROLE_NONE with a reply already given when there was no proper answer. */
static bool take_role(struct call *c, const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	c->role = ROLE_NONE;
	if (upstream_ok(answer)) {
		c->role = role_from(json_string_value(json_object_get(answer, "role")));
		return true;
	}
	if (code && strcmp(code, "forbidden") == 0)
		return true;
	call_fail_answer(c, answer);
	return false;
}

static void wrong_token(struct call *c)
{
	struct peer_key k = client(c);

	login_limit_failed(c->web->login_limit, &k, clock_mono_ms());
	unauthorized(c, "Invalid token");
}

static void on_token(struct call *c, const json_t *answer)
{
	char token[AUTH_TOKEN_MAX];

	if (!take_role(c, answer))
		return;
	if (c->role == ROLE_NONE) {
		wrong_token(c);
		return;
	}
	if (auth_parse_bearer(http_get_header(c->rq, "Authorization"), token))
		role_cache_put(
			c->web->role_cache, CREDENTIAL_TOKEN, token, c->role, clock_mono_ms());
	go_on(c);
}

static void check_token(struct call *c, const char *header)
{
	char token[AUTH_TOKEN_MAX];

	if (!auth_parse_bearer(header, token)) {
		unauthorized(c, "Invalid authorization format. Use 'Bearer TOKEN'");
		return;
	}
	c->role = role_cache_get(c->web->role_cache, CREDENTIAL_TOKEN, token, clock_mono_ms());
	if (c->role != ROLE_NONE)
		go_on(c);
	else if (may_try(c))
		call_ask_daemon(
			c, json_pack("{s:s, s:s}", "op", "auth.token", "token", token), on_token);
}

static void unknown_caller(struct call *c)
{
	c->by_cookie = false;
	if (c->look_only)
		c->then(c);
	else
		unauthorized(c, "Authorization header is required");
}

static void on_session(struct call *c, const json_t *answer)
{
	char session[AUTH_SESSION_LEN + 1];

	if (!take_role(c, answer))
		return;
	if (c->role == ROLE_NONE) {
		unknown_caller(c);
		return;
	}
	if (auth_session(c, session))
		role_cache_put(
			c->web->role_cache, CREDENTIAL_SESSION, session, c->role, clock_mono_ms());
	go_on(c);
}

static void check(struct call *c)
{
	const char *header = http_get_header(c->rq, "Authorization");
	char session[AUTH_SESSION_LEN + 1];

	if (header) {
		check_token(c, header);
		return;
	}
	if (!auth_session(c, session)) {
		unknown_caller(c);
		return;
	}
	c->by_cookie = true;
	c->role = role_cache_get(c->web->role_cache, CREDENTIAL_SESSION, session, clock_mono_ms());
	if (c->role != ROLE_NONE)
		go_on(c);
	else
		call_ask_daemon(c,
			json_pack("{s:s, s:s}", "op", "session.check", "session", session),
			on_session);
}

void auth_check(struct call *c, call_fn then)
{
	c->then = then;
	check(c);
}

void auth_look(struct call *c, call_fn then)
{
	c->then = then;
	c->look_only = true;
	check(c);
}

static void on_login(struct call *c, const json_t *answer)
{
	if (!take_role(c, answer))
		return;
	if (c->role == ROLE_NONE)
		wrong_token(c);
	else
		c->then(c);
}

void auth_login(struct call *c, const char *token, call_fn then)
{
	c->then = then;
	if (may_try(c))
		call_ask_daemon(
			c, json_pack("{s:s, s:s}", "op", "auth.token", "token", token), on_login);
}
