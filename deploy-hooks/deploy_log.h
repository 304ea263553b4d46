/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of one deploy: what its hooks print. Lines "2026-11-21T03:00:00Z build | text"; head and tail are kept when
 * there is too much; secrets are masked; escape sequences are dropped, and other bytes that are no text are shown as
 * \x00. Read by offset, so that a follower can go on where it was.
 *
 * An offset is the same for ever: what is left out in the middle becomes a hole in the file, which takes no space on the disk. On
 * a file system without holes the end is left out instead.
 */
#ifndef DEPLOY_HOOKS_DEPLOY_LOG_H
#define DEPLOY_HOOKS_DEPLOY_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

enum {
	DEPLOY_LOG_HEAD_BYTES = 4 << 20,
	DEPLOY_LOG_TAIL_BYTES = 4 << 20,
	DEPLOY_LOG_STEP_BYTES = 1 << 20, /* the tail may be longer by this much */
	DEPLOY_LOG_LINE_MAX = 4096, /* a longer one is cut into several */
};

struct deploy_log;

/* STATE/deploys/APP/ID.log, 0600; goes on where it ended. Makes its folder. */
int deploy_log_open(const char *path, struct deploy_log **out, struct err *e);
/* Each line of at least 8 bytes; also as base64 and percent-encoded (mask.h). Copied, wiped at the end. */
void deploy_log_hide(struct deploy_log *l, const char *secret);
/* Bytes as they come; lines are put together. */
void deploy_log_add(
	struct deploy_log *l, const char *stage, const void *data, size_t n, int64_t now_ms);
/* The hook has ended: a last line without an end is one all the same. */
void deploy_log_flush(struct deploy_log *l, int64_t now_ms);
/* Lines of the agent's own. */
void deploy_log_say(struct deploy_log *l, const char *stage, const char *text, int64_t now_ms);
uint64_t deploy_log_size(const struct deploy_log *l); /* the next offset */
void deploy_log_close(struct deploy_log *l); /* NULL is fine */
DEFINE_CLEANUP(struct deploy_log *, deploy_log_close);

/* Adds whole lines from `offset` on, as far as they fit into `out` (at least 64 KiB), and sets *next to where to go on; nothing is added at the
 * end. Where something was left out a line says how much. -ENOENT. */
int deploy_log_read(
	const char *path, uint64_t offset, struct buf *out, uint64_t *next, struct err *e);

#endif
