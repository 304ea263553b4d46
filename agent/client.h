/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line's end of the control protocol (CONTROL.md): connects to STATE/control.sock,
 * sends one request and waits for its answer, or reads what a subscription pushes. Blocks, with
 * deadlines.
 */
#ifndef AGENT_CLIENT_H
#define AGENT_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

enum { CLIENT_TIMEOUT_MS = 15000 };

struct client;

/* -ESRCH: no agent is running there (the message says how to start one); -EACCES: the socket is
 * not for this user. */
int client_open(const char *state_dir, struct client **out, struct err *e);
void client_close(struct client *c); /* NULL is fine */
DEFINE_CLEANUP(struct client *, client_close);

/* Sends the request (taken over) and waits for its answer; events that come in between are
 * dropped. 0 and *reply (a new reference), or a negative errno: -EREMOTEIO with the agent's own
 * words when it refused, -ETIMEDOUT, -EPIPE when the agent ended. */
int client_call(struct client *c, json_t *request, json_t **reply, struct err *e);
/* The same for what takes longer than CLIENT_TIMEOUT_MS. */
int client_call_within(
	struct client *c, json_t *request, int64_t timeout_ms, json_t **reply, struct err *e);

enum { CLIENT_NOTHING = 0, CLIENT_EVENT = 1 };
/* The next pushed message (new reference): CLIENT_EVENT; CLIENT_NOTHING after timeout_ms (0:
 * only what is here already). -EINTR when a signal came, -EPIPE when the agent ended. */
int client_event(struct client *c, int timeout_ms, json_t **out, struct err *e);
/* For poll(2). client_event(0) first: a message may be in the buffer already. */
int client_fd(const struct client *c);

#endif
