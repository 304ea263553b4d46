/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engines mysql and mariadb share. Both are the same code: tools and server say themselves which of
 * the two they are, and any pair may meet.
 *
 * The password goes through the environment (MYSQL_PWD). Questions are scripts on the client's stdin; names come back in
 * hexadecimal, so that no name can be taken for something else.
 */
#ifndef BACKUP_ENGINE_MYSQL_H
#define BACKUP_ENGINE_MYSQL_H

#include <stdbool.h>

#include "backup/args.h"
#include "backup/engine.h"

enum {
	MYSQL_NAME_MAX = 256, /* 64 characters of UTF-8 */
	MYSQL_LONG_MS = 60 * 60 * 1000,
	MYSQL_SCRIPT_MAX = 64 * 1024 * 1024,
};
#define MYSQL_GLOBALS "globals"

/* One of the tools, as it says itself. */
struct mysql_tool {
	const char *program; /* "mariadb-dump" */
	char version[64]; /* "10.11.6" */
	bool is_mariadb;
};
/* "mariadb-dump  Ver 10.19 Distrib 10.11.6-MariaDB, for ...", "mysqldump  Ver 8.0.36 for Linux ...": -EBADMSG. Pure. */
int mysql_tool_version(const char *text, struct mysql_tool *out, struct err *e);
/* `what`: "dump" or "client": whichever of both families is there, that of the engine first. -ENOENT. */
int mysql_tool_find(
	const struct engine_call *c, const char *what, struct mysql_tool *out, struct err *e);

struct mysql_server {
	char version[128];
	bool is_mariadb;
	char user[MYSQL_NAME_MAX]; /* "backup@localhost" */
};
int mysql_server_ask(const struct engine_call *c, struct mysql_server *out, struct err *e);
/* First number of a version; 0. Pure. */
int mysql_major(const char *version);

/* Arguments that say where the server is and who asks; the password is in the environment. */
void mysql_connection(const struct engine_call *c, struct args *argv, struct args *env);
/* Pure: the whole command of a dump of one database. */
void mysql_dump_command(const struct engine_call *c, const struct mysql_tool *tool,
	const struct mysql_server *server, const char *database, struct args *argv,
	struct args *env);
/* A client that reads a script; `database` may be NULL. */
void mysql_client_command(const struct engine_call *c, const struct mysql_tool *tool,
	const char *database, struct args *argv, struct args *env);
struct place_command mysql_command(
	const struct engine_call *c, const struct args *argv, const struct args *env);

/* Runs a script; what it prints in `out` (may be NULL), columns with a tab between. */
int mysql_script(const struct engine_call *c, const char *database, const char *sql,
	int64_t deadline_ms, struct buf *out, struct err *e);
/* The same with statements that may fail: the others are run all the same. */
int mysql_script_lenient(
	const struct engine_call *c, const char *sql, struct buf *out, struct err *e);
/* And that says which was the first that did: *printed. */
int mysql_script_printed(
	const struct engine_call *c, const char *sql, struct buf *printed, struct err *e);

/* A text as SQL: 'shop', or in hexadecimal where it has anything that needs care. `name` in backticks. Pure. */
void mysql_add_text(struct buf *out, const char *text);
void mysql_add_name(struct buf *out, const char *name);
/* Splits one line of an answer at its tabs; false at the end of the answer. Columns beyond are "". */
bool mysql_next_row(char **at, char **columns, size_t n);
/* "73686F70": "shop". False when it is no hexadecimal or too long. Pure. */
bool mysql_unhex(const char *hex, char *to, size_t size);
/* Newer clients print the whole statement that failed, with the rows in it: leaves only what the server said. Pure. */
void mysql_shorten(struct err *e);
/* What helps against an error that a tool printed; NULL when nothing is known. Pure. */
const char *mysql_cure(const char *message);

/* The database that a member's title stands for. */
void mysql_database_name(char to[MYSQL_NAME_MAX], const struct engine_call *c, const char *title);
int mysql_count(
	const struct engine_call *c, const char *database, struct counts *out, struct err *e);

/* What new tables of a database get. */
struct mysql_charset {
	char name[64], collation[64]; /* "": not known */
};
#define MYSQL_DATABASE_LINE "-- Database "
/* Pure: false when the words are none of this kind. */
bool mysql_charset_set(struct mysql_charset *c, const char *name, const char *collation);
/* engine_mysql_dump.c */
int mysql_charset(const struct engine_call *c, const char *database, struct mysql_charset *out,
	struct err *e);
int mysql_dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e);

/* engine_mysql_rights.c, pure: what of the rights that a whole dump of the database needs is not in the answer of SHOW GRANTS,
 * with ", " between. Without TRIGGER or EVENT those are left out of a dump without a word. *routines: those of others can be seen. */
void mysql_missing_rights(
	const char *grants, const char *database, struct buf *missing, bool *routines);

/* engine_mysql_users.c: all users and roles with their rights as SQL, -EACCES when they cannot be read. */
int mysql_users_dump(const struct engine_call *c, const struct mysql_server *s, struct source **out,
	struct err *e);
int mysql_users_count(const struct engine_call *c, struct counts *out, struct err *e);
/* Takes it: users that are there stay as they are, the others are made. Their rights are also left in `later` (of
 * MYSQL_SCRIPT_MAX), for mysql_users_rights() once the databases are there: none can be given on a table that is not. */
int mysql_users_target(
	const struct engine_call *c, struct buf *later, struct sink **out, struct err *e);
/* Warns about those that could not be given. */
void mysql_users_rights(const struct engine_call *c, const struct buf *later);
/* Pure: all but the making of users. */
void mysql_users_only_rights(const struct buf *script, struct buf *out);
/* Pure: the first error that a client printed, cut so that no statement is in it; false: there is none. */
bool mysql_first_error(const char *printed, char *to, size_t size);
/* Pure. `have`: the users that are there, as "`a`@`%`" or "`role`", NULL-terminated. */
void mysql_users_filter(
	const char *script, size_t len, const char *const *have, struct buf *out, size_t *made);

/* engine_mysql_restore.c */
int mysql_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e);
int mysql_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e);
int mysql_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e);
int mysql_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e);
/* engine_mysql_load.c: a client that loads a dump into database `work`, which is made first unless it is there: with the character
 * set of `like`, or of the dump where that is not known. *created is set once it was made. */
int mysql_load_new(const struct engine_call *c, const char *work, const struct mysql_charset *like,
	bool exists, bool *created, struct sink **out, struct err *e);
/* engine_mysql_swap.c: -EBUSY when tables of other databases refer to some of this one by foreign keys, which would follow the old
 * tables. */
int mysql_swap_check(const struct engine_call *c, const char *name, struct err *e);
/* The tables of `work` take the places of those of `name`. -EUCLEAN: neither as before nor restored. */
int mysql_swap(const struct engine_call *c, const char *name, const char *work, const char *id,
	struct err *e);
int mysql_drop(const struct engine_call *c, const char *database, struct err *e);
/* engine_mysql_routines.c: who may do what with procedures and functions, as SQL; a routine that is dropped loses it. */
void mysql_routine_rights(const struct engine_call *c, const char *database, struct buf *out);

/* engine_mysql_drill.c */
int mysql_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e);
void mysql_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t);

#endif
