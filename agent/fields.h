/* SPDX-License-Identifier: Apache-2.0
 *
 * One thing in full on a terminal: a name and its value a line. What is not known has no line. Pure but for the time of day.
 */
#ifndef AGENT_FIELDS_H
#define AGENT_FIELDS_H

#include <stdint.h>

#include "agent/term.h"
#include "base/buf.h"

enum { FIELDS_NAME_WIDTH = 12 };

void fields_text(const struct term *t, const char *name, const char *value, struct buf *out);
/* Local time; 0: not known. */
void fields_time(const struct term *t, const char *name, int64_t ms, struct buf *out);

#endif
