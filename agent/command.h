/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: a table of commands that read like sentences ("token show"), each with the
 * options it takes. Usage, --help, the nearest name for a misspelt word, the list in the manual and
 * the shell completion come from the table. To add a command: one file cmd_NAME.c, one row in
 * commands.c.
 */
#ifndef AGENT_COMMAND_H
#define AGENT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Exit codes of all commands. */
enum {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1,
	COMMAND_USAGE = 2,
	COMMAND_NOT_RUNNING = 3, /* the agent that should answer */
	/* Of a deploy. Those from 20 on are what scripts and CI tell its ends apart by. */
	COMMAND_NOT_DEPLOYED = 20, /* it failed; what serves was not changed */
	COMMAND_ROLLED_BACK = 21,
	COMMAND_CANCELLED = 22, /* or superseded */
	COMMAND_BROKEN = 23, /* nothing serves */
};

/* Alphabetical, as in command_flags[]. */
enum command_flag {
	FLAG_AT,
	FLAG_CHANNEL,
	FLAG_COMMIT,
	FLAG_CONFIG,
	FLAG_DETACH,
	FLAG_DRY_RUN,
	FLAG_END,
	FLAG_ENTITY,
	FLAG_FOLLOW,
	FLAG_FOR,
	FLAG_ID,
	FLAG_IDENTITY,
	FLAG_INTO,
	FLAG_JSON,
	FLAG_KEY,
	FLAG_LIMIT,
	FLAG_LISTEN,
	FLAG_MEMBER,
	FLAG_REASON,
	FLAG_REF,
	FLAG_RULE,
	FLAG_SEVERITY,
	FLAG_SINCE,
	FLAG_STATE,
	FLAG_STORE,
	FLAG_TO,
	FLAG_TRIGGER,
	FLAG_VIEWER,
	FLAG_YES,
	FLAGS
};

#define TAKES(flag) (1U << (flag))

struct flag {
	const char *name; /* "--state" */
	const char *argument; /* "DIR"; NULL: a switch */
	const char *doc;
};

extern const struct flag command_flags[FLAGS];

enum { COMMAND_ARGS_MAX = 16 };

struct command_call {
	const struct command *command;
	const char *flags[FLAGS]; /* NULL: not given; "" for a switch */
	const char *args[COMMAND_ARGS_MAX];
	size_t n_args;
	bool help; /* --help was given */
};

struct command {
	const char *name; /* one or two words */
	const char *arguments; /* "[NAME]" for the usage line, or NULL */
	size_t max_args;
	unsigned takes; /* TAKES(FLAG_...) */
	const char *doc; /* one line, without full stop */
	const char *more; /* further help, or NULL */
	int (*run)(const struct command_call *c); /* returns an exit code */
	bool hidden; /* from help: used by the program itself */
};

/* Alphabetical, ended by a NULL name (commands.c). */
extern const struct command commands[];

/* Sorts out argv (without the program's name). 0, or -EINVAL with the reason. With --help, or
 * `help` in front, it succeeds with call->help, and call->command NULL or the command asked
 * about; call->args then has the words that were given. */
int command_parse(int argc, const char *const *argv, struct command_call *out, struct err *e);

/* The whole list; all commands that begin with a word ("config"); one command, with those that begin
 * with its name. */
void command_help_all(struct buf *out);
bool command_help_group(const char *word, struct buf *out); /* false when there is none */
void command_help_one(const struct command *c, struct buf *out);
/* Completion for bash, from the table. */
void command_completion(struct buf *out);

/* The state folder: --state, else $AGENT_STATE, else the usual place (/var/lib/agent for root,
 * else $XDG_STATE_HOME/agent or ~/.local/state/agent). free() it. */
char *command_state_dir(const struct command_call *c);

/* Everything: parses, shows help, runs. Returns the exit code. */
int command_main(int argc, char **argv);

#endif
