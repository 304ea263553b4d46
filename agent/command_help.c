/* SPDX-License-Identifier: Apache-2.0
 *
 * What is written from the table of commands: help and completion.
 */
#include <stdio.h>
#include <string.h>

#include "agent/command.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { NAME_WIDTH = 17, FLAG_WIDTH = 20 };

static void add_line(const struct command *c, struct buf *out)
{
	buf_addf(out, "  %-*s %s\n", NAME_WIDTH, c->name, c->doc);
}

void command_help_all(struct buf *out)
{
	buf_adds(out,
		"agent measures this server and its containers, and shows them on port 4500.\n\n"
		"usage: agent COMMAND [OPTION...]\n\n");
	for (const struct command *c = commands; c->name; c++)
		if (!c->hidden)
			add_line(c, out);
	buf_addf(out,
		"  %-*s %s\n\n"
		"Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the agent is not running; of a "
		"deploy\n"
		"that was followed also 20 failed, 21 rolled back, 22 cancelled, 23 broken.\n"
		"Manual: agent(1), agent-backup(8), agent-deploy(8), agent.conf(5).\n",
		NAME_WIDTH, "help COMMAND", "explain a command; also COMMAND --help");
}

static void add_flags(const struct command *c, struct buf *out)
{
	char name[64];

	buf_adds(out, "\nOptions:\n");
	for (int i = 0; i < FLAGS; i++) {
		const struct flag *f = &command_flags[i];

		if (!(c->takes & TAKES(i)))
			continue;
		(void)snprintf(name, sizeof(name), "%s%s%s", f->name, f->argument ? " " : "",
			f->argument ? f->argument : "");
		buf_addf(out, "  %-*s %s\n", FLAG_WIDTH, name, f->doc);
	}
	buf_addf(out, "  %-*s %s\n", FLAG_WIDTH, "--help", "this text");
}

/* Of "alerts": "alerts rules" and others. */
static void add_members(const char *group, struct buf *out)
{
	const char *title = "\nMore of it:\n";
	size_t n = strlen(group);

	for (const struct command *c = commands; c->name; c++) {
		if (c->hidden || !str_starts(c->name, group) || c->name[n] != ' ')
			continue;
		buf_adds(out, title);
		title = "";
		add_line(c, out);
	}
}

void command_help_one(const struct command *c, struct buf *out)
{
	buf_addf(out, "usage: agent %s%s%s%s\n\n%c%s.\n", c->name, c->arguments ? " " : "",
		c->arguments ? c->arguments : "", c->takes ? " [OPTION...]" : "",
		c->doc[0] >= 'a' && c->doc[0] <= 'z' ? c->doc[0] - 'a' + 'A' : c->doc[0],
		c->doc + 1);
	if (c->more)
		buf_addf(out, "%s\n", c->more);
	add_flags(c, out);
	add_members(c->name, out);
}

bool command_help_group(const char *word, struct buf *out)
{
	size_t n = strlen(word);
	bool found = false;

	for (const struct command *c = commands; c->name; c++) {
		if (c->hidden || !str_starts(c->name, word) || (c->name[n] && c->name[n] != ' '))
			continue;
		if (!found)
			buf_addf(out, "usage: agent %s %s[OPTION...]\n\n", word,
				c->name[n] ? "COMMAND " : "");
		found = true;
		add_line(c, out);
	}
	if (found)
		buf_adds(out, "\nOptions of a command: agent help COMMAND\n");
	return found;
}

/* The words that can come first, or after `group`, each once. */
static void add_words(const char *group, struct buf *out)
{
	size_t skip = *group ? strlen(group) + 1 : 0;
	const char *before = "";

	for (const struct command *c = commands; c->name; c++) {
		const char *word = c->name + skip;
		size_t n;

		if (c->hidden ||
			(skip && (!str_starts(c->name, group) || c->name[skip - 1] != ' ')))
			continue;
		n = strcspn(word, " ");
		if (strncmp(before, word, n) != 0 || (before[n] && before[n] != ' '))
			buf_addf(out, " %.*s", (int)n, word);
		before = word;
	}
}

static void add_completion_row(const struct command *c, struct buf *out)
{
	buf_addf(out, "\t\"%s\") options=\"--help", c->name);
	for (int i = 0; i < FLAGS; i++)
		if (c->takes & TAKES(i))
			buf_addf(out, " %s", command_flags[i].name);
	buf_adds(out, "\" ;;\n");
}

static void add_completion_groups(struct buf *out)
{
	const char *before = "";

	for (const struct command *c = commands; c->name; c++) {
		size_t n = strcspn(c->name, " ");
		_cleanup_(free_p) char *group = str_ndup(c->name, n);

		if (c->hidden || !c->name[n] || (str_starts(before, group) && before[n] == ' '))
			continue;
		buf_addf(out, "\t\"%s \") words=\"", group);
		add_words(group, out);
		buf_adds(out, "\" ;;\n");
		before = c->name;
	}
}

void command_completion(struct buf *out)
{
	buf_adds(out,
		"# SPDX-License-Identifier: Apache-2.0\n"
		"# shellcheck shell=bash\n"
		"# Completion for bash, printed by \"agent completion\".\n"
		"_agent()\n{\n"
		"\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		"\tlocal first=${COMP_WORDS[1]-} second=${COMP_WORDS[2]-} words=\"\" "
		"options=\"--help\"\n"
		"\tcase $before in\n"
		"\t--state) mapfile -t COMPREPLY < <(compgen -d -- \"$current\"); return ;;\n"
		"\t--config) mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;\n"
		"\t--severity) mapfile -t COMPREPLY < <(compgen -W \"info warning critical\" -- "
		"\"$current\"); return ;;\n"
		"\tesac\n"
		"\t[ \"$COMP_CWORD\" -gt 1 ] || first=\"\"\n"
		"\t[ \"$COMP_CWORD\" -gt 2 ] || second=\"\"\n"
		"\tcase \"$first $second\" in\n\t\" \") words=\"help");
	add_words("", out);
	buf_adds(out, "\" ;;\n\t\"help \") words=\"");
	add_words("", out);
	buf_adds(out, "\" ;;\n");
	add_completion_groups(out);
	buf_adds(out, "\tesac\n\tcase $first in\n");
	for (const struct command *c = commands; c->name; c++)
		if (!c->hidden && !strchr(c->name, ' '))
			add_completion_row(c, out);
	buf_adds(out, "\tesac\n\tcase \"$first $second\" in\n");
	for (const struct command *c = commands; c->name; c++)
		if (!c->hidden && strchr(c->name, ' '))
			add_completion_row(c, out);
	buf_adds(out, "\tesac\n"
		      "\tcase $current in -*) words=$options ;; esac\n"
		      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
		      "}\ncomplete -F _agent agent\n");
}
