/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: words and options are sorted out, mistakes are explained, help comes from the
 * table.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/command.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { WORDS_MAX = 20 };

static struct command_call call;
static struct err error;

/* Parses a line, words split at spaces. */
static int parse(const char *line)
{
	static char text[512];
	const char *words[WORDS_MAX];
	char *save = NULL;
	int n = 0;

	memset(&call, 0, sizeof(call));
	error.msg[0] = '\0';
	(void)str_copy(text, sizeof(text), line);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return command_parse(n, words, &call, &error);
}

static void wrong(const char *line, const char *expected)
{
	ck_assert_int_eq(parse(line), -EINVAL);
	ck_assert_str_eq(error.msg, expected);
}

START_TEST(the_table_is_in_order)
{
	for (const struct command *c = commands; c->name; c++) {
		ck_assert_msg(c == commands || strcmp(c[-1].name, c->name) < 0, "%s", c->name);
		ck_assert_msg(c->doc && *c->doc && !str_ends(c->doc, "."), "%s: doc", c->name);
		ck_assert_msg(c->run != NULL, "%s", c->name);
		ck_assert_uint_le(c->max_args, COMMAND_ARGS_MAX);
		ck_assert_int_eq(parse(c->name), 0);
		ck_assert_ptr_eq(call.command, c);
	}
	for (int i = 1; i < FLAGS; i++)
		ck_assert_int_lt(strcmp(command_flags[i - 1].name, command_flags[i].name), 0);
}
END_TEST

START_TEST(sentences_and_options)
{
	ck_assert_int_eq(parse("token show --viewer --state /tmp/x"), 0);
	ck_assert_str_eq(call.command->name, "token show");
	ck_assert_ptr_nonnull(call.flags[FLAG_VIEWER]);
	ck_assert_str_eq(call.flags[FLAG_STATE], "/tmp/x");
	ck_assert_ptr_null(call.flags[FLAG_JSON]);
	ck_assert_int_eq(parse("--state=/a=b token --json show"), 0);
	ck_assert_str_eq(call.flags[FLAG_STATE], "/a=b");
	ck_assert_str_eq(call.command->name, "token show");
	ck_assert_int_eq(parse("run --listen 127.0.0.1:1"), 0);
	ck_assert_str_eq(call.flags[FLAG_LISTEN], "127.0.0.1:1");
	ck_assert(!call.help);
}
END_TEST

START_TEST(one_word_may_be_a_command_and_the_first_of_others)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	ck_assert_int_eq(parse("alerts --json"), 0);
	ck_assert_str_eq(call.command->name, "alerts");
	ck_assert_int_eq(parse("alerts --json rules"), 0);
	ck_assert_str_eq(call.command->name, "alerts rules");
	ck_assert_uint_eq(call.n_args, 0);
	ck_assert_int_eq(parse("alerts ack rules"), 0);
	ck_assert_str_eq(call.command->name, "alerts ack");
	ck_assert_str_eq(call.args[0], "rules");
	wrong("alerts rule", "there is no command \"alerts rule\"; did you mean \"alerts rules\"?");
	wrong("alerts zebra", "there is no command \"alerts zebra\"");
	ck_assert_int_eq(parse("help alerts"), 0);
	ck_assert_str_eq(call.command->name, "alerts");
	command_help_one(call.command, &b);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "usage: agent alerts [OPTION...]"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "\n  alerts unsilence  end a silence\n"));
}
END_TEST

START_TEST(help_is_asked_for_in_many_ways)
{
	static const char *const ways[] = {
		"help token show", "token show --help", "token -h show", "--help token show"};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		ck_assert_int_eq(parse(ways[i]), 0);
		ck_assert(call.help);
		ck_assert_str_eq(call.command->name, "token show");
	}
	ck_assert_int_eq(parse("help"), 0);
	ck_assert(call.help && !call.command);
	ck_assert_int_eq(parse("config --help"), 0);
	ck_assert(call.help && !call.command && call.n_args == 1);
}
END_TEST

START_TEST(mistakes_are_explained)
{
	wrong("", "a command is missing");
	wrong("confg", "there is no command \"confg\"; did you mean \"config\"?");
	wrong("config", "\"agent config\" needs one more word");
	wrong("config shwo", "there is no command \"config shwo\"; did you mean \"config show\"?");
	wrong("zebra", "there is no command \"zebra\"");
	wrong("help zebra", "there is no command \"zebra\"");
	wrong("version --bogus", "there is no option --bogus");
	wrong("version --state x", "\"agent version\" takes no option --state");
	wrong("version extra", "\"agent version\" does not take \"extra\"");
	wrong("run --state", "--state needs an argument: DIR");
	wrong("run --state=", "--state needs an argument: DIR");
	wrong("run --state a --state b", "--state is given twice");
	wrong("version --json=x", "--json takes no argument");
	wrong("version -- --json", "\"agent version\" does not take \"--json\"");
	wrong("a a a a a a a a a a a a a a a a a", "more than 16 words");
}
END_TEST

START_TEST(hidden_commands_are_not_suggested)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	wrong("wed", "there is no command \"wed\"");
	command_help_all(&b);
	ck_assert_ptr_null(strstr(buf_str(&b), "web process"));
}
END_TEST

START_TEST(help_names_all_and_fits_a_terminal)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	command_help_all(&b);
	for (const struct command *c = commands; c->name; c++) {
		if (c->hidden)
			continue;
		ck_assert_msg(
			strstr(buf_str(&b), c->name) && strstr(buf_str(&b), c->doc), "%s", c->name);
		command_help_one(c, &b);
	}
	for (const char *p = buf_str(&b); *p; p += strcspn(p, "\n") + 1)
		ck_assert_msg(strcspn(p, "\n") <= 100, "%.*s", (int)strcspn(p, "\n"), p);
}
END_TEST

START_TEST(a_group_has_its_help)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	ck_assert(!command_help_group("tok", &b));
	ck_assert(command_help_group("token", &b));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "token rotate"));
	ck_assert_ptr_null(strstr(buf_str(&b), "config"));
}
END_TEST

static void check_state(const char *line, const char *expected)
{
	char *state;

	ck_assert_int_eq(parse(line), 0);
	state = command_state_dir(&call);
	ck_assert_str_eq(state, expected);
	free(state);
}

START_TEST(the_state_folder)
{
	(void)setenv("AGENT_STATE", "/env", 1);
	check_state("run", "/env");
	check_state("run --state ./var", "./var");
	(void)unsetenv("AGENT_STATE");
	(void)setenv("XDG_STATE_HOME", "/xdg", 1);
	check_state("run", geteuid() == 0 ? "/var/lib/agent" : "/xdg/agent");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");
	TCase *t = tcase_create("command");
	SRunner *sr;
	int failed;

	tcase_add_test(t, the_table_is_in_order);
	tcase_add_test(t, sentences_and_options);
	tcase_add_test(t, one_word_may_be_a_command_and_the_first_of_others);
	tcase_add_test(t, help_is_asked_for_in_many_ways);
	tcase_add_test(t, mistakes_are_explained);
	tcase_add_test(t, hidden_commands_are_not_suggested);
	tcase_add_test(t, help_names_all_and_fits_a_terminal);
	tcase_add_test(t, a_group_has_its_help);
	tcase_add_test(t, the_state_folder);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
