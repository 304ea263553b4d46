/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider for tests of the sender: an HTTP server on the test's own loop that keeps what it gets
 * and answers as it is told.
 */
#ifndef TESTS_UNIT_PROVIDER_H
#define TESTS_UNIT_PROVIDER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/loop.h"

enum { PROVIDER_HANG = 0, PROVIDER_CUT = -1, PROVIDER_PEERS = 64 };

struct provider_peer {
	int fd;
	struct loop_fd *watch;
	struct buf in;
};

static struct provider_server {
	struct loop *loop;
	int fd, port;
	struct loop_fd *watch;
	struct provider_peer peers[PROVIDER_PEERS];
	/* What it answers: a status, or one of the above. NULL: `status` to all. */
	int (*decide)(const char *path, const char *body);
	int status;
	const char *text; /* of the answer; NULL: "ok" */
	int retry_after_s; /* 0: not said */
	/* Bodies it got, whatever it answered. */
	char **got;
	char **paths;
	size_t n_got;
	char head[4000]; /* of the last request */
} provider;

static inline void provider_drop(struct provider_peer *p)
{
	loop_remove_fd(p->watch);
	(void)close(p->fd);
	buf_done(&p->in);
	memset(p, 0, sizeof(*p));
	p->fd = -1;
}

static inline void provider_keep(const char *path, const char *body)
{
	provider.got = realloc(provider.got, (provider.n_got + 1) * sizeof(char *));
	provider.paths = realloc(provider.paths, (provider.n_got + 1) * sizeof(char *));
	ck_assert_ptr_nonnull(provider.got);
	ck_assert_ptr_nonnull(provider.paths);
	provider.got[provider.n_got] = strdup(body);
	provider.paths[provider.n_got++] = strdup(path);
}

static inline void provider_answer(struct provider_peer *p, const char *path, const char *body)
{
	int status = provider.decide ? provider.decide(path, body) : provider.status;
	const char *text = provider.text ? provider.text : "ok";
	char answer[2000], retry[60] = "";
	int n;

	provider_keep(path, body);
	if (status == PROVIDER_CUT)
		provider_drop(p);
	if (status <= 0)
		return;
	if (provider.retry_after_s)
		(void)snprintf(retry, sizeof(retry), "Retry-After: %d\r\n", provider.retry_after_s);
	n = snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s",
		status, retry, strlen(text), text);
	ck_assert_int_eq(send(p->fd, answer, (size_t)n, MSG_NOSIGNAL), n);
}

static inline void provider_read(void *user, int fd, uint32_t events)
{
	struct provider_peer *p = user;
	char piece[65536], path[200];
	ssize_t n = recv(fd, piece, sizeof(piece), 0);
	const char *end, *length;
	size_t head;

	(void)events;
	if (n <= 0) {
		provider_drop(p);
		return;
	}
	buf_add(&p->in, piece, (size_t)n);
	end = strstr(p->in.data, "\r\n\r\n");
	length = strcasestr(p->in.data, "Content-Length:");
	if (!end)
		return;
	head = (size_t)(end - p->in.data) + 4;
	if (p->in.len < head + (length && length < end ? (size_t)atol(length + 15) : 0))
		return;
	ck_assert_int_eq(sscanf(p->in.data, "%*s %199s", path), 1);
	ck_assert_uint_lt(head, sizeof(provider.head));
	memcpy(provider.head, p->in.data, head);
	provider.head[head] = '\0';
	memmove(p->in.data, p->in.data + head, p->in.len - head + 1);
	p->in.len -= head;
	char *body = buf_take(&p->in);
	provider_answer(p, path, body);
	free(body);
}

static inline void provider_accept(void *user, int fd, uint32_t events)
{
	struct provider_peer *p = provider.peers;

	(void)user;
	(void)events;
	while (p->fd >= 0)
		p++;
	ck_assert(p < provider.peers + PROVIDER_PEERS);
	p->fd = accept(fd, NULL, NULL);
	ck_assert_int_ge(p->fd, 0);
	buf_init(&p->in, 1024 * 1024);
	ck_assert_int_eq(
		loop_add_fd(provider.loop, p->fd, EPOLLIN, provider_read, p, &p->watch, NULL), 0);
}

static inline void provider_start(struct loop *l)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);

	memset(&provider, 0, sizeof(provider));
	for (int i = 0; i < PROVIDER_PEERS; i++)
		provider.peers[i].fd = -1;
	provider.loop = l;
	provider.status = 200;
	provider.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(provider.fd, 0);
	ck_assert_int_eq(bind(provider.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(getsockname(provider.fd, (struct sockaddr *)&in, &len), 0);
	provider.port = ntohs(in.sin_port);
	ck_assert_int_eq(listen(provider.fd, 64), 0);
	ck_assert_int_eq(
		loop_add_fd(l, provider.fd, EPOLLIN, provider_accept, NULL, &provider.watch, NULL),
		0);
}

static inline void provider_stop(void)
{
	for (int i = 0; i < PROVIDER_PEERS; i++)
		if (provider.peers[i].fd >= 0)
			provider_drop(&provider.peers[i]);
	loop_remove_fd(provider.watch);
	(void)close(provider.fd);
	for (size_t i = 0; i < provider.n_got; i++) {
		free(provider.got[i]);
		free(provider.paths[i]);
	}
	free(provider.got);
	free(provider.paths);
}

#endif
