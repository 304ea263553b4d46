/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop: one thread, one epoll. Descriptors, timers, signals and children of a process all
 * end up here as callbacks. Callbacks run one at a time, must not block, and may add or remove any
 * source, their own included; a removed source is never called again.
 *
 * Signals are taken by a signalfd: loop_new() blocks SIGCHLD, SIGHUP, SIGINT, SIGTERM and ignores
 * SIGPIPE.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

struct loop;
struct loop_fd;
struct loop_timer;

typedef void (*loop_fd_fn)(void *user, int fd, uint32_t events);
typedef void (*loop_timer_fn)(void *user);
typedef void (*loop_signal_fn)(void *user, int signo);
/* `status` is that of waitpid(2). */
typedef void (*loop_child_fn)(void *user, pid_t pid, int status);

int loop_new(struct loop **out, struct err *e);
void loop_free(struct loop *l);
DEFINE_CLEANUP(struct loop *, loop_free);

/* Runs until loop_stop(); returns the value given there, or a negative errno when epoll itself
 * fails. */
int loop_run(struct loop *l, struct err *e);
/* One turn: waits at most timeout_ms (-1: for ever) and calls what is due. */
int loop_turn(struct loop *l, int timeout_ms, struct err *e);
void loop_stop(struct loop *l, int result);
/* After loop_stop() turns call nothing; this lets the owner take some more, to see something end. */
void loop_resume(struct loop *l);

/* Watches fd for EPOLLIN/EPOLLOUT/... The caller keeps the descriptor and removes the watch
 * before it closes it. */
int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn, void *user,
	struct loop_fd **out, struct err *e);
void loop_change_fd(struct loop_fd *w, uint32_t events);
void loop_remove_fd(struct loop_fd *w); /* NULL is fine */

/* A timer, not running yet. Aborts without memory. */
struct loop_timer *loop_timer_new(struct loop *l, loop_timer_fn fn, void *user);
/* Fires once at or after that monotonic time / after that delay; starting again moves it. */
void loop_timer_at(struct loop_timer *t, int64_t mono_ms);
void loop_timer_after(struct loop_timer *t, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_is_running(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */
DEFINE_CLEANUP(struct loop_timer *, loop_timer_free);

/* Called for each SIGHUP, SIGINT, SIGTERM. One handler for the loop. */
void loop_on_signal(struct loop *l, loop_signal_fn fn, void *user);

/* Calls fn once when the child `pid` of this process has ended. Only pids registered here are
 * ever reaped. */
void loop_watch_child(struct loop *l, pid_t pid, loop_child_fn fn, void *user);
void loop_forget_child(struct loop *l, pid_t pid);

#endif
