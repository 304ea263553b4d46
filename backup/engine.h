/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract of an engine (a kind of database), and the table of those there are. An engine knows which tools to run and
 * what their output must look like; where they run is the place's business, what becomes of the bytes the run's. To add
 * one: one file engine_NAME.c, one row in engine.c.
 */
#ifndef BACKUP_ENGINE_H
#define BACKUP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/counts.h"
#include "backup/format.h"
#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/place.h"
#include "backup/stream.h"
#include "base/buf.h"
#include "base/err.h"

struct manifest;
struct manifest_member;

enum { ENGINE_MEMBERS_MAX = 500 };

/* Everything an engine needs to work on one server. */
struct engine_call {
	const struct job *job;
	struct place *place;
	const char
		*container_socket; /* of the container engine; may be NULL on a host without one */
	const char *password; /* NULL: none */
	/* Overrides of the job for a throw-away server; NULL / 0: as the job says. */
	const char *host, *socket, *login;
	int port;
	/* A drill on the job's own server: stands in front of each database's name; NULL: nothing. */
	const char *prefix;
	void *drill; /* the engine's own, of a drill under way; NULL: this is none */
	const char *state_dir; /* for small temporary folders */
	/* Something people should know, goes into the manifest and the result. */
	void (*warn)(void *user, const char *text);
	void *user;
};

struct engine_member {
	char title[256]; /* the database's name; "globals" */
	const struct format *format;
};

struct engine_info {
	char server_version[128], tool_version[128]; /* "" when not known */
	int64_t size_bytes; /* estimate of what will be dumped, plain; 0: not known */
	struct engine_member *members; /* free() it */
	size_t n_members;
};

struct engine_restore {
	const char *into; /* another database, folder, file, key space; NULL: where it came from */
	const char *member; /* only the member of this name or title; NULL: all */
	bool is_drill; /* the target is throw-away: no swap, no questions */
	const struct manifest *manifest;
};

/* A restore under way: from begin to end, over all members. `state` is the engine's own. */
struct engine_target {
	void *state;
};

struct engine {
	const char *name;
	const char *doc; /* what a backup of it holds, one sentence */
	const char *
		tools; /* for the doctor and the docs, with a space between: "pg_dump psql"; "a|b": either */
	const char *restore_tools;
	int default_port;
	/* Reads files of this host, wherever their container is: the place is the host, `container` only what is paused. */
	bool is_files;

	/* Pure: which options the job must and must not have. NULL: no rules. -EINVAL "OPTION: ...". */
	int (*check_job)(const struct job *j, struct err *e);
	/* Connects, and finds out. A named database that is not there is -ENOENT; wrong password, missing privileges, tools that are too
	 * old fail here, with the cure in *e. What would be dumped inconsistently is warned about. */
	int (*probe)(const struct engine_call *c, struct engine_info *out, struct err *e);
	/* What is in it now; for the manifest and after a drill. NULL: cannot be counted. */
	int (*count)(const struct engine_call *c, const struct engine_member *m, struct counts *out,
		struct err *e);
	int (*dump)(const struct engine_call *c, const struct engine_member *m, struct source **out,
		struct err *e);
	/* Counts that only the dump itself knows (files, rows), asked after source_finish(), before source_free(). NULL: none. */
	void (*dumped)(const struct engine_call *c, struct source *s, struct counts *out);

	/* Says in one sentence what a restore would overwrite, for the question before it: "database shop on container shop-db (14
	 * tables, 1.2 GiB) will be replaced". *destructive false: nothing is there yet. */
	int (*restore_plan)(const struct engine_call *c, const struct engine_restore *r,
		struct buf *text, bool *destructive, struct err *e);
	/* Once, before the members; compares versions (-EPROTO: cannot work; warn: may not). */
	int (*restore_begin)(const struct engine_call *c, const struct engine_restore *r,
		struct engine_target *t, struct err *e);
	/* For each member in the order of the manifest: where its plain bytes go. */
	int (*restore_member)(const struct engine_call *c, const struct engine_restore *r,
		struct engine_target *t, const struct manifest_member *m, struct sink **out,
		struct err *e);
	/* `ok`: everything arrived and was right: make it the real one. Otherwise leave what was there as it was. -EUCLEAN: neither could
	 * be done; *e says what state things are in ("partial: ..."). Frees the state. */
	int (*restore_end)(const struct engine_call *c, const struct engine_restore *r,
		struct engine_target *t, bool ok, struct err *e);
	bool is_atomic; /* a failed restore leaves what was there */

	/* A throw-away server like the job's (or a throw-away database on it): *out is a call for it, complete with place; its restore is
	 * then run with is_drill and `into` (left "" where members keep their own names, as with several databases). drill_end removes
	 * it. NULL: this engine has no drill. */
	int (*drill_begin)(const struct engine_call *c, const struct manifest *m,
		struct engine_call *out, char into[128], struct engine_target *t, struct err *e);
	void (*drill_end)(
		const struct engine_call *c, struct engine_call *drill, struct engine_target *t);
	/* A program that reads the whole dump and finds faults a checker cannot (pg_restore -f /dev/null): its stdin. NULL, or *out NULL:
	 * there is none here. */
	int (*proof)(const struct engine_call *c, const struct manifest_member *m,
		struct sink **out, struct err *e);
};

extern const struct engine engine_command, engine_directory, engine_mariadb, engine_mongodb,
	engine_mysql, engine_postgresql, engine_redis, engine_sqlite, engine_volume;

/* Alphabetical, ended by NULL (engine.c). */
extern const struct engine *const engines[];
const struct engine *engine_find(const char *name);

/* What check_job of each server with databases asks for: one way to it, and no database twice. */
int engine_check_server_job(const struct job *j, struct err *e);
/* -EINVAL when `arguments` has one of `refused` (ended by NULL), with a value or without: "--out", "--out=x", "-o", "-ox". */
int engine_check_arguments(const struct job *j, const char *const *refused, struct err *e);

#endif
