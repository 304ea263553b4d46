/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "tests/unit/turns.h"

static struct loop *loop;

static void start(void)
{
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
}

static void finish(void)
{
	loop_free(loop);
}

/* A pipe whose reading end is watched. */
struct watched {
	int fds[2];
	struct loop_fd *watch;
	int calls;
	uint32_t events;
	/* What to do when called. */
	struct watched *remove;
	struct watched *reopen;
	bool stop;
};

static void on_fd(void *user, int fd, uint32_t events);

static void open_watched(struct watched *w, bool readable)
{
	ck_assert_int_eq(pipe2(w->fds, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(loop_add_fd(loop, w->fds[0], EPOLLIN, on_fd, w, &w->watch, NULL), 0);
	if (readable)
		ck_assert_int_eq(write(w->fds[1], "x", 1), 1);
}

static void close_watched(struct watched *w)
{
	loop_remove_fd(w->watch);
	w->watch = NULL;
	(void)close(w->fds[0]);
	(void)close(w->fds[1]);
}

static void on_fd(void *user, int fd, uint32_t events)
{
	struct watched *w = user;
	char byte;

	ck_assert_int_eq(fd, w->fds[0]);
	ck_assert_ptr_nonnull(w->watch); /* a removed source is never called */
	w->calls++;
	w->events = events;
	if (events & EPOLLIN)
		ck_assert_int_eq(read(fd, &byte, 1), 1);
	if (w->remove)
		close_watched(w->remove);
	if (w->reopen)
		open_watched(w->reopen, false);
	w->remove = w->reopen = NULL;
	if (w->stop)
		loop_stop(loop, 42);
}

START_TEST(a_descriptor_that_is_ready_is_reported)
{
	struct watched w = {0};

	open_watched(&w, false);
	turn_idle(loop);
	ck_assert_int_eq(w.calls, 0);
	ck_assert_int_eq(write(w.fds[1], "xx", 2), 2);
	ck_assert_int_eq(loop_turn(loop, 1000, NULL), 0);
	ck_assert_int_eq(loop_turn(loop, 1000, NULL), 0);
	ck_assert_int_eq(w.calls, 2); /* what is left over is reported again */
	turn_idle(loop);
	ck_assert_int_eq(w.calls, 2);
	ck_assert_int_eq(close(w.fds[1]), 0);
	ck_assert_int_eq(loop_turn(loop, 1000, NULL), 0);
	ck_assert_uint_eq(w.events, EPOLLHUP);
	close_watched(&w);
}
END_TEST

START_TEST(what_is_waited_for_can_be_changed)
{
	struct watched w = {0};

	open_watched(&w, true);
	loop_change_fd(w.watch, 0);
	turn_idle(loop);
	ck_assert_int_eq(w.calls, 0);
	loop_change_fd(w.watch, EPOLLIN);
	turn_idle(loop);
	ck_assert_int_eq(w.calls, 1);
	close_watched(&w);
}
END_TEST

START_TEST(a_source_may_remove_itself)
{
	struct watched w = {0};

	open_watched(&w, true);
	w.remove = &w;
	turn_idle(loop);
	ck_assert_int_eq(w.calls, 1);
	ck_assert_ptr_null(w.watch);
}
END_TEST

/* Both are ready in the same turn; whichever comes first removes the other. */
START_TEST(a_removed_source_is_not_called_any_more)
{
	struct watched a = {0}, b = {0};

	open_watched(&a, true);
	open_watched(&b, true);
	a.remove = &b;
	b.remove = &a;
	turn_idle(loop);
	ck_assert_int_eq(a.calls + b.calls, 1);
	close_watched(a.calls ? &a : &b);
}
END_TEST

/* The new pipe gets the numbers of the one just closed, while an event of that is still waiting. */
START_TEST(a_number_used_again_is_not_mistaken_for_the_old_source)
{
	struct watched a = {0}, b = {0}, new = {0};

	open_watched(&a, true);
	open_watched(&b, true);
	a.remove = &b;
	b.remove = &a;
	a.reopen = b.reopen = &new;
	turn_idle(loop);
	ck_assert_int_eq(a.calls + b.calls, 1);
	ck_assert_int_eq(new.calls, 0);
	ck_assert_int_eq(write(new.fds[1], "x", 1), 1);
	turn_idle(loop);
	ck_assert_int_eq(new.calls, 1);
	close_watched(&new);
	close_watched(a.calls ? &a : &b);
}
END_TEST

START_TEST(many_ready_descriptors_all_get_their_turn)
{
	static struct watched w[200];

	for (int i = 0; i < 200; i++)
		open_watched(&w[i], true);
	turn_idle(loop);
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(w[i].calls, 1);
		close_watched(&w[i]);
	}
	loop_remove_fd(NULL);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_watched_is_an_error)
{
	struct loop_fd *w = NULL;
	struct err e = {""};
	int fd = open(
		"/dev/null", O_RDONLY | O_CLOEXEC); /* a file is always ready: epoll refuses it */

	ck_assert_int_eq(loop_add_fd(loop, fd, EPOLLIN, on_fd, NULL, &w, &e), -EPERM);
	ck_assert_ptr_null(w);
	ck_assert_str_ne(e.msg, "");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(loop_add_fd(loop, fd, EPOLLIN, on_fd, NULL, &w, &e), -EBADF);
}
END_TEST

START_TEST(running_ends_with_the_result_given)
{
	struct watched w = {.stop = true};

	open_watched(&w, true);
	ck_assert_int_eq(loop_run(loop, NULL), 42);
	ck_assert_int_eq(write(w.fds[1], "x", 1), 1);
	ck_assert_int_eq(loop_run(loop, NULL), 42); /* and can begin again */
	close_watched(&w);
}
END_TEST

/* A timer that writes down when it ran. */
struct ticking {
	struct loop_timer *t;
	char name;
	int calls;
	int again; /* starts itself anew so often, with no delay */
	struct ticking *free_other;
};

static char ran[64];

static void on_tick(void *user)
{
	struct ticking *x = user;
	size_t n = strlen(ran);

	x->calls++;
	ck_assert(!loop_timer_is_running(x->t));
	if (n + 1 < sizeof(ran)) {
		ran[n] = x->name;
		ran[n + 1] = '\0';
	}
	if (x->again-- > 0)
		loop_timer_at(x->t, 0);
	if (x->free_other) {
		loop_timer_free(x->free_other->t);
		x->free_other->t = NULL;
	}
}

static void make_timer(struct ticking *x, char name)
{
	*x = (struct ticking){.name = name};
	x->t = loop_timer_new(loop, on_tick, x);
	ran[0] = '\0';
}

START_TEST(a_timer_runs_once_and_not_early)
{
	struct ticking a;
	int64_t start_ms = clock_mono_ms();

	make_timer(&a, 'a');
	ck_assert(!loop_timer_is_running(a.t));
	loop_timer_after(a.t, 50);
	ck_assert(loop_timer_is_running(a.t));
	TURN_UNTIL(loop, a.calls);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 50);
	turn_idle(loop);
	ck_assert_int_eq(a.calls, 1);
	loop_timer_free(a.t);
}
END_TEST

START_TEST(timers_run_in_the_order_of_their_times)
{
	struct ticking x[5];
	static const int at[] = {30, 10, 40, 20, 10};
	int64_t now = clock_mono_ms();

	for (int i = 0; i < 5; i++) {
		make_timer(&x[i], (char)('a' + i));
		loop_timer_at(x[i].t, now - 1000 + at[i]);
	}
	turn_idle(loop);
	ck_assert_str_eq(ran, "bedac");
	for (int i = 0; i < 5; i++)
		loop_timer_free(x[i].t);
}
END_TEST

START_TEST(a_timer_can_be_moved_and_stopped)
{
	struct ticking a, b;

	make_timer(&a, 'a');
	make_timer(&b, 'b');
	loop_timer_after(a.t, 0);
	loop_timer_after(b.t, 0);
	loop_timer_after(a.t, 100000);
	loop_timer_stop(b.t);
	loop_timer_stop(b.t);
	turn_idle(loop);
	ck_assert_str_eq(ran, "");
	loop_timer_after(a.t, 0);
	turn_idle(loop);
	ck_assert_str_eq(ran, "a");
	loop_timer_free(a.t);
	loop_timer_free(b.t);
	loop_timer_free(NULL);
}
END_TEST

START_TEST(a_timer_that_starts_itself_anew_holds_up_nothing)
{
	struct ticking greedy, other;
	struct watched w = {0};

	make_timer(&greedy, 'g');
	make_timer(&other, 'o');
	greedy.again = 1000000;
	loop_timer_at(greedy.t, 0);
	loop_timer_after(other.t, 0);
	open_watched(&w, true);
	turn_idle(loop);
	ck_assert_int_eq(other.calls, 1);
	ck_assert_int_eq(w.calls, 1);
	ck_assert_int_eq(greedy.calls, 20); /* once a turn */
	loop_timer_free(greedy.t);
	loop_timer_free(other.t);
	close_watched(&w);
}
END_TEST

START_TEST(a_timer_may_free_another_that_is_due)
{
	struct ticking a, b;

	make_timer(&a, 'a');
	make_timer(&b, 'b');
	a.free_other = &b;
	loop_timer_at(a.t, 1);
	loop_timer_at(b.t, 2);
	turn_idle(loop);
	ck_assert_str_eq(ran, "a");
	loop_timer_free(a.t);
}
END_TEST

START_TEST(a_far_timer_does_not_wake_the_loop)
{
	struct ticking a;
	int64_t start_ms = clock_mono_ms();

	make_timer(&a, 'a');
	loop_timer_after(a.t, INT64_MAX / 2);
	ck_assert_int_eq(loop_turn(loop, 50, NULL), 0);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 49);
	ck_assert_int_eq(a.calls, 0);
	loop_timer_free(a.t);
}
END_TEST

static Suite *loop_suite(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_descriptor_that_is_ready_is_reported);
	tcase_add_test(tc, what_is_waited_for_can_be_changed);
	tcase_add_test(tc, a_source_may_remove_itself);
	tcase_add_test(tc, a_removed_source_is_not_called_any_more);
	tcase_add_test(tc, a_number_used_again_is_not_mistaken_for_the_old_source);
	tcase_add_test(tc, many_ready_descriptors_all_get_their_turn);
	tcase_add_test(tc, a_descriptor_that_cannot_be_watched_is_an_error);
	tcase_add_test(tc, running_ends_with_the_result_given);
	tcase_add_test(tc, a_timer_runs_once_and_not_early);
	tcase_add_test(tc, timers_run_in_the_order_of_their_times);
	tcase_add_test(tc, a_timer_can_be_moved_and_stopped);
	tcase_add_test(tc, a_timer_that_starts_itself_anew_holds_up_nothing);
	tcase_add_test(tc, a_timer_may_free_another_that_is_due);
	tcase_add_test(tc, a_far_timer_does_not_wake_the_loop);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(loop_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
