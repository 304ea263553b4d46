/* SPDX-License-Identifier: Apache-2.0
 *
 * An app for the tests of deploys, as small as one can be: one static program that is the whole of an image. It answers
 * every request with its VERSION, and keeps connections.
 *
 *   web_app         at TERM it stops as an app should: what is asked gets its answer, then the connections close
 *   web_app abrupt  at TERM it is gone
 *   web_app 500     answers 500
 *   web_app crash   ends with status 3 after the first answer
 *   web_app late    answers well, and ends with status 3 after three seconds
 *   web_app eat     takes memory until it is stopped
 *   web_app deaf    listens to nothing
 *   web_app slow    takes 20 ms for an answer
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, ROOM = 8192 };

static struct pollfd fds[MOST]; /* the first listens */
static char *rooms[MOST];
static size_t used[MOST];
static nfds_t n = 1;
static volatile sig_atomic_t stopping;
static const char *mode = "", *version = "0";

static void on_term(int signo)
{
	(void)signo;
	if (strcmp(mode, "abrupt") == 0)
		_exit(0);
	stopping = 1;
}

static void on_alarm(int signo)
{
	static const char words[] = "out of luck\n";

	(void)signo;
	_exit(write(STDOUT_FILENO, words, sizeof(words) - 1) > 0 ? 3 : 4);
}

static void drop(nfds_t i)
{
	close(fds[i].fd);
	free(rooms[i]);
	n--;
	fds[i] = fds[n], rooms[i] = rooms[n], used[i] = used[n];
}

static int answer(nfds_t i, int last)
{
	char text[512];
	int ok = strcmp(mode, "500") != 0;
	int length = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s",
		ok ? "200 OK" : "500 Broken", strlen(version), last ? "Connection: close\r\n" : "",
		version);

	if (strcmp(mode, "slow") == 0)
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	return write(fds[i].fd, text, (size_t)length) == length ? 0 : -1;
}

/* Answers what is whole of the requests of a connection; the body of one is its Content-Length. 1: it closes. */
static int serve(nfds_t i)
{
	for (;;) {
		rooms[i][used[i]] = '\0';
		char *end = strstr(rooms[i], "\r\n\r\n");
		if (end == NULL)
			return 0;
		const char *said = strcasestr(rooms[i], "\r\nContent-Length:");
		size_t body = said != NULL && said < end ? strtoul(said + 17, NULL, 10) : 0;
		size_t whole = (size_t)(end + 4 - rooms[i]) + body;
		if (used[i] < whole)
			return 0;
		const char *close_it = strcasestr(rooms[i], "\r\nConnection: close");
		int last = stopping || (close_it != NULL && close_it < end);
		if (answer(i, last) < 0 || last)
			return 1;
		if (strcmp(mode, "crash") == 0) {
			printf("out of luck\n");
			exit(3);
		}
		memmove(rooms[i], rooms[i] + whole, used[i] - whole);
		used[i] -= whole;
	}
}

static void take(nfds_t i)
{
	ssize_t got = read(fds[i].fd, rooms[i] + used[i], ROOM - used[i]);

	if (got <= 0) {
		drop(i);
		return;
	}
	used[i] += (size_t)got;
	if (serve(i) || used[i] == ROOM)
		drop(i);
}

static void welcome(void)
{
	int fd;

	while (n < MOST && (fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		fds[n] = (struct pollfd){.fd = fd, .events = POLLIN};
		rooms[n] = malloc(ROOM + 1);
		used[n++] = 0;
	}
}

static int listen_on(const char *port)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 4096) < 0) {
		perror("web_app");
		exit(1);
	}
	return fd;
}

/* The first words of the app, then nothing but what its mode does. */
static void begin(void)
{
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("version %s begins %s\n", version, mode);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	if (strcmp(mode, "late") == 0)
		alarm(3);
	while (strcmp(mode, "deaf") == 0 && !stopping)
		pause();
	while (strcmp(mode, "eat") == 0 && !stopping)
		memset(malloc(1 << 20), 1, 1 << 20);
}

int main(int argc, char **argv)
{
	const char *port = getenv("PORT");

	mode = argc > 1 ? argv[1] : getenv("MODE") ? getenv("MODE") : "";
	version = getenv("VERSION") ? getenv("VERSION") : "0";
	begin();
	if (stopping)
		return 0;
	fds[0] = (struct pollfd){.fd = listen_on(port ? port : "8080"), .events = POLLIN};
	while (!stopping || n > 1) {
		int some = poll(fds, n, stopping ? 20 : -1);
		if (!stopping && some > 0 && fds[0].revents)
			welcome();
		for (nfds_t i = n; some > 0 && i-- > 1;)
			if (fds[i].revents)
				take(i);
		for (nfds_t i = n; stopping && i-- > 1;)
			if (used[i] == 0 && poll(&fds[i], 1, 0) == 0)
				drop(i);
	}
	return 0;
}
