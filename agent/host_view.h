/* SPDX-License-Identifier: Apache-2.0
 *
 * The host in a few lines with bars: what `agent status` and `agent top` begin with. Pure.
 */
#ifndef AGENT_HOST_VIEW_H
#define AGENT_HOST_VIEW_H

#include <jansson.h>
#include <stddef.h>

#include "agent/term.h"
#include "base/buf.h"

enum { HOST_VIEW_COLUMNS_MIN = 40 }; /* t->columns must not be less */

/* "vps1  Debian GNU/Linux 12 (bookworm), 6.1.0-18-amd64, up 3d 4h". `host` is the answer to the
 * operation `host`, `now` Unix time. */
void host_view_title(const struct term *t, const json_t *host, int64_t now, struct buf *out);

/* CPU, memory, swap (when there is some), load, pressure (when known), network and disks: a line
 * each, ended by a newline. `entity` is the host's, NULL before the first sample. Returns the
 * number of lines. */
size_t host_view_lines(
	const struct term *t, const json_t *host, const json_t *entity, struct buf *out);

/* A line for each filesystem among the entities, the fullest first, at most `max`. Returns the
 * number of lines. */
size_t host_view_filesystems(
	const struct term *t, const json_t *entities, size_t max, struct buf *out);

#endif
