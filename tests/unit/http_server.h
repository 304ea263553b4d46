/* SPDX-License-Identifier: Apache-2.0
 *
 * A tiny HTTP server for tests, in a process of its own: canned answers by path, good and bad ones.
 * One process a connection, so that an answer that never ends holds up nothing.
 */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fork.h"

struct http_server {
	pid_t pid;
	int port; /* 0 on a Unix socket */
};

static inline void http_server_put(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(0);
}

/* Waits until the client has gone. */
static inline void http_server_hang(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		continue;
	_exit(0);
}

static inline void http_server_answer(int fd, const char *body)
{
	char head[200];

	(void)snprintf(head, sizeof(head),
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
		strlen(body));
	http_server_put(fd, head);
	http_server_put(fd, body);
}

static inline void http_server_flood(int fd, const char *head, const char *piece)
{
	http_server_put(fd, head);
	for (;;)
		http_server_put(fd, piece);
}

/* Answers what does not need more than a fixed text. Returns false for other paths. */
static inline bool http_server_canned(int fd, const char *path)
{
	static const struct {
		const char *path, *answer;
		bool then_close;
	} answers[] = {
		{"/busy",
			"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n"
			"Content-Length: 5\r\n\r\nlater",
			false},
		{"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", false},
		{"/none", "HTTP/1.1 204 No Content\r\n\r\n", false},
		{"/redirect", "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n",
			false},
		{"/chunked",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"3\r\nabc\r\n1;x=y\r\nd\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
			false},
		{"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", true},
		{"/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
			true},
		{"/nothing", "", true},
		{"/no-http", "SSH-2.0-OpenSSH\r\n\r\n", true},
		{"/until-close", "HTTP/1.0 200 OK\r\n\r\nall of it", true},
		{"/said-to-be-big", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx", true},
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		if (strcmp(path, answers[i].path) != 0)
			continue;
		http_server_put(fd, answers[i].answer);
		if (answers[i].then_close)
			_exit(0);
		return true;
	}
	return false;
}

static inline void http_server_respond(int fd, const char *request, const char *path, int n)
{
	char text[100];

	if (http_server_canned(fd, path))
		return;
	if (strcmp(path, "/echo") == 0) {
		http_server_answer(fd, request);
	} else if (strcmp(path, "/stream") == 0) {
		http_server_put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "6\r\nevent1\r\n");
		http_server_hang(fd);
	} else if (strcmp(path, "/hang") == 0) {
		http_server_hang(fd);
	} else if (strcmp(path, "/flood") == 0) {
		http_server_flood(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			"a\r\n0123456789\r\n");
	} else if (strcmp(path, "/headers") == 0) {
		http_server_flood(fd, "HTTP/1.1 200 OK\r\n", "X-More: 0123456789abcdef\r\n");
	} else {
		(void)snprintf(text, sizeof(text), "hello from connection %d", n);
		http_server_answer(fd, text);
	}
}

/* Requests of one connection, one after the other. Head and body arrive in any pieces. */
static inline void http_server_serve(int fd, int n)
{
	char request[20000], path[200];
	size_t len = 0, whole = 0;

	/* A failed test leaves nothing behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		ssize_t r = recv(fd, request + len, sizeof(request) - 1 - len, 0);
		const char *end, *length;

		if (r <= 0)
			_exit(0);
		len += (size_t)r;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
		length = strcasestr(request, "Content-Length:");
		if (!end)
			continue;
		whole = (size_t)(end - request) + 4 +
			(length && length < end ? (size_t)atoi(length + 15) : 0);
		if (len < whole || sscanf(request, "%*s %199s", path) != 1)
			continue;
		http_server_respond(fd, request, path, n);
		len = 0;
	}
}

static inline void http_server_accept(int fd)
{
	struct sigaction reap = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGCHLD, &reap, NULL);
	(void)setpgid(0, 0);
	for (int n = 1;; n++) {
		int peer = accept(fd, NULL, NULL);

		if (fork() == 0) {
			(void)close(fd);
			http_server_serve(peer, n);
		}
		(void)close(peer);
	}
}

/* On a port of its own of 127.0.0.1, or on a Unix socket. Ready for connections on return. */
static inline struct http_server http_server_start(const char *unix_path)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct http_server s = {0, 0};
	socklen_t len = sizeof(in);
	int fd = socket(unix_path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	if (unix_path) {
		(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", unix_path);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	} else {
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
		ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
		s.port = ntohs(in.sin_port);
	}
	ck_assert_int_eq(listen(fd, 64), 0);
	s.pid = fork_in_test();
	if (s.pid == 0)
		http_server_accept(fd);
	(void)setpgid(s.pid, s.pid);
	(void)close(fd);
	return s;
}

static inline void http_server_stop(struct http_server *s)
{
	(void)kill(-s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

#endif
