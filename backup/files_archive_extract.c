/* SPDX-License-Identifier: Apache-2.0
 *
 * libarchive pulls an archive, a restore pushes it: between them a pipe and a process, which by that can also be locked up in the
 * folder. It is a fork without exec: a worker has no threads when it restores.
 */
#include "backup/files_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/stop.h"
#include "base/buf.h"

enum {
	READ_BYTES = 256 * 1024,
	SAID_MAX = 32 * 1024, /* by the child; fits into a pipe, so that nobody waits for it */
	LINE_MAX_BYTES = 400,
};

struct files_target {
	struct sink base;
	pid_t pid; /* 0: reaped */
	int data, said; /* our ends */
	files_warn_fn warn;
	void *user;
};

/* --- the child. It says lines: 'W' and a warning, 'E' and why it gave up. */

static void say(int fd, char kind, const char *path, const char *text)
{
	char line[LINE_MAX_BYTES], shown[LINE_MAX_BYTES / 2];
	int n;

	files_path_text(shown, sizeof(shown), path);
	n = snprintf(line, sizeof(line) - 1, "%c%s: %.150s", kind, shown, text ? text : "failed");
	if (n >= (int)sizeof(line) - 1)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(fd, line, (size_t)n) < n)
		return;
}

/* libarchive says "Write failed" and keeps the reason apart. */
static void say_error(int fd, char kind, const char *path, struct archive *a)
{
	const char *what = archive_error_string(a);
	int code = archive_errno(a);
	char text[200];

	what = what ? what : "failed";
	if (code > 0 && !strstr(what, strerror(code)))
		(void)snprintf(text, sizeof(text), "%.120s: %.70s", what, strerror(code));
	else
		(void)snprintf(text, sizeof(text), "%.190s", what);
	say(fd, kind, path, text);
}

static int copy_data(struct archive *from, struct archive *to)
{
	const void *bytes;
	la_int64_t offset;
	size_t n;
	int r;

	while ((r = archive_read_data_block(from, &bytes, &n, &offset)) == ARCHIVE_OK) {
		if (archive_write_data_block(to, bytes, n, offset) < ARCHIVE_OK) {
			archive_copy_error(from, to);
			return ARCHIVE_FATAL;
		}
	}
	return r == ARCHIVE_EOF ? ARCHIVE_OK : ARCHIVE_FATAL;
}

/* One file; false: nothing can be done any more. */
static bool extract_one(
	struct archive *from, struct archive *to, struct archive_entry *x, int said, int *warnings)
{
	const char *path = archive_entry_pathname(x);
	int r = archive_write_header(to, x);

	path = path ? path : "?";
	if (r < ARCHIVE_WARN) {
		say_error(said, 'E', path, to);
		return false;
	}
	if (copy_data(from, to) < ARCHIVE_OK) {
		say_error(said, 'E', path, from);
		return false;
	}
	if (r == ARCHIVE_OK)
		r = archive_write_finish_entry(to);
	if (r == ARCHIVE_OK)
		return true;
	if (r < ARCHIVE_WARN || (*warnings)++ < FILES_WARNINGS_MAX)
		say_error(said, r < ARCHIVE_WARN ? 'E' : 'W', path, to);
	return r >= ARCHIVE_WARN;
}

/* The folder itself is there already, and libarchive sets the times of such before it fills them. */
static void note_top(struct archive_entry *x, struct timespec top[2])
{
	const char *path = archive_entry_pathname(x);

	if (path && (strcmp(path, ".") == 0 || strcmp(path, "./") == 0) &&
		archive_entry_mtime_is_set(x))
		top[1] = (struct timespec){archive_entry_mtime(x), archive_entry_mtime_nsec(x)};
}

static int extract(int data, int said)
{
	struct archive *from = archive_read_new(), *to = archive_write_disk_new();
	int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_ACL |
		    ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
		    ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;
	struct timespec top[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
	struct archive_entry *x;
	char rest[4096];
	int warnings = 0, r;

	if (!from || !to)
		return 1;
	if (geteuid() == 0)
		flags |= ARCHIVE_EXTRACT_OWNER;
	if (archive_write_disk_set_options(to, flags) != ARCHIVE_OK ||
		archive_read_support_format_tar(from) != ARCHIVE_OK ||
		archive_read_open_fd(from, data, READ_BYTES) != ARCHIVE_OK) {
		say_error(said, 'E', "archive", from);
		return 1;
	}
	while ((r = archive_read_next_header(from, &x)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		note_top(x, top);
		if (!extract_one(from, to, x, said, &warnings))
			return 1;
	}
	if (r != ARCHIVE_EOF) {
		say_error(said, 'E', "archive", from);
		return 1;
	}
	/* Modes and times of folders are set at the end. */
	if (archive_write_close(to) < ARCHIVE_WARN) {
		say_error(said, 'E', "folders", to);
		return 1;
	}
	(void)archive_write_free(to);
	(void)archive_read_free(from);
	(void)utimensat(AT_FDCWD, ".", top, 0);
	while (read(data, rest, sizeof(rest)) > 0)
		;
	return 0;
}

static bool lock_up(const char *folder)
{
	if (chdir(folder) < 0)
		return false;
	/* Not everybody may; libarchive's own checks are on in any case. */
	return chroot(".") == 0 || errno == EPERM;
}

static void child(pid_t parent, const char *folder, int data, int said)
{
	struct sigaction sa;
	int code = 1;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Connections and locks of the worker are not this one's. */
	(void)dup2(data, STDIN_FILENO);
	(void)dup2(said, STDOUT_FILENO);
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U);
	if (getppid() != parent)
		_exit(1);
	(void)umask(077);
	/* Names are UTF-8 in the archive where they can be; before the folder is the root. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (lock_up(folder))
		code = extract(STDIN_FILENO, STDOUT_FILENO);
	else
		say(STDOUT_FILENO, 'E', folder, strerror(errno));
	_exit(code);
}

/* --- the sink */

static struct files_target *self(struct sink *s)
{
	return (struct files_target *)(void *)s;
}

static int reap(struct files_target *t)
{
	int status = -1;

	while (t->pid > 0 && waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	t->pid = 0;
	return status;
}

/* All it said; the last 'E' line is why. */
static void hear(struct files_target *t, char *why, size_t size)
{
	struct buf text = BUF_INIT(SAID_MAX);
	char *line, *end;
	ssize_t n;

	while ((line = buf_reserve(&text, 4096)) && (n = read(t->said, line, 4096)) > 0)
		buf_grew(&text, (size_t)n);
	for (line = text.data; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		*end = '\0';
		if (*line == 'E')
			(void)snprintf(why, size, "%s", line + 1);
		else if (t->warn)
			t->warn(t->user, line + 1);
	}
	buf_done(&text);
}

static int conclude(struct files_target *t, struct err *e)
{
	char why[LINE_MAX_BYTES] = "it was killed";
	int status;

	close_p(&t->data);
	t->data = -1;
	hear(t, why, sizeof(why));
	status = reap(t);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, EIO, "extract: %s", why);
}

static int target_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct files_target *t = self(s);
	const char *bytes = data;

	while (n) {
		struct pollfd fds[2] = {{t->data, POLLOUT, 0}, {stop_fd(), POLLIN, 0}};
		ssize_t put = write(t->data, bytes, n);
		int r = stop_check(e);

		if (r < 0)
			return r;
		if (put > 0) {
			bytes += put;
			n -= (size_t)put;
		} else if (put < 0 && errno == EPIPE) {
			r = conclude(t, e);
			return r < 0 ? r : err_set(e, EPIPE, "extract: it ended too early");
		} else if (put < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "extract");
		else
			(void)poll(fds, 2, -1);
	}
	return 0;
}

static int target_finish(struct sink *s, struct err *e)
{
	return conclude(self(s), e);
}

static void target_free(struct sink *s)
{
	struct files_target *t = self(s);

	close_p(&t->data);
	if (t->pid > 0)
		(void)kill(t->pid, SIGKILL);
	(void)reap(t);
	close_p(&t->said);
	free(t);
}

int files_archive_target(const struct files_extract *o, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {target_write, target_finish, target_free};
	struct files_target *t = calloc(1, sizeof(*t));
	int data[2] = {-1, -1}, said[2] = {-1, -1};
	pid_t parent = getpid();

	if (!t)
		abort();
	t->base.ops = &ops;
	t->warn = o->warn;
	t->user = o->user;
	if (pipe2(data, O_CLOEXEC) == 0 && pipe2(said, O_CLOEXEC) == 0 &&
		fcntl(data[1], F_SETFL, O_NONBLOCK) == 0) {
		t->pid = fork();
		if (t->pid == 0)
			child(parent, o->folder, data[0], said[1]);
	} else
		t->pid = -1;
	close_p(&data[0]);
	close_p(&said[1]);
	t->data = data[1];
	t->said = said[0];
	if (t->pid < 0) {
		(void)err_sys(e, "extract");
		t->pid = 0;
		target_free(&t->base);
		return -EIO;
	}
	*out = &t->base;
	return 0;
}
