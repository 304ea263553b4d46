/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "backup/engine_mysql.h"
#include "base/cleanup.h"

static const char RIGHTS_SQL[] =
	"SELECT Routine_type, HEX(Routine_name), HEX(User), HEX(Host), Proc_priv"
	" FROM mysql.procs_priv WHERE Db = ";

/* "Execute,Alter Routine,Grant" */
static void add_grant(struct buf *out, const char *database, char **row, const char *const *names)
{
	bool execute = strstr(row[4], "Execute") != NULL;
	bool alter = strstr(row[4], "Alter") != NULL;

	buf_addf(out, "GRANT %s%s%s ON %s ",
		execute ? "EXECUTE"
		: alter ? ""
			: "USAGE",
		execute && alter ? ", " : "", alter ? "ALTER ROUTINE" : "", row[0]);
	mysql_add_name(out, database);
	buf_addc(out, '.');
	mysql_add_name(out, names[0]);
	buf_adds(out, " TO ");
	mysql_add_name(out, names[1]);
	if (*names[2]) {
		buf_addc(out, '@');
		mysql_add_name(out, names[2]);
	}
	buf_adds(out, strstr(row[4], "Grant") ? " WITH GRANT OPTION;\n" : ";\n");
}

void mysql_routine_rights(const struct engine_call *c, const char *database, struct buf *out)
{
	struct buf sql = BUF_INIT(4096), text = BUF_INIT(MYSQL_SCRIPT_MAX);
	char *at, *row[5], names[3][MYSQL_NAME_MAX];
	struct err why;

	buf_adds(&sql, RIGHTS_SQL);
	mysql_add_text(&sql, database);
	buf_adds(&sql, ";\n");
	/* Who may not read them may not give them either, and is told about users at the backup. */
	at = mysql_script(c, NULL, buf_str(&sql), PLACE_DEADLINE_MS, &text, &why) == 0 ? text.data
										       : NULL;
	while (at && mysql_next_row(&at, row, ARRAY_LEN(row))) {
		const char *const list[] = {names[0], names[1], names[2]};
		bool good = true;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			good = good && mysql_unhex(row[1 + i], names[i], sizeof(names[i]));
		if (good)
			add_grant(out, database, row, list);
	}
	buf_done(&sql);
	buf_done(&text);
}
