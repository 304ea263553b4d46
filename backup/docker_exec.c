/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker_exec.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/container_processes.h"
#include "backup/docker_frames.h"
#include "backup/docker_http.h"
#include "backup/docker_internal.h"
#include "backup/exec_record.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	PIECE_BYTES = 32 * 1024,
	CODE_POLL_MS = 20, /* between two questions for the exit code */
	LATE_MS = 5000, /* for the engine to hear of an end */
};

struct docker_exec {
	struct running base;
	char *socket, *container_id, *container, *id;
	char mark[CONTAINER_MARK_SIZE];
	struct lease *record;
	char **left_over;
	struct docker_frames frames;
	int fd; /* the stream; -1: never started */
	bool ended; /* the stream */
	/* It ended by itself with 0. Of other codes Docker knows nothing: 126 is also what it says, with "not running", when it lost
	 * the stream of a program that goes on. */
	bool over;
	bool input_open;
};

static struct docker_exec *self(struct running *r)
{
	return (struct docker_exec *)(void *)r;
}

/* --- the stream */

/* Waits for the stream, at most left_ms; takes no more than that from anybody. */
static void wait_stream(struct docker_exec *x, short events, int left_ms)
{
	struct pollfd fds[2] = {{x->fd, events, 0}, {stop_fd(), POLLIN, 0}};

	(void)poll(fds, 2, left_ms);
}

static int stream_ended(struct docker_exec *x, struct err *e)
{
	x->ended = true;
	if (docker_frames_at_border(&x->frames))
		return 0;
	return err_set(e, EREMOTEIO, "%s: the stream from container %s was cut short", x->base.name,
		x->container);
}

/* One read of what is there. Bytes of stdout go to `to` when somebody reads; how many in *got. 1: something moved, 0: nothing is
 * there now, or it is the end. */
static int pump(struct docker_exec *x, void *to, size_t n, size_t *got, struct err *e)
{
	char bytes[PIECE_BYTES];
	size_t header = docker_frames_header(&x->frames);
	bool for_reader = !header && to && x->frames.stream == DOCKER_STDOUT;
	size_t want = header ? header : for_reader ? n : sizeof(bytes);
	ssize_t have;

	if (x->ended)
		return 0;
	if (!header && want > x->frames.left)
		want = x->frames.left;
	have = recv(x->fd, for_reader ? to : bytes, want, MSG_DONTWAIT);
	if (have < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (have <= 0)
		return stream_ended(x, e);
	if (header) {
		int r = docker_frames_add_header(&x->frames, bytes, (size_t)have, e);

		return r < 0 ? r : 1;
	}
	if (for_reader)
		*got = (size_t)have;
	else if (x->frames.stream == DOCKER_STDOUT)
		running_add_stdout(&x->base, bytes, (size_t)have);
	else
		running_add_stderr(&x->base, bytes, (size_t)have);
	docker_frames_took(&x->frames, (size_t)have);
	return 1;
}

static int exec_fd(struct running *r)
{
	return self(r)->fd;
}

static ssize_t exec_read(struct running *r, void *to, size_t n, struct err *e)
{
	struct docker_exec *x = self(r);
	size_t got = 0;

	while (!x->ended) {
		int moved = pump(x, to, n, &got, e);

		if (moved < 0)
			return moved;
		if (got)
			return (ssize_t)got;
		if (moved || x->ended)
			continue;
		moved = running_check(r, e);
		if (moved < 0)
			return moved;
		wait_stream(x, POLLIN, running_left_ms(r));
	}
	return 0;
}

/* What it says is taken as it comes, so that neither side waits for the other. Negative: it must not go on. */
static int take_words(struct docker_exec *x, struct err *e)
{
	size_t got = 0;
	int r;

	do
		r = pump(x, NULL, 0, &got, e);
	while (r > 0);
	return r < 0 ? r : running_check(&x->base, e);
}

static ssize_t exec_write(struct running *r, const void *data, size_t n, struct err *e)
{
	struct docker_exec *x = self(r);

	for (;;) {
		ssize_t put;
		int bad = take_words(x, e);

		if (bad < 0)
			return bad;
		if (x->ended)
			return 0;
		put = send(x->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put > 0)
			return put;
		if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "%s: write", r->name);
		wait_stream(x, POLLIN | POLLOUT, running_left_ms(r));
	}
}

static void exec_close_input(struct running *r)
{
	struct docker_exec *x = self(r);

	if (x->input_open)
		(void)shutdown(x->fd, SHUT_WR);
	x->input_open = false;
}

/* --- the end */

static int inspect(struct docker_exec *x, json_t **out, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("/exec/%s/json", x->id);

	return docker_ask(x->socket, "GET", path, NULL, 0, out, e);
}

/* 1: it is over, and *code is its exit code; 0: it runs. */
static int ask_code(struct docker_exec *x, int *code, struct err *e)
{
	json_t *answer = NULL;
	const json_t *running, *exit_code;
	int r = inspect(x, &answer, e);

	if (r < 0)
		return r;
	running = json_object_get(answer, "Running");
	exit_code = json_object_get(answer, "ExitCode");
	if (json_is_false(running)) {
		r = json_is_integer(exit_code)
			    ? 1
			    : err_set(e, EREMOTEIO,
				      "%s: the container engine does not know how it ended",
				      x->base.name);
		*code = (int)json_integer_value(exit_code);
		x->over = r == 1 && *code == 0;
	}
	json_decref(answer);
	return r;
}

/* The runtime tells on stdout, as if it were data, that it could not start a program; so do shells with these codes. */
static void explain(struct docker_exec *x, int code)
{
	if ((code == 126 || code == 127) && !x->base.tail.len) {
		_cleanup_(free_p) char *text = str_format("it is not in container %s, or cannot be "
							  "started there, or its stream was cut",
			x->container);

		running_add_stderr(&x->base, text, strlen(text));
	}
}

static int wait_code(struct docker_exec *x, struct err *e)
{
	int64_t until = clock_mono_ms() + DOCKER_EXEC_CODE_MS;

	for (;;) {
		int code = 0;
		int r = ask_code(x, &code, e);

		if (r < 0)
			return r;
		if (r > 0) {
			x->base.status = W_EXITCODE(code & 0xff, 0);
			explain(x, code);
			return 0;
		}
		r = running_check(&x->base, e);
		if (r < 0)
			return r;
		if (clock_mono_ms() >= until)
			return err_set(e, EREMOTEIO,
				"%s: the stream from container %s has ended, but the program still "
				"runs: it was cut",
				x->base.name, x->container);
		(void)poll(&(struct pollfd){stop_fd(), POLLIN, 0}, 1, CODE_POLL_MS);
	}
}

static int exec_wait(struct running *r, int64_t grace_ms, struct err *e)
{
	struct docker_exec *x = self(r);
	int64_t until = grace_ms < 0 ? 0 : clock_mono_ms() + grace_ms;

	while (!x->ended) {
		int64_t left_ms = running_left_ms(r);
		int bad = take_words(x, e);

		if (bad < 0)
			return bad;
		if (x->ended)
			break;
		if (until && clock_mono_ms() >= until)
			return err_set(e, ETIMEDOUT, "%s: does not end", r->name);
		if (until && (left_ms < 0 || left_ms > until - clock_mono_ms()))
			left_ms = until - clock_mono_ms();
		wait_stream(x, POLLIN, (int)left_ms);
	}
	return wait_code(x, e);
}

/* Of one that no process is seen of: the engine hears of its end a moment later. */
static bool has_ended(struct docker_exec *x)
{
	int64_t until = clock_mono_ms() + LATE_MS;
	int code, r;

	while ((r = ask_code(x, &code, NULL)) == 0 && clock_mono_ms() < until)
		(void)poll(NULL, 0, CODE_POLL_MS);
	return r > 0;
}

/* Nothing runs in it any more. */
static bool is_container_over(const struct docker_exec *x)
{
	_cleanup_(docker_container_free_p) struct docker_container *c = NULL;
	int r = docker_inspect(x->socket, x->container_id, &c, NULL);

	return r == -ENOENT || (r == 0 && !c->running);
}

/* Ends it in the container. False, with the text for people, when that was not possible. */
static bool end(struct docker_exec *x)
{
	size_t found = 0, left;

	/* Its stdin and stdout end with the stream, which lets some programs end by themselves. */
	close_p(&x->fd);
	x->fd = -1;
	left = container_end(x->container_id, x->mark, &found);
	if (x->over || (left == 0 && (found > 0 || has_ended(x))) || is_container_over(x))
		return true;
	free(*x->left_over);
	*x->left_over = str_format("%s may still run in container %s: its processes %s",
		x->base.name, x->container,
		found ? "did not heed KILL"
		      : "cannot be seen from here (is the engine rootless or remote?)");
	return false;
}

static void exec_free(struct running *r)
{
	struct docker_exec *x = self(r);

	if (x->fd < 0 || x->over || end(x))
		lease_done(x->record);
	else
		lease_leave(x->record);
	close_p(&x->fd);
	free(x->socket);
	free(x->container_id);
	free(x->container);
	free(x->id);
	running_done(r);
	free(x);
}

static const struct running_ops ops = {
	exec_fd, exec_read, exec_write, exec_close_input, exec_wait, exec_free};

/* --- the start */

/* False: one of them is no UTF-8, which JSON cannot say. */
static bool add_texts(json_t *array, const char *const *texts)
{
	for (; *texts; texts++)
		if (json_array_append_new(array, json_string(*texts)) < 0)
			return false;
	return true;
}

/* NULL: something in it is no UTF-8. */
static json_t *description(const struct docker_exec *x, const struct running_options *o)
{
	const struct place_command *c = o->command;
	json_t *argv = json_array(), *env = json_array();
	json_t *body;
	bool sayable = add_texts(argv, c->argv);

	sayable = (!c->env || add_texts(env, c->env)) && sayable;
	(void)json_array_append_new(env, json_sprintf("%s=%s", CONTAINER_MARK_NAME, x->mark));
	body = json_pack("{s:b, s:b, s:b, s:b, s:o, s:o}", "AttachStdin", o->has_input,
		"AttachStdout", 1, "AttachStderr", 1, "Tty", 0, "Cmd", argv, "Env", env);
	if (c->user)
		sayable = json_object_set_new(body, "User", json_string(c->user)) == 0 && sayable;
	if (c->cwd)
		sayable = json_object_set_new(body, "WorkingDir", json_string(c->cwd)) == 0 &&
			  sayable;
	if (sayable)
		return body;
	json_decref(body);
	return NULL;
}

static int create(struct docker_exec *x, const struct running_options *o, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("/containers/%s/exec", x->container_id);
	json_t *body = description(x, o);
	json_t *answer = NULL;
	int r;

	if (!body)
		return err_set(e, EILSEQ, "the command is not in UTF-8");
	r = docker_ask(x->socket, "POST", path, body, 0, &answer, e);
	json_decref(body);
	x->id = str_dup(docker_text(answer, "Id"));
	json_decref(answer);
	if (r == 0 && !*x->id)
		r = err_set(e, EBADMSG, "container engine: it gave no id");
	for (const char *p = x->id; r == 0 && *p; p++)
		if (!strchr("0123456789abcdef", *p))
			r = err_set(e, EBADMSG, "container engine: it gave an id that is none");
	return r;
}

/* The words of an engine that refused. */
static int refused(int fd, const struct docker_head *head, int64_t until, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 * 1024);
	json_t *answer;

	(void)docker_recv_body(fd, head, &text, until, NULL);
	answer = text.len ? json_loadb(text.data, text.len, 0, NULL) : NULL;
	(void)err_set(e, EREMOTEIO, "container engine: %s",
		answer ? docker_text(answer, "message") : "it did not start the program");
	json_decref(answer);
	return -EREMOTEIO;
}

static int attach(struct docker_exec *x, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("/exec/%s/start", x->id);
	_cleanup_(close_p) int fd = docker_connect(x->socket, e);
	int64_t until = clock_mono_ms() + DOCKER_CALL_MS;
	struct docker_head head;
	json_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", 0);
	int r = fd;

	if (r >= 0)
		r = docker_send_request(fd, "POST", path, body, true, until, e);
	json_decref(body);
	if (r >= 0) {
		/* From here on it may run, whatever becomes of the answer. */
		x->fd = take_fd(&fd);
		r = docker_recv_head(x->fd, &head, until, e);
	}
	if (r >= 0 && head.status != 101 && head.status != 200)
		r = refused(x->fd, &head, until, e);
	return r;
}

int docker_exec_start(const char *socket, const struct docker_container *c,
	const struct running_options *o, char **left_over, struct running **out, struct err *e)
{
	struct docker_exec *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		abort();
	running_init(&x->base, &ops, o);
	x->fd = -1;
	x->socket = str_dup(socket);
	x->container_id = str_dup(c->id);
	x->container = str_dup(c->name);
	x->left_over = left_over;
	x->input_open = o->has_input;
	container_mark_new(x->mark);
	x->record = exec_record_new(x->container_id, x->mark);
	r = create(x, o, e);
	if (r == 0)
		r = attach(x, e);
	if (r < 0) {
		exec_free(&x->base);
		return err_wrap(e, r, "%s in container %s", o->command->argv[0], c->name);
	}
	*out = &x->base;
	return 0;
}
