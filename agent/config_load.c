/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/backup_config.h"
#include "agent/config_build.h"
#include "agent/config_file.h"
#include "agent/deploy_config.h"
#include "agent/notify_config.h"
#include "base/str.h"

static struct config *new_config(const struct options *table)
{
	struct config *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->table = table;
	return c;
}

/* A missing file is a mistake only when the user named it. */
static void take_file(struct config *c, const char *path, bool named, struct mistakes *m)
{
	struct config_text t;

	if (config_text_read(&t, path, m) == -ENOENT) {
		if (named)
			mistakes_add(m, NULL, 0, "there is no configuration file %s", path);
	} else {
		config_file_take(c->table, &t, &c->settings, m);
	}
	config_text_done(&t);
}

static void take_folder(struct config *c, const char *folder, struct mistakes *m)
{
	_cleanup_(free_p) char *file = str_format("%s/agent.conf", folder);
	_cleanup_(free_p) char *more = str_format("%s/conf.d/*.conf", folder);
	glob_t found;

	take_file(c, file, false, m);
	if (glob(more, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && i < CONFIG_FILES_MAX; i++)
		take_file(c, found.gl_pathv[i], false, m);
	if (found.gl_pathc > CONFIG_FILES_MAX)
		mistakes_add(m, more, 0, "more than %d files", (int)CONFIG_FILES_MAX);
	globfree(&found);
}

static void take_override(struct config *c, const struct config_override *o, struct mistakes *m)
{
	const struct option *row = options_find(c->table, o->name);
	int64_t number;
	struct err e;

	if (!row)
		mistakes_add(m, o->origin, 0, "there is no option %s", o->name);
	else if (option_parse(row, o->value, &number, &e) < 0)
		mistakes_add(m, o->origin, 0, "%s", e.msg);
	else
		setting_add(settings_put(&c->settings, o->name, row, o->origin, true), o->value,
			number);
}

static int finish(struct config *c, struct config **out, struct mistakes *m)
{
	config_build(c, m);
	if (c->table == &options_all) {
		notify_config_check(c, m);
		backup_config_check(c, m);
		deploy_config_check(c, m);
	}
	if (mistakes_count(m)) {
		config_free(c);
		return -EINVAL;
	}
	*out = c;
	return 0;
}

int config_load(const char *path, const struct config_override *overrides, size_t n_overrides,
	struct config **out, struct mistakes *m)
{
	struct config *c = new_config(&options_all);
	const char *where = path ? path : CONFIG_FOLDER;
	struct stat st;

	if (!path || (stat(where, &st) == 0 && S_ISDIR(st.st_mode)))
		take_folder(c, where, m);
	else
		take_file(c, where, true, m);
	for (size_t i = 0; i < n_overrides; i++)
		take_override(c, &overrides[i], m);
	return finish(c, out, m);
}

int config_from_memory(const struct options *table, const char *name, const char *text, size_t n,
	struct config **out, struct mistakes *m)
{
	struct config *c = new_config(table);
	struct config_text t;

	(void)config_text_from_memory(&t, name, text, n, m);
	config_file_take(table, &t, &c->settings, m);
	config_text_done(&t);
	return finish(c, out, m);
}
