/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

/* How many of the words the command's name takes; 0: it is another command. */
static size_t words_matched(const struct command *c, const char *const *words, size_t n)
{
	const char *name = c->name;
	size_t i = 0;

	for (; *name && i < n; i++) {
		size_t len = strcspn(name, " ");

		if (strlen(words[i]) != len || memcmp(words[i], name, len) != 0)
			return 0;
		name += len + (name[len] == ' ');
	}
	return *name ? 0 : i;
}

/* The command whose name takes most of the words ("alerts rules" rather than "alerts"). */
static const struct command *longest_match(const char *const *words, size_t n, size_t *taken)
{
	const struct command *best = NULL;

	*taken = 0;
	for (const struct command *c = commands; c->name; c++) {
		size_t matched = words_matched(c, words, n);

		if (matched > *taken) {
			*taken = matched;
			best = c;
		}
	}
	return best;
}

static bool is_group(const char *word)
{
	for (const struct command *c = commands; c->name; c++)
		if (str_starts(c->name, word) && c->name[strlen(word)] == ' ')
			return true;
	return false;
}

/* The known word at this place ("show" after "token") that `word` most likely means. */
static bool nearest(const char *group, const char *word, char *to, size_t size)
{
	size_t best = strlen(word) / 3 + 1, skip = *group ? strlen(group) + 1 : 0;
	bool found = false;

	for (const struct command *c = commands; c->name; c++) {
		_cleanup_(free_p) char *one = NULL;
		size_t d;

		if (c->hidden ||
			(*group && (!str_starts(c->name, group) || c->name[skip - 1] != ' ')))
			continue;
		one = str_ndup(c->name + skip, strcspn(c->name + skip, " "));
		d = str_distance(one, word);
		if (d < best || (d == best && !found)) {
			best = d;
			found = str_copy(to, size, one);
		}
	}
	return found;
}

static int unknown(const char *group, const char *word, struct err *e)
{
	char near[64];

	if (nearest(group, word, near, sizeof(near)))
		return err_set(e, EINVAL,
			"there is no command \"%s%s%s\"; did you mean \"%s%s%s\"?", group,
			*group ? " " : "", word, group, *group ? " " : "", near);
	return err_set(e, EINVAL, "there is no command \"%s%s%s\"", group, *group ? " " : "", word);
}

static int find_flag(const char *text, size_t n)
{
	for (int i = 0; i < FLAGS; i++)
		if (strlen(command_flags[i].name) == n &&
			memcmp(command_flags[i].name, text, n) == 0)
			return i;
	return -1;
}

/* Takes the option at argv[*i] and its argument. */
static int take_flag(
	int argc, const char *const *argv, int *i, struct command_call *call, struct err *e)
{
	const char *text = argv[*i], *equal = strchr(text, '=');
	size_t n = equal ? (size_t)(equal - text) : strlen(text);
	const struct flag *f;
	int flag;

	if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
		call->help = true;
		return 0;
	}
	flag = find_flag(text, n);
	if (flag < 0)
		return err_set(e, EINVAL, "there is no option %.*s", (int)n, text);
	f = &command_flags[flag];
	if (call->flags[flag])
		return err_set(e, EINVAL, "%s is given twice", f->name);
	if (!f->argument && equal)
		return err_set(e, EINVAL, "%s takes no argument", f->name);
	if (f->argument && !equal && *i + 1 >= argc)
		return err_set(e, EINVAL, "%s needs an argument: %s", f->name, f->argument);
	call->flags[flag] = !f->argument ? "" : equal ? equal + 1 : argv[++*i];
	if (f->argument && !*call->flags[flag])
		return err_set(e, EINVAL, "%s needs an argument: %s", f->name, f->argument);
	return 0;
}

/* Options into call->flags, all other words into call->args. */
static int sort_out(int argc, const char *const *argv, struct command_call *call, struct err *e)
{
	bool options = true;

	for (int i = 0; i < argc; i++) {
		int r = 0;

		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			r = take_flag(argc, argv, &i, call, e);
		} else if (call->n_args == COMMAND_ARGS_MAX) {
			r = err_set(e, EINVAL, "more than %d words", COMMAND_ARGS_MAX);
		} else {
			call->args[call->n_args++] = argv[i];
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_call(const struct command_call *call, struct err *e)
{
	const struct command *c = call->command;

	for (int i = 0; i < FLAGS; i++)
		if (call->flags[i] && !(c->takes & TAKES(i)))
			return err_set(e, EINVAL, "\"agent %s\" takes no option %s", c->name,
				command_flags[i].name);
	if (call->n_args > c->max_args && is_group(c->name))
		return unknown(c->name, call->args[c->max_args], e);
	if (call->n_args > c->max_args)
		return err_set(e, EINVAL, "\"agent %s\" does not take \"%s\"", c->name,
			call->args[c->max_args]);
	return 0;
}

static void drop_words(struct command_call *call, size_t n)
{
	call->n_args -= n;
	memmove(call->args, call->args + n, call->n_args * sizeof(*call->args));
}

int command_parse(int argc, const char *const *argv, struct command_call *out, struct err *e)
{
	struct command_call call = {0};
	size_t taken;
	int r = sort_out(argc, argv, &call, e);

	if (r < 0)
		return r;
	if (call.n_args && strcmp(call.args[0], "help") == 0) {
		call.help = true;
		drop_words(&call, 1);
	}
	call.command = longest_match(call.args, call.n_args, &taken);
	if (call.command)
		drop_words(&call, taken);
	else if (call.n_args > 1 && is_group(call.args[0]))
		return unknown(call.args[0], call.args[1], e);
	else if (call.n_args && !is_group(call.args[0]))
		return unknown("", call.args[0], e);
	else if (!call.help && call.n_args)
		return err_set(e, EINVAL, "\"agent %s\" needs one more word", call.args[0]);
	else if (!call.help)
		return err_set(e, EINVAL, "a command is missing");
	if (!call.help && (r = check_call(&call, e)) < 0)
		return r;
	*out = call;
	return 0;
}

char *command_state_dir(const struct command_call *c)
{
	const char *given = c->flags[FLAG_STATE], *env = getenv("AGENT_STATE");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (given)
		return str_dup(given);
	if (env && *env)
		return str_dup(env);
	if (geteuid() == 0)
		return str_dup("/var/lib/agent");
	if (xdg && *xdg == '/')
		return str_format("%s/agent", xdg);
	return str_format("%s/.local/state/agent", home && *home ? home : ".");
}

static int show_help(const struct command_call *call)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	if (call->command)
		command_help_one(call->command, &b);
	else if (!call->n_args || !command_help_group(call->args[0], &b))
		command_help_all(&b);
	return fputs(buf_str(&b), stdout) < 0 || fflush(stdout) != 0 ? COMMAND_FAILED
								     : COMMAND_DONE;
}

/* After a mistake: the command it may have been about, else where to look. */
static void show_usage(int argc, const char *const *argv)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
	size_t taken;
	const struct command *c = longest_match(argv, (size_t)argc, &taken);

	if (c && !c->hidden)
		command_help_one(c, &b);
	if (argc == 0)
		command_help_all(&b);
	else if (!b.len && (argv[0][0] == '-' || !command_help_group(argv[0], &b)))
		buf_adds(&b, "Try: agent --help\n");
	(void)fputs(buf_str(&b), stderr);
}

int command_main(int argc, char **argv)
{
	static const char *const version[] = {"version"};
	const char *const *words = (const char *const *)argv + 1;
	int n = argc > 0 ? argc - 1 : 0;
	struct command_call call;
	struct err e;

	if (n == 1 && strcmp(words[0], "--version") == 0)
		words = version;
	if (command_parse(n, words, &call, &e) < 0) {
		(void)fprintf(stderr, "agent: %s\n", e.msg);
		show_usage(n, words);
		return COMMAND_USAGE;
	}
	return call.help ? show_help(&call) : call.command->run(&call);
}
