/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the tools of a database run: on this host, or in its container through the engine's API (exec). Engines say
 * what to run; a place knows how. In a container nothing is believed before the stream has ended, the process is not
 * running any more and its exit code is there (docs: Docker Engine API, ContainerExec, ExecInspect). Ending early ends the
 * process in the container too, TERM first, then KILL, not only the stream.
 */
#ifndef BACKUP_PLACE_H
#define BACKUP_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/stream.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

enum { PLACE_STDERR_MAX = 4096, PLACE_DEADLINE_MS = 60 * 1000 };

struct place;

struct place_command {
	const char *const *argv; /* NULL-terminated; no secrets */
	const char *name; /* what messages call it; NULL: as argv[0] */
	const char *const *env; /* NULL-terminated "K=V", added; secrets may be here */
	const void *input; /* on stdin; NULL: /dev/null (or what place_target() is given) */
	size_t input_len;
	const char *user; /* in the container, or of this host (root only); NULL: the usual one */
	const char *cwd; /* NULL: the usual one */
	/* Exit statuses besides 0 that are success, ended by 0; NULL: none. */
	const int *also_good;
};

int place_host(struct place **out, struct err *e);
/* `socket` of the container engine ("/run/docker.sock"). -ENOENT: no such container, with the names like it; -ESRCH: it does not run. */
int place_container(const char *socket, const char *container, struct place **out, struct err *e);
void place_free(struct place *p); /* NULL is fine */
DEFINE_CLEANUP(struct place *, place_free);

const char *place_title(const struct place *p); /* "this host", "container shop-db" */
bool place_is_host(const struct place *p);
struct docker_container;
/* What is known of the container; NULL for the host. */
const struct docker_container *place_docker(const struct place *p);

/* What of it could not be ended in the container, for people; NULL: nothing. */
const char *place_left_running(const struct place *p);
/* Once, when a worker starts: ends what killed workers left running (in containers programs go on when nobody reads their
 * output), and remembers below this folder what runs from now on. Both count processes. */
void place_sweep(const char *state_dir, size_t *ended, size_t *left);

/* From now on this text is replaced by "***" in every message of this process that quotes a program. */
void place_hide(const char *secret);

/* Whether a program is there. */
bool place_has(struct place *p, const char *program);
/* Runs to the end within deadline_ms; `out` (may be NULL) gets stdout, -EFBIG past its max. Not good: -EREMOTEIO, *e
 * has "pg_dump: exit status 1: LAST LINES OF STDERR". */
int place_run(struct place *p, const struct place_command *c, int64_t deadline_ms, struct buf *out,
	struct err *e);
/* Starts it; its stdout is the source. */
int place_source(
	struct place *p, const struct place_command *c, struct source **out, struct err *e);
/* Starts it; what is written goes to its stdin; finish() closes that and waits for the end, 0 only when that is good. A program that
 * ends early makes write() fail with its words. stdout goes to `out` when not NULL. */
int place_target(struct place *p, const struct place_command *c, struct buf *out,
	struct sink **target, struct err *e);
/* The last of a target's stderr, NUL-terminated, secrets hidden; warnings on success. */
const char *place_target_stderr(const struct sink *s);

#endif
