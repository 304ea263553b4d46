/* SPDX-License-Identifier: Apache-2.0
 *
 * A container engine for tests: answers on a Unix socket from the test's own event loop with what
 * the test sets.
 */
#ifndef TESTS_UNIT_ENGINE_SERVER_H
#define TESTS_UNIT_ENGINE_SERVER_H

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"

enum { ENGINE_PEERS = 32 };

static struct {
	struct loop *loop;
	int fd;
	struct loop_fd *source;
	struct {
		int fd;
		struct loop_fd *source;
	} peers[ENGINE_PEERS];
	int stream; /* the descriptor of /events; -1: nobody listens */
	/* Set by the test. */
	const char *version, *list;
	const char *(*inspect)(const char *id); /* NULL answer: 404 */
	int list_status;
	/* Counted. */
	unsigned connections, lists, inspects, streams;
} engine_server;

static inline void engine_server_answer(int fd, int status, const char *body)
{
	char head[200];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", status,
		strlen(body));
	ck_assert_int_eq(write(fd, head, strlen(head)), (ssize_t)strlen(head));
	ck_assert_int_eq(write(fd, body, strlen(body)), (ssize_t)strlen(body));
}

static inline void engine_server_request(int fd, const char *path)
{
	static const char stream[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	const char *body;
	char id[100];

	if (strcmp(path, "/version") == 0) {
		engine_server_answer(fd, 200, engine_server.version);
	} else if (strncmp(path, "/containers/json", 16) == 0) {
		engine_server.lists++;
		engine_server_answer(fd,
			engine_server.list_status ? engine_server.list_status : 200,
			engine_server.list);
	} else if (strncmp(path, "/events", 7) == 0) {
		engine_server.streams++;
		engine_server.stream = fd;
		ck_assert_int_eq(write(fd, stream, strlen(stream)), (ssize_t)strlen(stream));
	} else if (sscanf(path, "/containers/%64[0-9a-f]/json", id) == 1) {
		engine_server.inspects++;
		body = engine_server.inspect ? engine_server.inspect(id) : NULL;
		engine_server_answer(fd, body ? 200 : 404, body ? body : "{}");
	} else {
		engine_server_answer(fd, 404, "{}");
	}
}

static inline void engine_server_hang_up(int fd)
{
	for (size_t i = 0; i < ENGINE_PEERS; i++) {
		if (engine_server.peers[i].source && engine_server.peers[i].fd == fd) {
			loop_remove_fd(engine_server.peers[i].source);
			engine_server.peers[i].source = NULL;
			(void)close(fd);
		}
	}
	if (engine_server.stream == fd)
		engine_server.stream = -1;
}

/* Requests have no body and arrive in one piece. */
static inline void engine_server_readable(void *user, int fd, uint32_t events)
{
	char text[4096], path[300];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	(void)user;
	(void)events;
	if (n <= 0) {
		engine_server_hang_up(fd);
		return;
	}
	text[n] = '\0';
	if (sscanf(text, "GET %299s", path) == 1)
		engine_server_request(fd, path);
}

static inline void engine_server_accept(void *user, int fd, uint32_t events)
{
	int peer = accept(fd, NULL, NULL);
	size_t i = 0;

	(void)user;
	(void)events;
	while (i < ENGINE_PEERS && engine_server.peers[i].source)
		i++;
	ck_assert_uint_lt(i, ENGINE_PEERS);
	engine_server.connections++;
	engine_server.peers[i].fd = peer;
	ck_assert_int_eq(loop_add_fd(engine_server.loop, peer, EPOLLIN, engine_server_readable,
				 NULL, &engine_server.peers[i].source, NULL),
		0);
}

/* A socket file at `path`; `listening` false: nobody answers there. */
static inline void engine_server_start(struct loop *loop, const char *path, bool listening)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	engine_server.loop = loop;
	engine_server.stream = -1;
	engine_server.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(bind(engine_server.fd, (struct sockaddr *)&un, sizeof(un)), 0);
	if (!listening)
		return;
	ck_assert_int_eq(listen(engine_server.fd, 16), 0);
	ck_assert_int_eq(loop_add_fd(loop, engine_server.fd, EPOLLIN, engine_server_accept, NULL,
				 &engine_server.source, NULL),
		0);
}

static inline void engine_server_stop(void)
{
	for (size_t i = 0; i < ENGINE_PEERS; i++)
		if (engine_server.peers[i].source)
			engine_server_hang_up(engine_server.peers[i].fd);
	loop_remove_fd(engine_server.source);
	engine_server.source = NULL;
	(void)close(engine_server.fd);
}

/* A piece of the stream of events. */
static inline void engine_server_event(const char *text)
{
	char head[32];

	ck_assert_int_ge(engine_server.stream, 0);
	(void)snprintf(head, sizeof(head), "%zx\r\n", strlen(text));
	ck_assert_int_eq(write(engine_server.stream, head, strlen(head)), (ssize_t)strlen(head));
	ck_assert_int_eq(write(engine_server.stream, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(write(engine_server.stream, "\r\n", 2), 2);
}

#endif
