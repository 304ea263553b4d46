/* SPDX-License-Identifier: Apache-2.0
 *
 * One API call: a request on its way through the checks and its handler. Lives as long as the HTTP
 * request. A handler ends it with exactly one call_*() answer, at once or in a callback of
 * call_ask().
 */
#ifndef AGENT_WEB_CALL_H
#define AGENT_WEB_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/web/http.h"
#include "agent/web/query.h"
#include "agent/web/role_cache.h"
#include "agent/web/web.h"
#include "base/buf.h"

/* The largest JSON answer. /metrics of 1,000 containers is 6 MiB. */
enum { CALL_ANSWER_MAX = 32 * 1024 * 1024 };

struct route;
struct call;

typedef void (*call_fn)(struct call *c);
typedef void (*call_answer_fn)(struct call *c, const json_t *answer);

struct call {
	struct web *web;
	struct http_request *rq;
	const struct route *route;
	struct query query;
	enum role role; /* ROLE_NONE until the caller is known */
	bool by_cookie; /* the role comes from the session cookie */
	bool look_only; /* somebody unknown may go on (auth_look) */
	call_answer_fn on_answer; /* of the question under way */
	call_fn then; /* what goes on when the caller is known */
	void *state; /* the handler's own, freed with free_state */
	void (*free_state)(void *state);
};

struct call *call_new(struct web *w, struct http_request *rq);

/* {"error": sentence} */
void call_fail(struct call *c, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The fitting failure for what the daemon answered (NULL: nothing in time). */
void call_fail_answer(struct call *c, const json_t *answer);
void call_json(struct call *c, struct buf *body); /* 200 */

/* A question to the daemon in the name of the caller; `request` is taken over. `fn` is called
 * only with an "ok" answer, everything else is passed on to the client as a failure. */
void call_ask(struct call *c, json_t *request, call_answer_fn fn);
/* The same, for a question that may take longer than UPSTREAM_TIMEOUT_MS. */
void call_ask_within(struct call *c, json_t *request, int64_t timeout_ms, call_answer_fn fn);
/* Adds in whose name it is asked, for questions that go on after the call was answered. Returns `request`. */
json_t *call_as(const struct call *c, json_t *request);
/* The same as call_ask() for the web process itself, and `fn` gets every answer, NULL included. */
void call_ask_daemon(struct call *c, json_t *request, call_answer_fn fn);

#endif
