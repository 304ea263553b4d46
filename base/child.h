/* SPDX-License-Identifier: Apache-2.0
 *
 * Child processes on the loop. Started by posix_spawn with an argument array, never through a
 * shell: own process group, default signals, empty signal mask, stdin from memory or /dev/null.
 * Output is collected with a bound (the last bytes are kept), and handed on as it comes to who wants it. A deadline sends TERM to the group,
 * then KILL after a grace. A child has ended when its leader is reaped and its output pipe is at end
 * of file, or CHILD_DRAIN_MS after the reaping.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

#define CHILD_GRACE_MS 5000
#define CHILD_DRAIN_MS 1000
#define CHILD_INPUT_MAX (8 * 1024 * 1024)

struct child;

struct child_result {
	int status; /* of waitpid(2) */
	bool timed_out;
	/* stdout and stderr together, NUL-terminated; valid during the callback */
	const char *output;
	size_t output_len;
	bool output_cut; /* earlier output was dropped */
};

typedef void (*child_done_fn)(void *user, const struct child_result *r);
/* Some of its output, of stdout and stderr alike. May stop the child, but not abandon it. */
typedef void (*child_output_fn)(void *user, const char *data, size_t n);

struct child_options {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *program; /* path of what is run instead of argv[0]; NULL: that */
	const char *const *env; /* NULL-terminated "K=V"; NULL: PATH and LANG=C.UTF-8 only */
	const char *folder; /* it starts in; NULL: that of this process */
	/* Folder of a cgroup v2 it is born in, so that whatever it starts is in there too; NULL: that of this process.
	 * A kernel that cannot do that (before 5.7) moves it there right after the start. */
	const char *cgroup;
	mode_t umask; /* 0: that of this process */
	int64_t deadline_ms; /* 0: none */
	int64_t grace_ms; /* between TERM and KILL; 0: CHILD_GRACE_MS */
	size_t output_max; /* bytes kept, at least 1 */
	/* becomes descriptor 3 of the child; -1: none. The caller keeps its own copy. */
	int pass_fd;
	/* called with output as it comes, before `done`, with the same `user`; the last bytes are kept all the same */
	child_output_fn output;
	bool inherit_output; /* stdout and stderr are those of this process; nothing is collected */
	int nice; /* added to this process's niceness */
	bool io_idle; /* its reads and writes wait for those of others (ioprio_set(2)) */
	/* what it reads on stdin (copied), at most CHILD_INPUT_MAX; NULL: /dev/null */
	const void *input;
	size_t input_len;
};

/* Starts the child; `done` is called once, later, from the loop, and the handle is gone after
 * it. A missing program is reported here (-ENOENT). */
int child_start(struct loop *l, const struct child_options *o, child_done_fn done, void *user,
	struct child **out, struct err *e);
pid_t child_pid(const struct child *c);
void child_signal(struct child *c, int signo); /* to the whole group */
/* Asks it to end, as at the deadline: TERM, and KILL after the grace. */
void child_stop(struct child *c);
/* Kills the group, reaps, frees, without calling `done`. NULL is fine. Blocks only as long as
 * the kernel needs to kill. */
void child_abandon(struct child *c);

/* "exit status 3", "killed by signal 9 (Killed)". */
void child_describe(char *to, size_t size, int status);

#endif
