/* SPDX-License-Identifier: Apache-2.0
 *
 * cgroups N: makes N cgroups that look like Docker containers in the real hierarchy (v1 or v2),
 * with one sleeping process in a network namespace of its own in each. Prints "ready" and waits for
 * the end of its standard input; then kills its own children and removes what it made. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

static const char *const controllers[] = {"cpu", "cpuacct", "memory", "blkio", "pids"};
enum { N_CONTROLLERS = sizeof(controllers) / sizeof(*controllers), MEMORY = 256 * 1024 };

static bool unified;

/* Folder number i below controller c (v2: c is 0 and there is one tree). */
static void folder(char *to, size_t size, int c, int i)
{
	if (unified)
		(void)snprintf(to, size, ROOT "/system.slice/docker-%08x%056x.scope",
			0xbe7c0000U + (unsigned)i, i);
	else
		(void)snprintf(to, size, ROOT "/%s/docker/%08x%056x", controllers[c],
			0xbe7c0000U + (unsigned)i, i);
}

static int trees(void)
{
	return unified ? 1 : N_CONTROLLERS;
}

static bool make_folder(int c, int i)
{
	char path[256], parent[256];

	folder(path, sizeof(path), c, i);
	(void)snprintf(parent, sizeof(parent), ROOT "/%s/docker", controllers[c]);
	if (!unified)
		(void)mkdir(parent, 0755);
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

static bool join(int c, int i, pid_t pid)
{
	char path[320];
	FILE *f;

	folder(path, sizeof(path) - 16, c, i);
	(void)strncat(path, "/cgroup.procs", sizeof(path) - strlen(path) - 1);
	f = fopen(path, "we");
	if (!f)
		return false;
	(void)fprintf(f, "%d\n", (int)pid);
	return fclose(f) == 0;
}

/* Sleeps for ever, holding a little memory. */
static void sleeper(void)
{
	char *memory = malloc(MEMORY);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)unshare(CLONE_NEWNET);
	if (memory)
		memset(memory, 1, MEMORY);
	for (;;)
		(void)pause();
}

static pid_t make_one(int i)
{
	pid_t pid;

	for (int c = 0; c < trees(); c++)
		if (!make_folder(c, i))
			return -1;
	pid = fork();
	if (pid == 0)
		sleeper();
	for (int c = 0; pid > 0 && c < trees(); c++)
		(void)join(c, i, pid);
	return pid;
}

static void remove_one(int i, pid_t pid)
{
	char path[256];

	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	for (int c = 0; c < trees(); c++) {
		folder(path, sizeof(path), c, i);
		(void)rmdir(path);
	}
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
	pid_t *pids = calloc((size_t)n, sizeof(*pids));
	struct stat st;
	int made = 0;
	char c;

	unified = stat(ROOT "/cgroup.controllers", &st) == 0;
	for (int i = 0; pids && i < n; i++) {
		pids[i] = make_one(i);
		made += pids[i] > 0;
	}
	printf("ready %d\n", made);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	for (int i = 0; pids && i < n; i++)
		remove_one(i, pids[i]);
	free(pids);
	return made == n ? 0 : 1;
}
