/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engine redis share: questions to a server through its command-line program, and the throw-away server
 * that a restore and a drill load a dump into.
 *
 * Passwords go into the program's environment and secrets to its stdin, so that neither is in an argument list. Its exit status
 * says nothing about what the server answered: each answer is looked at.
 */
#ifndef BACKUP_ENGINE_REDIS_H
#define BACKUP_ENGINE_REDIS_H

#include <stdbool.h>

#include "backup/args.h"
#include "backup/engine.h"

#define REDIS_TITLE "keys"
/* Passwords of throw-away servers begin so: a server that is left with one is known by it. */
#define REDIS_MARK "agent-restore-"

enum {
	REDIS_ANSWER_MAX = 256 * 1024,
	REDIS_LONG_MS = 6 * 60 * 60 * 1000, /* loading, or writing, a large data set */
	REDIS_STEP_MS = 100, /* between two questions while something is waited for */
};

/* --- engine_redis_tool.c */

/* The first program of two names that is there; NULL. */
const char *redis_program(const struct engine_call *c, const char *first, const char *second);
/* Its version, "7.0.15", from text like "redis-cli 7.0.15" or "Valkey server v=8.0.1 sha=..."; -EBADMSG. Pure. */
int redis_tool_version(const char *text, char version[32], struct err *e);
/* 7.0.15: 70015; 0 when it is none. Pure. */
int redis_version_number(const char *version);
/* The command without the program's name, and its environment. */
void redis_connection(const struct engine_call *c, struct args *argv, struct args *env);
/* One command, its words with a space between; `secret` (NULL: none) is its last word, which goes to stdin. What is
 * printed in `out`. */
int redis_say(const struct engine_call *c, const char *command, const char *secret,
	int64_t deadline_ms, struct buf *out, struct err *e);
/* One whose answer is OK, or begins with `also` (NULL: only OK). */
int redis_do(const struct engine_call *c, const char *command, const char *also, struct err *e);
/* -EACCES or -EREMOTEIO: an answer that is none of those expected. */
int redis_refused(const char *command, const char *answer, struct err *e);
/* CONFIG GET of one parameter; -ENOENT when this server has none of that name. */
int redis_config_get(
	const struct engine_call *c, const char *name, char *to, size_t size, struct err *e);
int redis_config_set(
	const struct engine_call *c, const char *name, const char *value, struct err *e);
/* What helps against an answer; NULL when nothing is known. Pure. */
const char *redis_cure(const char *message);
/* Waits a step; -ECANCELED. */
int redis_step(struct err *e);

/* --- engine_redis_info.c: what INFO says */

struct redis_info {
	struct buf text;
};
int redis_info_ask(const struct engine_call *c, struct redis_info *out, struct err *e);
void redis_info_done(struct redis_info *i);
/* "" when it is not there. */
void redis_info_text(const struct redis_info *i, const char *name, char *to, size_t size);
bool redis_info_is(const struct redis_info *i, const char *name, const char *value);
/* -1 when it is not there. */
int64_t redis_info_number(const struct redis_info *i, const char *name);
struct redis_keys {
	int64_t keys, lasting; /* all, and those that do not expire */
	int64_t databases; /* that hold any */
};
void redis_info_keys(const struct redis_info *i, struct redis_keys *out);
/* "Valkey 8.0.1", "7.0.15". */
void redis_info_version(const struct redis_info *i, char *to, size_t size);

/* --- engine_redis_dump.c */

/* What redis-cli --rdb - prints, without the lines old ones put in front and the mark that is behind it. Takes `program`. */
struct source *redis_dump_source(struct source *program);
int redis_dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e);

/* --- engine_redis_server.c: the throw-away server */

struct redis_server {
	struct engine_call call; /* how to ask it */
	struct sink *process; /* its stdin: what it loads */
	char password[72];
	char version[32];
	bool loaded;
};
/* Starts one in c's place that reads a dump from its stdin, for at most so many databases, with the modules of the server `like`. */
int redis_server_start(const struct engine_call *c, const struct engine_call *like,
	bool like_valkey, int databases, struct redis_server **out, struct err *e);
/* Pure: what MODULE LIST prints, as options of a server. */
void redis_modules_add(struct args *a, const char *text);
/* Where the dump goes: its finish() is good when the server has loaded all of it. */
int redis_server_target(struct redis_server *s, struct sink **out, struct err *e);
void redis_server_free(struct redis_server *s); /* ends it; NULL is fine */
/* What its last words say about a dump that it did not load; NULL. Pure. */
const char *redis_server_cure(const char *words);

/* --- engine_redis_restore.c */

int redis_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e);
int redis_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e);
int redis_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e);
int redis_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e);

/* --- engine_redis_handover.c */

/* The server takes the data of the throw-away one. 0: it has them, in memory and, when it keeps any, on disk. -EUCLEAN: *e says
 * what is in it now; any other error: what was in it still is. */
int redis_handover(const struct engine_call *c, struct redis_server *from, struct err *e);
/* A worker that was killed in the middle of it left a replica of a server that is gone: ends that. */
int redis_heal(const struct engine_call *c, struct err *e);

/* --- engine_redis_drill.c */

int redis_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e);
void redis_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t);

#endif
