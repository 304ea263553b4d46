/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a request and writing an answer of the control protocol, for the handlers of operations.
 */
#ifndef AGENT_REPLY_H
#define AGENT_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "agent/operation.h"
#include "base/buf.h"

/* A text of the request; "" when it is absent or no text. */
const char *request_text(const struct control_call *c, const char *name);
/* A whole number from min to max. Absent: `otherwise`. -EINVAL says what was expected. */
int request_int(const struct control_call *c, const char *name, int64_t min, int64_t max,
	int64_t otherwise, int64_t *out, struct err *e);
/* For whom it is, for people: "root", "web admin 192.0.2.1". */
void request_by(const struct control_call *c, char *to, size_t size);

/* Each adds a member, with a comma in front unless it is the first of its object or list. */
void reply_text(struct buf *b, const char *name, const char *value);
void reply_text_if(struct buf *b, const char *name, const char *value); /* not NULL, not "" */
void reply_int(struct buf *b, const char *name, int64_t value);
void reply_number(struct buf *b, const char *name, double value); /* null when not finite */
void reply_bool(struct buf *b, const char *name, bool value);
void reply_json(struct buf *b, const char *name, const json_t *value);
void reply_texts(struct buf *b, const char *name, const char *const *list, size_t n);
/* "name":[ and then one { for each, which the caller closes. */
void reply_open_list(struct buf *b, const char *name);
void reply_open_object(struct buf *b);

#endif
