/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves the bytes of one outgoing request: HTTP by the HTTP client, a mail, or a child that gets
 * them on stdin. Knows nothing of messages.
 *
 * Of an answer at most CHANNEL_ANSWER_MAX bytes are kept: the first ones of an HTTP answer, the last
 * ones a command prints. A long answer is no failure.
 *
 * A command runs with PATH, LANG=C.UTF-8, HOME and TZ of this process, and the `headers` of the
 * request ("NAME=value"); nothing else of this process's environment.
 */
#ifndef NOTIFY_TRANSPORT_H
#define NOTIFY_TRANSPORT_H

#include <stdint.h>

#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "notify/channel.h"

struct transport_call;

typedef void (*transport_done_fn)(void *user, const struct answer *a);

/* `o` is not needed afterwards. `done` is called once, later, from the loop; the handle is gone
 * after it. A failure here is one that no retry would mend (-EINVAL, -ENOENT: no such program).
 * Of an answer to a mail that was sent, `message` names the recipients who were refused; "" when
 * there are none. A command that was ended by a signal is an error. */
int transport_start(struct loop *l, struct http_client *http, const struct channel *c,
	const struct outgoing *o, transport_done_fn done, void *user, struct transport_call **out,
	struct err *e);
void transport_cancel(struct transport_call *t); /* without calling `done`; NULL is fine */

#endif
