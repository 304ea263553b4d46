/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/web/auth.h"
#include "agent/web/handlers.h"
#include "agent/web/upstream.h"
#include "base/str.h"
#include "base/wire.h"

static void reply_role(struct call *c)
{
	struct buf b = BUF_INIT(256);

	buf_addf(&b, "{\"role\": \"%s\"}\n", role_name(c->role));
	call_json(c, &b);
}

/* The cookie is kept from plain HTTP when the page came over HTTPS, which a proxy in front may
 * speak for us. */
static void set_cookie(struct call *c, const char *session, long long seconds)
{
	const char *origin = http_get_header(c->rq, "Origin");
	bool secure = origin && str_starts(origin, "https://");
	char text[256];

	(void)snprintf(text, sizeof(text),
		AUTH_COOKIE "=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%lld%s", session,
		seconds, secure ? "; Secure" : "");
	http_add_header(c->rq, "Set-Cookie", text);
}

static void on_session(struct call *c, const json_t *answer)
{
	const char *session = json_string_value(json_object_get(answer, "session"));
	json_int_t expires = json_integer_value(json_object_get(answer, "expires"));
	long long seconds = (long long)expires - (long long)time(NULL);
	char checked[AUTH_SESSION_LEN + 1];
	char cookie[AUTH_SESSION_LEN + 64];

	(void)snprintf(cookie, sizeof(cookie), AUTH_COOKIE "=%s", session ? session : "");
	if (!upstream_ok(answer) || !auth_parse_cookie(cookie, checked)) {
		call_fail_answer(c, answer);
		return;
	}
	set_cookie(c, checked, seconds > 0 ? seconds : 0);
	reply_role(c);
}

static void make_session(struct call *c)
{
	call_ask_daemon(c, json_pack("{s:s, s:s}", "op", "session.new", "role", role_name(c->role)),
		on_session);
}

void api_session_post(struct call *c)
{
	char bearer[AUTH_TOKEN_MAX + 16], token[AUTH_TOKEN_MAX];
	const char *text;
	json_t *body;
	size_t len;
	bool good;

	text = http_body(c->rq, &len);
	body = wire_parse(text, len, NULL);
	text = json_string_value(json_object_get(body, "token"));
	(void)snprintf(bearer, sizeof(bearer), "Bearer %s", text ? text : "");
	good = text && strlen(text) < AUTH_TOKEN_MAX;
	if (!good)
		call_fail(c, 400, "the body must be {\"token\": \"...\"}");
	else if (!auth_parse_bearer(bearer, token))
		call_fail(c, 401, "Invalid token");
	json_decref(body);
	if (good && auth_parse_bearer(bearer, token))
		auth_login(c, token, make_session);
}

void api_session_get(struct call *c)
{
	reply_role(c);
}

static void on_end(struct call *c, const json_t *answer)
{
	struct buf b = BUF_INIT(256);

	(void)answer;
	set_cookie(c, "", 0);
	buf_adds(&b, "{\"ended\": true}\n");
	call_json(c, &b);
}

void api_session_delete(struct call *c)
{
	struct buf b = BUF_INIT(256);
	char session[AUTH_SESSION_LEN + 1];

	if (auth_session(c, session)) {
		role_cache_forget(c->web->role_cache, CREDENTIAL_SESSION, session);
		call_ask(c, json_pack("{s:s, s:s}", "op", "session.end", "session", session),
			on_end);
		return;
	}
	/* A caller with a token has no session. */
	buf_adds(&b, "{\"ended\": false}\n");
	call_json(c, &b);
}
