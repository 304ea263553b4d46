/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTPS server for tests (openssl s_server), with a certificate of its own authority.
 */
#ifndef TESTS_UNIT_TLS_SERVER_H
#define TESTS_UNIT_TLS_SERVER_H

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fork.h"
#include "tests/unit/scratch.h"

struct tls_server {
	pid_t pid;
	int port;
};

/* Runs openssl to its end, quietly. */
static inline void tls_openssl(const char *const *argv)
{
	pid_t pid = fork_in_test();
	int status;
	if (pid == 0) {
		if (!freopen(scratch_path("openssl.log"), "a", stderr))
			_exit(126);
		(void)execvp("openssl", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "openssl %s: status %d", argv[1], status);
}

/* NAME.pem and NAME.key in the scratch folder, a certificate for that subject name and itself its
 * authority. */
static inline void tls_make_certificate(const char *name, const char *alt_name)
{
	char key[600], pem[600], alt[200], file[64];

	(void)snprintf(file, sizeof(file), "%s.key", name);
	(void)snprintf(key, sizeof(key), "%s", scratch_path(file));
	(void)snprintf(file, sizeof(file), "%s.pem", name);
	(void)snprintf(pem, sizeof(pem), "%s", scratch_path(file));
	(void)snprintf(alt, sizeof(alt), "subjectAltName=%s", alt_name);
	tls_openssl((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
		"-addext", alt, "-keyout", key, "-out", pem, NULL});
}

/* Answers every request with a page. Ready for connections on return. */
static inline struct tls_server tls_server_start(const char *name)
{
	char key[64], pem[64], line[200];
	struct tls_server s = {0, 0};
	int fds[2];
	FILE *out;

	(void)snprintf(key, sizeof(key), "%s.key", name);
	(void)snprintf(pem, sizeof(pem), "%s.pem", name);
	ck_assert_int_eq(pipe(fds), 0);
	s.pid = fork_in_test();
	if (s.pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		if (!freopen(scratch_path("openssl.log"), "a", stderr))
			_exit(126);
		(void)execlp("openssl", "openssl", "s_server", "-www", "-accept", "127.0.0.1:0",
			"-key", scratch_path(key), "-cert", scratch_path(pem), (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	out = fdopen(fds[0], "r");
	while (!s.port && fgets(line, sizeof(line), out))
		if (strncmp(line, "ACCEPT ", 7) == 0)
			s.port = atoi(strrchr(line, ':') + 1);
	(void)fclose(out);
	ck_assert_int_gt(s.port, 0);
	return s;
}

static inline void tls_server_stop(struct tls_server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

#endif
