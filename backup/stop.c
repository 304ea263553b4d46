/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A signal handler has nothing but static storage to write to. */
static volatile sig_atomic_t requested;
static int event = -1;
static int held; /* how many hold it */

static void on_signal(int signo)
{
	int saved = errno;
	uint64_t one = 1;

	(void)signo;
	requested = 1;
	if (write(event, &one, sizeof(one)) < 0)
		requested = 1; /* the counter is full: it is readable already */
	errno = saved;
}

void stop_install(void)
{
	struct sigaction sa;

	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	/* Whoever started this process may have left it ignored: then no child's status would be kept. */
	sa.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &sa, NULL);
	/* Without SA_RESTART: what blocks returns. */
	sa.sa_handler = on_signal;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}

bool stop_requested(void)
{
	return requested && !held;
}

int stop_check(struct err *e)
{
	return stop_requested() ? err_set(e, ECANCELED, "stopped") : 0;
}

int stop_fd(void)
{
	return held ? -1 : event;
}

void stop_hold(bool on)
{
	held += on ? 1 : -1;
}

bool stop_is_held(void)
{
	return held;
}
