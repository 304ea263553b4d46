/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/drill.h"
#include "backup/engine_mysql.h"
#include "base/str.h"

static int answers(const struct engine_call *drill, struct err *e)
{
	return mysql_script(drill, NULL, "SELECT 1;\n", PLACE_DEADLINE_MS, NULL, e);
}

int mysql_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e)
{
	static const char *const env[] = {"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1",
		"MYSQL_ALLOW_EMPTY_PASSWORD=1", "MARIADB_ROOT_HOST=%", "MYSQL_ROOT_HOST=%", NULL};
	static const struct drill_server server = {env, "root", 3306, answers};
	struct drill *d = drill_new(out, into, t);
	int r = 0;

	(void)m;
	if (place_is_host(c->place))
		drill_add_prefix(c, d, out);
	else
		r = drill_start_server(c, &server, d, out, e);
	if (r < 0)
		mysql_drill_end(c, out, t);
	return r;
}

static void drop_databases(const struct engine_call *c, const char *prefix)
{
	static const char sql[] = "SELECT HEX(schema_name) FROM information_schema.schemata;\n";
	struct buf text = BUF_INIT(1024 * 1024);
	char *at, *columns[1], name[MYSQL_NAME_MAX];
	struct err why;

	if (mysql_script(c, NULL, sql, PLACE_DEADLINE_MS, &text, &why) == 0 && text.data) {
		at = text.data;
		while (mysql_next_row(&at, columns, 1))
			if (mysql_unhex(columns[0], name, sizeof(name)) &&
				str_starts(name, prefix) && mysql_drop(c, name, &why) < 0 &&
				c->warn)
				c->warn(c->user, why.msg);
	}
	buf_done(&text);
}

void mysql_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t)
{
	drill_end(c, drill, t, drop_databases);
}
