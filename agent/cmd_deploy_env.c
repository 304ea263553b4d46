/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy env`: the secrets of an app. Values go in and are never shown.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/deploy_env.h"
#include "agent/json_view.h"
#include "base/cleanup.h"
#include "base/str.h"

static void on_signal(int signo)
{
	(void)signo;
}

/* From a terminal without showing it. Ctrl-C ends the reading: the terminal must show again what is typed. */
static bool read_hidden(const char *name, char *to, size_t size)
{
	const struct sigaction interrupts = {.sa_handler = on_signal};
	struct termios shown, hidden;
	bool ok;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return false;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	(void)sigaction(SIGINT, &interrupts, NULL);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		return false;
	(void)fprintf(stderr, "Value of %s (not shown): ", name);
	(void)fflush(stderr);
	ok = fgets(to, (int)size, stdin) != NULL;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	if (ok)
		to[strcspn(to, "\n")] = '\0';
	return ok;
}

/* All of stdin but for one line end at the end. */
static bool read_all(char *to, size_t size)
{
	size_t n = fread(to, 1, size - 1, stdin);

	if (ferror(stdin) || memchr(to, '\0', n))
		return false;
	to[n] = '\0';
	if (n && to[n - 1] == '\n')
		to[n - 1] = '\0';
	return true;
}

/* 0, or the exit code after the reason was printed. */
static int read_value(const char *name, char *to, size_t size)
{
	bool ok = isatty(STDIN_FILENO) ? read_hidden(name, to, size) : read_all(to, size);

	if (ok)
		return 0;
	(void)fprintf(stderr, "agent: no value of %s: it could not be read\n", name);
	return COMMAND_FAILED;
}

/* "NAME=VALUE", or "NAME" and the value from stdin. */
static int add_variable(json_t *set, const char *word)
{
	const char *equal = strchr(word, '=');
	size_t n = equal ? (size_t)(equal - word) : strlen(word);
	_cleanup_(free_p) char *name = str_ndup(word, n);
	char value[DEPLOY_ENV_VALUE_MAX + 2];
	int r = 0;

	if (json_object_get(set, name)) {
		(void)fprintf(stderr, "agent: %s is given twice\n", name);
		return COMMAND_USAGE;
	}
	if (!equal)
		r = read_value(name, value, sizeof(value));
	if (r == 0)
		(void)json_object_set_new(set, name, cmd_text(equal ? equal + 1 : value));
	explicit_bzero(value, sizeof(value));
	return r;
}

static int set_request(const struct command_call *c, json_t *request)
{
	json_t *set = json_object();
	size_t asked = 0;
	int r = 0;

	(void)json_object_set_new(request, "set", set);
	for (size_t i = 2; i < c->n_args; i++)
		asked += strchr(c->args[i], '=') == NULL;
	if (c->n_args < 3)
		return cmd_usage(c, "set what? NAME=VALUE, or NAME and the value from stdin");
	if (asked > 1 && !isatty(STDIN_FILENO))
		return cmd_usage(c, "stdin has one value: give one NAME without a value");
	for (size_t i = 2; i < c->n_args && r == 0; i++)
		r = add_variable(set, c->args[i]);
	return r;
}

static int unset_request(const struct command_call *c, json_t *request)
{
	json_t *unset = json_array();

	(void)json_object_set_new(request, "unset", unset);
	if (c->n_args < 3)
		return cmd_usage(c, "unset what? Its NAME");
	for (size_t i = 2; i < c->n_args; i++)
		(void)json_array_append_new(unset, cmd_text(c->args[i]));
	return 0;
}

static int print_names(const struct command_call *c, const json_t *reply, bool changed)
{
	const json_t *names = json_object_get(reply, "names"), *one;
	size_t i;

	json_array_foreach(names, i, one) if (!changed) printf("%s\n", json_string_value(one));
	if (!changed && !json_array_size(names))
		(void)fprintf(stderr, "No variables of %s are set.\n", c->args[0]);
	if (changed)
		printf("%s has %zu variable%s. It gets them with its next deploy: agent deploy now "
		       "%s\n",
			c->args[0], json_array_size(names), json_array_size(names) == 1 ? "" : "s",
			c->args[0]);
	return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

int cmd_deploy_env(const struct command_call *c)
{
	const char *verb = c->n_args > 1 ? c->args[1] : "list";
	bool changes = strcmp(verb, "list") != 0;
	json_t *request, *reply;
	int r = 0;

	if (c->n_args == 0)
		return cmd_usage(c, "which app? Its name (agent deploy)");
	request = json_pack("{s:s, s:o}", "op", "deploy.env", "app", cmd_text(c->args[0]));
	if (strcmp(verb, "set") == 0)
		r = set_request(c, request);
	else if (strcmp(verb, "unset") == 0)
		r = unset_request(c, request);
	else if (changes || c->n_args > 2)
		r = cmd_usage(c, "set, unset or list");
	if (r != 0) {
		json_decref(request);
		return r;
	}
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : print_names(c, reply, changes);
	json_decref(reply);
	return r;
}
