/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/net.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "backup/net_internal.h"
#include "backup/stop.h"
#include "base/clock.h"

int net_new(struct net **out, struct err *e)
{
	struct net *n;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, EIO, "libcurl cannot be used");
	n = calloc(1, sizeof(*n));
	if (!n || !(n->multi = curl_multi_init()))
		abort();
	*out = n;
	return 0;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	while (n->transfers)
		net_transfer_cancel(n->transfers);
	(void)curl_multi_cleanup(n->multi);
	free(n);
	curl_global_cleanup();
}

void net_timer_set(
	struct net *n, struct net_timer *t, int64_t delay_ms, void (*fn)(void *user), void *user)
{
	net_timer_clear(n, t);
	t->at_ms = clock_mono_ms() + delay_ms;
	t->fn = fn;
	t->user = user;
	t->is_set = true;
	t->next = n->timers;
	n->timers = t;
}

void net_timer_clear(struct net *n, struct net_timer *t)
{
	struct net_timer **at = &n->timers;

	if (!t->is_set)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->is_set = false;
}

static struct net_timer *next_timer(const struct net *n)
{
	struct net_timer *first = n->timers;

	for (struct net_timer *t = first; t; t = t->next)
		if (t->at_ms < first->at_ms)
			first = t;
	return first;
}

static void run_timers(struct net *n)
{
	struct net_timer *t;

	while ((t = next_timer(n)) && t->at_ms <= clock_mono_ms()) {
		net_timer_clear(n, t);
		t->fn(t->user);
	}
}

void net_turn(struct net *n)
{
	struct net_transfer *t;
	CURLMsg *m;
	int running, left;

	run_timers(n);
	if (curl_multi_perform(n->multi, &running) != CURLM_OK)
		abort();
	while ((m = curl_multi_info_read(n->multi, &left))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		net_transfer_finish(t, m->data.result);
	}
}

static bool is_ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&p, 1, 0) == 1;
}

/* Until a transfer can move on, a timer is due, fd is readable, a stop is requested, or the time is over (-1: no limit). */
static void wait_once(struct net *n, int fd, int64_t timeout_ms, bool hears_stop)
{
	struct curl_waitfd extra[2];
	const struct net_timer *t = next_timer(n);
	unsigned used = 0;
	int64_t until = t ? t->at_ms - clock_mono_ms() : INT_MAX;

	if (timeout_ms >= 0 && timeout_ms < until)
		until = timeout_ms;
	if (fd >= 0)
		extra[used++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
	if (hears_stop && stop_fd() >= 0)
		extra[used++] = (struct curl_waitfd){.fd = stop_fd(), .events = CURL_WAIT_POLLIN};
	if (until > 0)
		(void)curl_multi_poll(
			n->multi, extra, used, (int)(until < INT_MAX ? until : INT_MAX), NULL);
}

int net_wait(struct net *n, int fd, int timeout_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms, left;
	int r;

	for (;;) {
		r = stop_check(e);
		if (r < 0)
			return r;
		net_turn(n);
		if (fd < 0 || is_ready(fd))
			return 1;
		left = timeout_ms < 0 ? -1 : deadline - clock_mono_ms();
		if (timeout_ms >= 0 && left <= 0)
			return 0;
		wait_once(n, fd, left, true);
	}
}

int net_step(struct net *n, struct err *e)
{
	int r = stop_check(e);

	if (r < 0)
		return r;
	wait_once(n, -1, -1, true);
	net_turn(n);
	return 0;
}

static void on_pause_end(void *user)
{
	*(bool *)user = true;
}

int net_pause(struct net *n, int64_t ms, bool cleans_up, struct err *e)
{
	struct net_timer t = {.is_set = false};
	bool over = false;
	int r;

	net_timer_set(n, &t, ms, on_pause_end, &over);
	r = net_run(n, &over, cleans_up, e);
	net_timer_clear(n, &t);
	return r;
}

int net_run(struct net *n, const bool *done, bool cleans_up, struct err *e)
{
	int r;

	for (;;) {
		r = cleans_up ? 0 : stop_check(e);
		if (r < 0)
			return r;
		net_turn(n);
		if (*done)
			return 0;
		wait_once(n, -1, -1, !cleans_up);
	}
}
