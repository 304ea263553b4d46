/* SPDX-License-Identifier: Apache-2.0
 *
 * Commit status: the git host shows beside the commit how its deploy goes. For apps with a status_token_file; best effort:
 * what comes of it is a problem that is shown, never the deploy's, and it is forgotten when the agent ends.
 *
 * Formats: GitHub "REST API endpoints for commit statuses" (POST /repos/{owner}/{repo}/statuses/{sha}, description at most 140
 * characters); GitLab "Commits API" (POST /projects/:id/statuses/:sha, :id the URL-encoded path); Gitea and Forgejo
 * swagger (POST /api/v1/repos/{owner}/{repo}/statuses/{sha}).
 */
#ifndef AGENT_DEPLOY_STATUS_H
#define AGENT_DEPLOY_STATUS_H

#include <stdint.h>

#include "agent/deploy_config.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "deploy-hooks/deploy.h"

enum {
	DEPLOY_STATUS_ATTEMPTS = 5,
	DEPLOY_STATUS_RETRY_MS =
		2000, /* before the second attempt, four times as long before each further one */
	DEPLOY_STATUS_TIMEOUT_MS = 15 * 1000,
	DEPLOY_STATUSES_MAX = 64, /* that wait; of more the oldest are forgotten */
};

/* What the git host is told of a state. */
enum deploy_status_kind {
	DEPLOY_STATUS_NONE, /* it waits, or was never begun */
	DEPLOY_STATUS_PENDING,
	DEPLOY_STATUS_SUCCESS,
	DEPLOY_STATUS_FAILURE,
	DEPLOY_STATUS_CANCELLED,
	DEPLOY_STATUS_KINDS
};
enum deploy_status_kind deploy_status_kind(const struct deploy *d);

/* What is posted. No secret is in it, nor why a deploy failed: anybody may read it there. */
struct deploy_status_call {
	struct buf url, body; /* to be freed with deploy_status_call_done() */
	const char *
		header; /* "Authorization: Bearer " or the like; the token goes behind it; static */
};
void deploy_status_call_done(struct deploy_status_call *c);
/* Whose API it is follows from the source ("https://github.com/me/shop.git", "git@gitlab.com:me/shop.git") and the provider of
 * the app's webhook; `status_url` is the address of the API where it is another one ("https://git.example.com/api/v4").
 * `dashboard` is the address of the agent, "" when it is not known. -ENOENT: this state is not told, or there is no commit;
 * -EINVAL: not a source, or not a host, with such an API, said as a sentence for people. */
int deploy_status_call(const struct deploy *d, const struct deploy_app *a, const char *dashboard,
	struct deploy_status_call *out, struct err *e);
/* The same for the configuration alone. */
int deploy_status_check(const struct deploy_app *a, struct err *e);

struct deploy_statuses;

/* `http` NULL: nothing is posted. */
struct deploy_statuses *deploy_statuses_new(
	struct loop *l, struct http_client *http, struct problems *problems);
void deploy_statuses_free(struct deploy_statuses *s); /* NULL is fine */
/* Whenever the record changes; posts when its state is another one for the git host (pending, success, failure). Nothing for
 * apps without a token. `a` is borrowed for the call only. */
void deploy_statuses_tell(struct deploy_statuses *s, const struct deploy *d,
	const struct deploy_app *a, const char *dashboard);

#endif
