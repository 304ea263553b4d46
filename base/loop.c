/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/clock.h"

enum { EVENTS_PER_TURN = 64 };

struct loop_fd {
	struct loop *loop;
	int fd;
	loop_fd_fn fn; /* NULL: removed, freed at the end of the turn */
	void *user;
	struct loop_fd *next_dead;
};

/* The running timers form a list sorted by time: there are a few dozen of them at most. */
struct loop_timer {
	struct loop *loop;
	loop_timer_fn fn;
	void *user;
	int64_t at_ms;
	bool running;
	uint64_t started_in; /* number of the turn */
	struct loop_timer *prev, *next;
};

struct watched_child {
	pid_t pid; /* 0: free slot */
	loop_child_fn fn;
	void *user;
};

struct loop {
	int epoll_fd;
	int signal_fd;
	struct loop_fd *signal_watch;
	sigset_t old_mask;
	struct loop_fd *dead;
	struct loop_timer *timers;
	struct watched_child *children;
	size_t n_children;
	loop_signal_fn on_signal;
	void *signal_user;
	uint64_t turn;
	bool stopped;
	int result;
};

static void *xalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

static void reap(struct loop *l)
{
	for (size_t i = 0; i < l->n_children; i++) {
		struct watched_child c = l->children[i];
		int status;

		if (!c.pid || waitpid(c.pid, &status, WNOHANG) != c.pid)
			continue;
		l->children[i].pid = 0;
		c.fn(c.user, c.pid, status);
	}
}

static void on_signal_fd(void *user, int fd, uint32_t events)
{
	struct loop *l = user;
	struct signalfd_siginfo info;

	(void)events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(l);
		else if (l->on_signal)
			l->on_signal(l->signal_user, (int)info.ssi_signo);
	}
}

static int open_signals(struct loop *l, struct err *e)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, &l->old_mask) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0)
		return err_sys(e, "set up signals");
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd < 0)
		return err_sys(e, "signalfd");
	return loop_add_fd(l, l->signal_fd, EPOLLIN, on_signal_fd, l, &l->signal_watch, e);
}

int loop_new(struct loop **out, struct err *e)
{
	_cleanup_(loop_free_p) struct loop *l = xalloc(sizeof(*l));
	int r;

	l->signal_fd = -1;
	sigemptyset(&l->old_mask);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return err_sys(e, "epoll_create");
	r = open_signals(l, e);
	if (r < 0)
		return r;
	*out = TAKE_PTR(l);
	return 0;
}

static void free_dead(struct loop *l)
{
	while (l->dead) {
		struct loop_fd *w = l->dead;

		l->dead = w->next_dead;
		free(w);
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	loop_remove_fd(l->signal_watch);
	free_dead(l);
	if (l->signal_fd >= 0) {
		(void)close(l->signal_fd);
		(void)sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	}
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	free(l->children);
	free(l);
}

static struct loop_timer *first_due(const struct loop *l, int64_t now)
{
	struct loop_timer *t = l->timers;

	while (t && t->started_in == l->turn)
		t = t->next;
	return t && t->at_ms <= now ? t : NULL;
}

/* What is due when the turn begins runs once; a timer that starts itself again waits for the
 * next turn. */
static void run_timers(struct loop *l)
{
	int64_t now = clock_mono_ms();
	struct loop_timer *t;

	l->turn++;
	while (!l->stopped && (t = first_due(l, now))) {
		loop_timer_stop(t);
		t->fn(t->user);
	}
}

static int next_timeout(const struct loop *l, int timeout_ms)
{
	int64_t left;

	if (!l->timers)
		return timeout_ms;
	left = l->timers->at_ms - clock_mono_ms();
	if (left < 0)
		left = 0;
	if (left > 3600000)
		left = 3600000;
	return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : (int)left;
}

int loop_turn(struct loop *l, int timeout_ms, struct err *e)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(l->epoll_fd, events, EVENTS_PER_TURN, next_timeout(l, timeout_ms));

	if (n < 0 && errno != EINTR)
		return err_sys(e, "epoll_wait");
	for (int i = 0; i < n && !l->stopped; i++) {
		struct loop_fd *w = events[i].data.ptr;

		if (w->fn)
			w->fn(w->user, w->fd, events[i].events);
	}
	run_timers(l);
	free_dead(l);
	return 0;
}

int loop_run(struct loop *l, struct err *e)
{
	l->stopped = false;
	while (!l->stopped) {
		int r = loop_turn(l, -1, e);

		if (r < 0)
			return r;
	}
	return l->result;
}

void loop_stop(struct loop *l, int result)
{
	l->stopped = true;
	l->result = result;
}

void loop_resume(struct loop *l)
{
	l->stopped = false;
}

int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn, void *user,
	struct loop_fd **out, struct err *e)
{
	struct loop_fd *w = xalloc(sizeof(*w));
	struct epoll_event ev = {.events = events, .data.ptr = w};

	*w = (struct loop_fd){.loop = l, .fd = fd, .fn = fn, .user = user};
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int r = err_sys(e, "watch descriptor %d", fd);

		free(w);
		return r;
	}
	*out = w;
	return 0;
}

void loop_change_fd(struct loop_fd *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	int r = epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev);

	/* It fails only for a descriptor that was closed before loop_remove_fd(). */
	assert(r == 0);
	(void)r;
}

void loop_remove_fd(struct loop_fd *w)
{
	if (!w)
		return;
	assert(w->fn);
	(void)epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->fn = NULL;
	w->next_dead = w->loop->dead;
	w->loop->dead = w;
}

struct loop_timer *loop_timer_new(struct loop *l, loop_timer_fn fn, void *user)
{
	struct loop_timer *t = xalloc(sizeof(*t));

	*t = (struct loop_timer){.loop = l, .fn = fn, .user = user};
	return t;
}

void loop_timer_at(struct loop_timer *t, int64_t mono_ms)
{
	struct loop_timer **at = &t->loop->timers;
	struct loop_timer *prev = NULL;

	loop_timer_stop(t);
	t->at_ms = mono_ms;
	t->started_in = t->loop->turn;
	while (*at && (*at)->at_ms <= mono_ms) {
		prev = *at;
		at = &prev->next;
	}
	t->prev = prev;
	t->next = *at;
	if (t->next)
		t->next->prev = t;
	*at = t;
	t->running = true;
}

void loop_timer_after(struct loop_timer *t, int64_t delay_ms)
{
	loop_timer_at(t, clock_mono_ms() + delay_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
	if (!t->running)
		return;
	if (t->prev)
		t->prev->next = t->next;
	else
		t->loop->timers = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->prev = t->next = NULL;
	t->running = false;
}

bool loop_timer_is_running(const struct loop_timer *t)
{
	return t->running;
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	loop_timer_stop(t);
	free(t);
}

void loop_on_signal(struct loop *l, loop_signal_fn fn, void *user)
{
	l->on_signal = fn;
	l->signal_user = user;
}

void loop_watch_child(struct loop *l, pid_t pid, loop_child_fn fn, void *user)
{
	size_t i = 0;

	while (i < l->n_children && l->children[i].pid)
		i++;
	if (i == l->n_children) {
		l->children = realloc(l->children, (i + 1) * sizeof(*l->children));
		if (!l->children)
			abort();
		l->n_children++;
	}
	l->children[i] = (struct watched_child){pid, fn, user};
	/* It may have ended before it was registered: its signal is then already consumed. */
	(void)kill(getpid(), SIGCHLD);
}

void loop_forget_child(struct loop *l, pid_t pid)
{
	for (size_t i = 0; i < l->n_children; i++)
		if (l->children[i].pid == pid)
			l->children[i].pid = 0;
}
