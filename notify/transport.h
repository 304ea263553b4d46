/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves the bytes of one outgoing request: HTTP or mail by the HTTP client's curl, or a child that
 * gets them on stdin. Knows nothing of messages.
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
 * after it. A failure here is one that no retry would mend (-EINVAL, -ENOENT: no such program). */
int transport_start(struct loop *l, struct http_client *http, const struct channel *c,
	const struct outgoing *o, transport_done_fn done, void *user, struct transport_call **out,
	struct err *e);
void transport_cancel(struct transport_call *t); /* without calling `done`; NULL is fine */

#endif
