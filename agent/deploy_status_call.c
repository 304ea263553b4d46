/* SPDX-License-Identifier: Apache-2.0
 *
 * What is posted where: from the source of the app and the state of the deploy.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/deploy_phrase.h"
#include "agent/deploy_status.h"
#include "base/str.h"
#include "notify/text.h"

enum {
	URL_MAX = 2048,
	BODY_MAX = 4096,
	DESCRIPTION_SIZE = 141, /* GitHub takes 140 characters */
	PARTS_MAX = 20, /* groups of GitLab within groups */
};

enum host_kind { GITHUB, GITLAB, GITEA, HOST_KINDS };

static const struct {
	const char *api; /* below the host */
	const char *header;
	const char *says[DEPLOY_STATUS_KINDS];
	bool nested; /* repositories may be in groups of groups */
} kinds[HOST_KINDS] = {
	[GITHUB] = {"/api/v3", "Authorization: Bearer ",
		{"", "pending", "success", "failure", "error"}, false},
	[GITLAB] = {"/api/v4", "PRIVATE-TOKEN: ", {"", "running", "success", "failed", "canceled"},
		true},
	[GITEA] = {"/api/v1", "Authorization: token ",
		{"", "pending", "success", "failure", "error"}, false},
};

/* Whose it is: by the host itself, by the webhook, and last by how people call such hosts. */
static const struct {
	const char *host;
	enum host_kind kind;
} known_hosts[] = {{"github.com", GITHUB}, {"gitlab.com", GITLAB}, {"codeberg.org", GITEA},
	{"gitea.com", GITEA}},
  host_names[] = {{"github.", GITHUB}, {"gitlab.", GITLAB}, {"gitea.", GITEA}, {"forgejo.", GITEA}},
  senders[] = {{"github", GITHUB}, {"gitlab", GITLAB}, {"gitea", GITEA}, {"forgejo", GITEA}};

/* "https://user@host:3000/me/shop.git" in its parts, borrowed. */
struct source {
	const char *scheme; /* "http" or "https" of the API */
	const char *host;
	size_t host_len; /* with the port, where it is one of HTTP */
	const char *path;
	size_t path_len; /* without slashes around it and without .git */
};

static void trim_path(struct source *s)
{
	while (s->path_len && *s->path == '/') {
		s->path++;
		s->path_len--;
	}
	while (s->path_len && s->path[s->path_len - 1] == '/')
		s->path_len--;
	if (s->path_len > 4 && strncmp(s->path + s->path_len - 4, ".git", 4) == 0)
		s->path_len -= 4;
}

static bool is_host(const struct source *s)
{
	for (size_t i = 0; i < s->host_len; i++)
		if (!isalnum((unsigned char)s->host[i]) && !strchr(".-:[]", s->host[i]))
			return false;
	return s->host_len > 0 && s->host_len < 256;
}

/* "git@host:me/shop.git". */
static bool read_scp(const char *text, struct source *s)
{
	const char *colon = strchr(text, ':'), *at = strchr(text, '@');

	if (!colon || memchr(text, '/', (size_t)(colon - text)))
		return false;
	s->host = at && at < colon ? at + 1 : text;
	s->host_len = (size_t)(colon - s->host);
	s->path = colon + 1;
	s->path_len = strlen(s->path);
	return true;
}

static bool read_url(const char *text, struct source *s)
{
	const char *rest = strstr(text, "://"), *at;
	bool is_http = str_starts(text, "http://"),
	     is_web = is_http || str_starts(text, "https://");
	size_t n;

	if (!rest || !(is_web || str_starts(text, "ssh://") || str_starts(text, "git://")))
		return false;
	s->scheme = is_http ? "http" : "https";
	rest += 3;
	n = strcspn(rest, "/");
	at = memchr(rest, '@', n);
	s->host = at ? at + 1 : rest;
	s->host_len = n - (size_t)(s->host - rest);
	s->path = rest + n;
	s->path_len = strcspn(s->path, "?#");
	/* The port of ssh is not that of the API. */
	if (!is_web) {
		const char *colon = memchr(s->host, ':', s->host_len);

		s->host_len = colon ? (size_t)(colon - s->host) : s->host_len;
	}
	return true;
}

static int read_source(const char *text, struct source *s, struct err *e)
{
	*s = (struct source){.scheme = "https"};
	if (!text || *text == '/' || (!read_url(text, s) && !read_scp(text, s)) || !is_host(s))
		return err_set(e, EINVAL,
			"the source is not at a git host that could be told of its commits");
	trim_path(s);
	return 0;
}

static bool is_called(const struct source *s, const char *host)
{
	return strlen(host) == s->host_len && strncasecmp(s->host, host, s->host_len) == 0;
}

static int find_kind(
	const struct source *s, const struct deploy_app *a, enum host_kind *out, struct err *e)
{
	const struct provider *p = a->webhook.provider;

	for (size_t i = 0; i < ARRAY_LEN(known_hosts); i++)
		if (is_called(s, known_hosts[i].host)) {
			*out = known_hosts[i].kind;
			return 0;
		}
	for (size_t i = 0; p && i < ARRAY_LEN(senders); i++)
		if (strcmp(p->name, senders[i].host) == 0) {
			*out = senders[i].kind;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(host_names); i++)
		if (strncasecmp(s->host, host_names[i].host, strlen(host_names[i].host)) == 0) {
			*out = host_names[i].kind;
			return 0;
		}
	return err_set(e, EINVAL,
		"%.*s is not known to have commit statuses: GitHub, GitLab, Gitea and Forgejo "
		"have; webhook.provider says which it is",
		(int)s->host_len, s->host);
}

static void add_root(struct buf *url, const struct source *s, enum host_kind kind, const char *api)
{
	size_t n = api ? strlen(api) : 0;

	while (n && api[n - 1] == '/')
		n--;
	if (n)
		buf_add(url, api, n);
	else if (kind == GITHUB && is_called(s, "github.com"))
		buf_adds(url, "https://api.github.com");
	else
		buf_addf(url, "%s://%.*s%s", s->scheme, (int)s->host_len, s->host, kinds[kind].api);
}

/* The path of the repository, each part by itself, or for GitLab all of it as one. */
static int add_path(struct buf *url, const struct source *s, enum host_kind kind, struct err *e)
{
	const char *p = s->path, *end = s->path + s->path_len;
	size_t parts = 0;

	while (p < end) {
		size_t n = strcspn(p, "/");
		char part[256];

		n = p + n > end ? (size_t)(end - p) : n;
		if (n >= sizeof(part) || parts == PARTS_MAX)
			break;
		memcpy(part, p, n);
		part[n] = '\0';
		if (!n || strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
			break;
		if (parts++)
			buf_adds(url, kind == GITLAB ? "%2F" : "/");
		text_add_percent(url, part);
		p += n < (size_t)(end - p) ? n + 1 : n;
	}
	if (p < end || parts < 2 || (parts > 2 && !kinds[kind].nested))
		return err_set(e, EINVAL, "the source does not end in OWNER/REPOSITORY");
	return 0;
}

static int add_url(struct buf *url, const struct deploy_app *a, const char *commit,
	enum host_kind *kind, struct err *e)
{
	struct source s;
	int r = read_source(a->source, &s, e);

	if (r == 0)
		r = find_kind(&s, a, kind, e);
	if (r < 0)
		return r;
	add_root(url, &s, *kind, a->status_url);
	buf_adds(url, *kind == GITLAB ? "/projects/" : "/repos/");
	r = add_path(url, &s, *kind, e);
	if (r == 0)
		buf_addf(url, "/statuses/%s", commit);
	if (r == 0 && url->overflow)
		r = err_set(e, EINVAL, "the source is too long");
	return r;
}

enum deploy_status_kind deploy_status_kind(const struct deploy *d)
{
	switch (d->state) {
	case DEPLOY_QUEUED:
	case DEPLOY_SUPERSEDED:
		return DEPLOY_STATUS_NONE;
	case DEPLOY_DONE:
	case DEPLOY_SKIPPED:
		return DEPLOY_STATUS_SUCCESS;
	case DEPLOY_FAILED:
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_BROKEN:
		return DEPLOY_STATUS_FAILURE;
	case DEPLOY_CANCELLED:
		return d->started_ms ? DEPLOY_STATUS_CANCELLED : DEPLOY_STATUS_NONE;
	default:
		return DEPLOY_STATUS_PENDING;
	}
}

/* Anybody may read it there: no reasons, which may quote what a hook printed. */
static void describe(const struct deploy *d, char *to, size_t size)
{
	const char *stage = deploy_phrase_failed_stage(d);
	const char *in = *stage ? " in " : "";
	char time[32];

	deploy_phrase_time(time, sizeof(time), d->ended_ms - d->started_ms);
	switch (d->state) {
	case DEPLOY_DONE:
		(void)snprintf(to, size, "Deploy %lld is done, it took %s", (long long)d->id, time);
		break;
	case DEPLOY_SKIPPED:
		(void)snprintf(to, size, "Deploy %lld: there was nothing to do", (long long)d->id);
		break;
	case DEPLOY_FAILED:
		(void)snprintf(to, size, "Deploy %lld failed%s%s", (long long)d->id, in, stage);
		break;
	case DEPLOY_ROLLED_BACK:
		(void)snprintf(to, size, "Deploy %lld failed%s%s, the old version serves",
			(long long)d->id, in, stage);
		break;
	case DEPLOY_BROKEN:
		(void)snprintf(to, size, "Deploy %lld failed%s%s, and so did the way back",
			(long long)d->id, in, stage);
		break;
	case DEPLOY_CANCELLED:
		(void)snprintf(to, size, "Deploy %lld was cancelled", (long long)d->id);
		break;
	default:
		(void)snprintf(to, size, "Deploy %lld is under way", (long long)d->id);
	}
}

static void add_body(
	struct buf *body, const struct deploy *d, enum host_kind kind, const char *dashboard)
{
	char description[DESCRIPTION_SIZE];

	describe(d, description, sizeof(description));
	buf_addf(body, "{\"state\":\"%s\",\"%s\":", kinds[kind].says[deploy_status_kind(d)],
		kind == GITLAB ? "name" : "context");
	{
		_cleanup_(free_p) char *context = str_format("deploy/%s", d->app);

		buf_add_json_string(body, context);
	}
	buf_adds(body, ",\"description\":");
	buf_add_json_string(body, description);
	if (*dashboard) {
		_cleanup_(free_p) char *url = str_format("%s/#/deploys", dashboard);

		buf_adds(body, ",\"target_url\":");
		buf_add_json_string(body, url);
	}
	buf_addc(body, '}');
}

void deploy_status_call_done(struct deploy_status_call *c)
{
	buf_done(&c->url);
	buf_done(&c->body);
}

int deploy_status_call(const struct deploy *d, const struct deploy_app *a, const char *dashboard,
	struct deploy_status_call *out, struct err *e)
{
	struct deploy_status_call c = {BUF_INIT(URL_MAX), BUF_INIT(BODY_MAX), NULL};
	enum host_kind kind;
	int r;

	if (deploy_status_kind(d) == DEPLOY_STATUS_NONE || !*d->commit)
		return err_set(
			e, ENOENT, "there is nothing to be told of deploy %lld", (long long)d->id);
	r = add_url(&c.url, a, d->commit, &kind, e);
	if (r < 0) {
		deploy_status_call_done(&c);
		return r;
	}
	add_body(&c.body, d, kind, dashboard);
	c.header = kinds[kind].header;
	*out = c;
	return 0;
}

int deploy_status_check(const struct deploy_app *a, struct err *e)
{
	_cleanup_(buf_done) struct buf url = BUF_INIT(URL_MAX);
	enum host_kind kind;

	return add_url(&url, a, "0", &kind, e);
}
