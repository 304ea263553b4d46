/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engine postgresql share: how the tools reach the server, and what the server says of itself.
 *
 * Everything about a connection goes through libpq's environment variables, so that nothing of the configuration can be
 * taken for an option, and no password is in an argument list. Questions are scripts on psql's stdin with psql
 * variables, so that names are quoted by psql; answers are one JSON text.
 */
#ifndef BACKUP_ENGINE_POSTGRESQL_H
#define BACKUP_ENGINE_POSTGRESQL_H

#include <jansson.h>
#include <stdbool.h>

#include "backup/args.h"
#include "backup/engine.h"

enum {
	PG_NAME_MAX = 63, /* NAMEDATALEN - 1 */
	PG_LONG_MS = 60 * 60 * 1000, /* ANALYZE of a large database; its removal */
};
#define PG_GLOBALS "globals"

/* A command of one of the tools, with its environment. */
struct pg_tool {
	struct args argv, env;
};

/* `database` NULL: none is named (pg_dumpall, pg_restore). argv begins with `program` alone. */
void pg_tool_init(
	struct pg_tool *t, const struct engine_call *c, const char *program, const char *database);
void pg_tool_done(struct pg_tool *t);
/* As place.h takes it; valid as long as the tool is not changed. */
struct place_command pg_tool_command(const struct engine_call *c, const struct pg_tool *t);
/* The user of the database. */
const char *pg_login(const struct engine_call *c);

/* Pure: the whole command of a dump. */
void pg_dump_tool(struct pg_tool *t, const struct engine_call *c, const char *database);
void pg_globals_tool(struct pg_tool *t, const struct engine_call *c, bool passwords);

/* "dbname='shop'", which no name can break out of. */
void pg_conninfo(struct buf *out, const char *database);
/* The database that a member's title stands for: on a throw-away server that is the job's own, one with the call's prefix. */
void pg_database_name(char to[PG_NAME_MAX + 1], const struct engine_call *c, const char *title);
/* `name` and `suffix` within PG_NAME_MAX bytes, unique as long as the suffix is. */
void pg_name_with(char to[PG_NAME_MAX + 1], const char *name, const char *suffix);

/* Runs a script; `vars` (NULL-terminated "name=value", may be NULL) are psql variables. `database` NULL: "postgres", or
 * "template1" where there is none. What it prints in `out` (may be NULL). Messages have a cure where one is known. */
int pg_script(const struct engine_call *c, const char *database, const char *const *vars,
	const char *sql, int64_t deadline_ms, struct buf *out, struct err *e);
/* The same for a script that prints one JSON text; json_decref() it. -EBADMSG for anything else. */
int pg_ask(const struct engine_call *c, const char *database, const char *const *vars,
	const char *sql, json_t **out, struct err *e);

struct pg_server {
	char version[128];
	int version_num; /* 150009 */
	bool is_superuser, may_create; /* create databases */
	json_t *databases; /* [{"name","size"}], those that can be dumped; owned */
};
int pg_server_ask(const struct engine_call *c, struct pg_server *out, struct err *e);
void pg_server_done(struct pg_server *s);
const json_t *pg_server_find(const struct pg_server *s, const char *database);

/* "pg_dump (PostgreSQL) 15.9 (Debian 15.9-0)": "15.9" and 15; -EBADMSG. Pure. */
int pg_tool_version(const char *text, char version[32], int *major, struct err *e);
int pg_tool_ask(const struct engine_call *c, const char *program, char version[32], int *major,
	struct err *e);
/* Pure: the major number of a server's version number, or of a text like "15.9 (Debian)"; 0 when there is none. */
int pg_major(int version_num);
int pg_major_of_text(const char *version);
/* What helps against an error that a tool printed; NULL when nothing is known. Pure. */
const char *pg_cure(const char *message);

int pg_count(const struct engine_call *c, const char *database, struct counts *out, struct err *e);

/* Removes a database that this program made, whoever is connected (engine_postgresql_swap.c). */
int pg_drop(const struct engine_call *c, const char *database, int version_num, struct err *e);

/* engine_postgresql_restore.c */
int pg_restore_plan(const struct engine_call *c, const struct engine_restore *r, struct buf *text,
	bool *destructive, struct err *e);
int pg_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e);
int pg_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e);
int pg_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e);
int pg_proof(const struct engine_call *c, const struct manifest_member *m, struct sink **out,
	struct err *e);

/* engine_postgresql_drill.c */
int pg_drill_begin(const struct engine_call *c, const struct manifest *m, struct engine_call *out,
	char into[128], struct engine_target *t, struct err *e);
void pg_drill_end(const struct engine_call *c, struct engine_call *drill, struct engine_target *t);

#endif
