/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent config check|reload|sample|show`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/config.h"
#include "agent/config_show.h"
#include "agent/term.h"
#include "base/cleanup.h"

static void print_mistakes(const struct mistakes *m)
{
	for (size_t i = 0; i < m->n; i++)
		(void)fprintf(stderr, "%s\n", m->list[i]);
	if (m->more)
		(void)fprintf(stderr, "and %zu more\n", m->more);
}

static int print_mistakes_json(const struct mistakes *m)
{
	json_t *list = json_array(), *out;
	int r;

	for (size_t i = 0; i < m->n; i++)
		(void)json_array_append_new(
			list, json_stringn_nocheck(m->list[i], strlen(m->list[i])));
	out = json_pack("{s:b, s:I, s:o}", "ok", mistakes_count(m) == 0, "count",
		(json_int_t)mistakes_count(m), "mistakes", list);
	r = cmd_print_json(out);
	json_decref(out);
	return r;
}

int cmd_config_check(const struct command_call *c)
{
	const char *path = c->flags[FLAG_CONFIG];
	_cleanup_(config_free_p) struct config *config = NULL;
	struct mistakes m = {NULL, 0, 0};
	bool good = config_load(path, NULL, 0, &config, &m) == 0;
	int r = good ? COMMAND_DONE : COMMAND_FAILED;

	if (c->flags[FLAG_JSON]) {
		if (print_mistakes_json(&m) != COMMAND_DONE)
			r = COMMAND_FAILED;
	} else if (good) {
		printf("%s: no mistakes\n", path ? path : CONFIG_FOLDER);
	} else {
		print_mistakes(&m);
		(void)fprintf(stderr, "%zu mistake%s\n", mistakes_count(&m),
			mistakes_count(&m) == 1 ? "" : "s");
	}
	mistakes_done(&m);
	return r;
}

/* What the files say, as the running agent would answer. */
static int settings_of_files(const char *path, json_t **out)
{
	_cleanup_(config_free_p) struct config *config = NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT(16 << 20);
	struct mistakes m = {NULL, 0, 0};
	int r = config_load(path, NULL, 0, &config, &m);

	print_mistakes(&m);
	mistakes_done(&m);
	if (r < 0)
		return COMMAND_FAILED;
	config_show_json(config, &b);
	*out = json_pack(
		"{s:o, s:s}", "settings", json_loads(buf_str(&b), 0, NULL), "source", "files");
	return 0;
}

static int settings_of_agent(struct client *client, json_t **out)
{
	json_t *reply;
	struct err e;
	int r = client_call(client, json_pack("{s:s}", "op", "config.show"), &reply, &e);

	if (r < 0)
		return cmd_fail(r, &e);
	*out = json_pack(
		"{s:O, s:s}", "settings", json_object_get(reply, "settings"), "source", "agent");
	json_decref(reply);
	return 0;
}

static int get_settings(const struct command_call *c, json_t **out)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	struct err e;
	int r;

	if (c->flags[FLAG_CONFIG])
		return settings_of_files(c->flags[FLAG_CONFIG], out);
	r = client_open(state, &client, &e);
	if (r == -ESRCH)
		return settings_of_files(NULL, out);
	return r < 0 ? cmd_fail(r, &e) : settings_of_agent(client, out);
}

/* One setting a line; the origin stands in a column where the values are short enough. */
static void add_setting(const json_t *s, struct buf *out)
{
	const char *name = json_string_value(json_object_get(s, "name"));
	const char *origin = json_string_value(json_object_get(s, "origin"));
	_cleanup_(free_p) char *value = json_dumps(json_object_get(s, "value"), JSON_ENCODE_ANY);
	_cleanup_(buf_done) struct buf left = BUF_INIT(OPTION_VALUE_MAX * 128);

	buf_addf(&left, "%s = %s", name ? name : "?",
		!value || strcmp(value, "null") == 0 ? "" : value);
	term_add(out, buf_str(&left), 0);
	for (size_t n = term_width_of(buf_str(&left)); n < 48; n++)
		buf_addc(out, ' ');
	buf_addf(out, "  # %s\n", origin ? origin : "?");
}

int cmd_config_show(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 << 20);
	json_t *all, *s;
	size_t i;
	int r = get_settings(c, &all);

	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON]) {
		r = cmd_print_json(all);
	} else {
		json_array_foreach(json_object_get(all, "settings"), i, s) add_setting(s, &b);
		r = cmd_print(&b);
	}
	json_decref(all);
	return r;
}

int cmd_config_reload(const struct command_call *c)
{
	json_t *reply, *changed, *name;
	size_t i;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "config.reload"), &reply);

	if (r != 0)
		return r;
	changed = json_object_get(reply, "changed");
	if (c->flags[FLAG_JSON]) {
		json_t *out = json_pack("{s:O}", "changed", changed);

		r = cmd_print_json(out);
		json_decref(out);
	} else if (json_array_size(changed) == 0) {
		puts("reloaded; nothing changed");
	} else {
		fputs("reloaded; changed:", stdout);
		json_array_foreach(changed, i, name) printf(" %s", json_string_value(name));
		putchar('\n');
	}
	json_decref(reply);
	return r;
}

int cmd_config_sample(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);

	(void)c;
	config_show_sample(&options_all, &b);
	return cmd_print(&b);
}

int cmd_config_man(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);

	(void)c;
	config_show_manual(&options_all, &b);
	return cmd_print(&b);
}
