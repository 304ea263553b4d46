/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "agent/web/assets.h"
#include "agent/web/auth.h"
#include "agent/web/handlers.h"

/* An ETag of an If-None-Match list, weak or strong. */
static bool etag_matches(const char *list, const char *etag)
{
	return list && (strstr(list, etag) || strcmp(list, "*") == 0);
}

/* "gzip" named and not with q=0. */
static bool takes_gzip(const char *accept)
{
	const char *p = accept ? strstr(accept, "gzip") : NULL;

	if (!p)
		return false;
	p += strlen("gzip");
	p += strspn(p, " \t");
	if (*p++ != ';')
		return true;
	p += strspn(p, " \t");
	if (strncmp(p, "q=0", 3) != 0)
		return true;
	p += 3;
	p += *p == '.';
	return strspn(p, "0") != strcspn(p, ", \t");
}

static void reply_asset(struct call *c, const struct asset *a, const char *cache)
{
	http_add_header(c->rq, "Cache-Control", cache);
	http_add_header(c->rq, "ETag", a->etag);
	http_add_header(c->rq, "Vary", "Accept-Encoding");
	if (etag_matches(http_get_header(c->rq, "If-None-Match"), a->etag)) {
		http_reply_static(c->rq, 304, NULL, "", 0);
	} else if (a->gz && takes_gzip(http_get_header(c->rq, "Accept-Encoding"))) {
		http_add_header(c->rq, "Content-Encoding", "gzip");
		http_reply_static(c->rq, 200, a->type, a->gz, a->gz_len);
	} else {
		http_reply_static(c->rq, 200, a->type, a->data, a->len);
	}
}

void pages_asset(struct call *c)
{
	bool is_lasting;
	const struct asset *a = asset_find_path(http_path(c->rq) + strlen("/assets/"), &is_lasting);

	if (a)
		reply_asset(c, a,
			is_lasting ? "public, max-age=31536000, immutable" : "public, no-cache");
	else
		call_fail(c, 404, "there is no such file");
}

static void index_known(struct call *c)
{
	const struct asset *a = asset_find("index.html");

	if (c->role == ROLE_NONE) {
		http_add_header(c->rq, "Location", "/login");
		http_reply_static(c->rq, 303, NULL, "", 0);
	} else if (a) {
		reply_asset(c, a, "private, no-cache");
	} else {
		call_fail(c, 404, "this build has no dashboard");
	}
}

void pages_index(struct call *c)
{
	auth_look(c, index_known);
}

void pages_login(struct call *c)
{
	const struct asset *a = asset_find("login.html");

	if (a)
		reply_asset(c, a, "public, no-cache");
	else
		call_fail(c, 404, "this build has no dashboard");
}
