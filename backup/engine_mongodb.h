/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engine mongodb share. There is no client among MongoDB's tools: all that is known of a server is what
 * mongodump says, and what is in its archive.
 *
 * The password goes through a configuration file (mongodump --config), which is a pipe that a shell makes: no file is ever
 * written, on this host or in a container, and stdin stays free for the archive.
 */
#ifndef BACKUP_ENGINE_MONGODB_H
#define BACKUP_ENGINE_MONGODB_H

#include <stdbool.h>

#include "backup/args.h"
#include "backup/engine.h"

#define MONGO_ALL "all databases" /* the whole server; no database can be called so */

/* A command of one of the tools, with its environment. */
struct mongo_tool {
	struct args argv, env;
	const char *program;
};

/* argv has all that says where the server is and who asks; what is added comes behind it. Pure but for a container's settings. */
void mongo_tool_init(struct mongo_tool *t, const struct engine_call *c, const char *program);
void mongo_tool_done(struct mongo_tool *t);
/* As place.h takes it; valid as long as the tool is not changed. */
struct place_command mongo_tool_command(const struct engine_call *c, const struct mongo_tool *t);

/* "mongodump version: 100.9.4": "100.9.4"; -EBADMSG. Pure. */
int mongo_tool_version(const char *text, char version[64], struct err *e);
/* Whether it is there, and its version. */
int mongo_tool_ask(
	const struct engine_call *c, const char *program, char version[64], struct err *e);
/* What helps against an error that a tool printed, added to it. */
int mongo_add_cure(struct err *e, int r);
/* "12 document(s) restored successfully. 3 document(s) failed to restore.": 3; -1 when nothing of the kind is there. Pure. */
int64_t mongo_failed_documents(const char *printed);

/* engine_mongodb_restore.c */
int mongo_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e);
int mongo_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e);
int mongo_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e);
int mongo_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e);

#endif
