/* SPDX-License-Identifier: Apache-2.0
 *
 * As much of HTTP/1.1 (RFC 9112) as a container engine speaks on its Unix socket: one request a connection, answers with a length,
 * in chunks, to the end of the connection, or switched to a plain stream. libcurl cannot hand over the stream after such a
 * switch, and what is left to do is this little. The parsers are pure. Internal to docker*.c.
 */
#ifndef BACKUP_DOCKER_HTTP_H
#define BACKUP_DOCKER_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum { DOCKER_HEAD_MAX = 32 * 1024 };

struct docker_head {
	int status;
	bool chunked;
	int64_t length; /* -1: not told */
	size_t bytes; /* of the head itself, with its empty line */
};

/* 1: it is whole; 0: more must come; -EBADMSG. */
int docker_head_parse(const char *text, size_t n, struct docker_head *out, struct err *e);

/* Chunks as they come in pieces of any size; zeroed at the start. */
struct docker_chunks {
	int state;
	uint64_t left;
	unsigned digits, line; /* of the size, and bytes of the line */
	bool done;
};
/* Appends what they hold. Bytes after the last chunk are left alone. -EBADMSG. */
int docker_chunks_add(
	struct docker_chunks *c, const char *data, size_t n, struct buf *out, struct err *e);

/* --- the connection; `until` is monotonic (clock_mono_ms()), 0: no limit. After a request to stop it is at most 10 s. */

int docker_connect(const char *socket, struct err *e); /* the descriptor, or a negative errno */
int docker_send(int fd, const void *data, size_t n, int64_t until, struct err *e);
/* At least one byte; 0 at the end. `flags` of recv(2). */
ssize_t docker_recv(int fd, void *to, size_t n, int flags, int64_t until, struct err *e);
/* With `upgrade` it asks for the switch to a stream. `body` may be NULL. */
int docker_send_request(int fd, const char *method, const char *path, const json_t *body,
	bool upgrade, int64_t until, struct err *e);
/* Takes the head of an answer and nothing behind it. */
int docker_recv_head(int fd, struct docker_head *out, int64_t until, struct err *e);
/* The body of an answer, whole; -EBADMSG when it is cut short, -EFBIG past out->max. */
int docker_recv_body(
	int fd, const struct docker_head *head, struct buf *out, int64_t until, struct err *e);

#endif
