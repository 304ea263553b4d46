/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail server for tests, in a process of its own, that says what the test wants. Everything it
 * is sent goes to the scratch file "session".
 */
#ifndef TESTS_UNIT_SMTP_SERVER_H
#define TESTS_UNIT_SMTP_SERVER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fork.h"
#include "tests/unit/scratch.h"

/* What it says to a line that begins so; "" is the greeting, "." the end of the message, "text" a
 * line of the message. "close" and "hang" are done, not said. */
struct smtp_rule {
	const char *begins, *answer;
};

struct smtp_server {
	int port;
	pid_t pid;
};

static inline void smtp_say(FILE *f, const struct smtp_rule *rules, const char *line)
{
	const char *answer = strncasecmp(line, "DATA", 4) == 0   ? "354 go on"
			     : strncasecmp(line, "QUIT", 4) == 0 ? "221 bye"
								 : "250 fine";

	for (; rules->begins; rules++) {
		if (strncasecmp(line, rules->begins, strlen(rules->begins)) == 0 &&
			(*rules->begins || !*line)) {
			answer = rules->answer;
			break;
		}
	}
	if (strcmp(answer, "close") == 0)
		_exit(0);
	while (strcmp(answer, "hang") == 0)
		(void)pause();
	(void)fprintf(f, "%s\r\n", answer);
	(void)fflush(f);
}

static inline void smtp_serve(int fd, const struct smtp_rule *rules)
{
	FILE *f = fdopen(fd, "r+"), *log = fopen(scratch_path("session"), "a");
	char line[5000];
	bool in_data = false;

	/* A failed test leaves nothing behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	smtp_say(f, rules, "");
	while (fgets(line, sizeof(line), f)) {
		(void)fputs(line, log);
		(void)fflush(log);
		line[strcspn(line, "\r\n")] = '\0';
		if (in_data && strcmp(line, ".") != 0) {
			if (rules->begins && strcmp(rules->begins, "text") == 0)
				smtp_say(f, rules, "text");
			continue;
		}
		in_data = strcasecmp(line, "DATA") == 0;
		smtp_say(f, rules, line);
		if (in_data && strcmp(line, "DATA") == 0)
			continue;
	}
	_exit(0);
}

/* `rules` end with an empty one. */
static inline struct smtp_server smtp_server_start(const struct smtp_rule *rules)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	struct smtp_server s;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	s.port = ntohs(in.sin_port);
	s.pid = fork_in_test();
	if (s.pid == 0) {
		(void)setpgid(0, 0);
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			if (fork() == 0)
				smtp_serve(peer, rules);
			(void)close(peer);
		}
	}
	(void)setpgid(s.pid, s.pid);
	(void)close(fd);
	return s;
}

static inline void smtp_server_stop(struct smtp_server *s)
{
	(void)kill(-s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

/* What it was sent so far. */
static inline const char *smtp_session(void)
{
	static char text[100000];
	size_t n = scratch_has("session") ? scratch_read("session", text, sizeof(text) - 1) : 0;

	text[n] = '\0';
	return text;
}

#endif
