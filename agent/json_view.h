/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of a JSON object that may be absent. All borrowed.
 */
#ifndef AGENT_JSON_VIEW_H
#define AGENT_JSON_VIEW_H

#include <jansson.h>

const char *json_view_text(const json_t *object, const char *name); /* "" when absent */
json_int_t json_view_int(const json_t *object, const char *name); /* 0 when absent */
/* "a, b" of an array of texts; "" when it is empty. */
struct buf;
void json_view_join(const json_t *object, const char *name, struct buf *out);

#endif
