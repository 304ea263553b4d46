/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/json_rows.h"

#include <errno.h>
#include <stdlib.h>

int json_rows_prepare(
	struct db *db, const char *const *sql, size_t n, struct db_stmt **out, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = db_prepare(db, sql[i], &out[i], e);
	return r;
}

void json_rows_finalize(struct db_stmt **statements, size_t n)
{
	for (size_t i = 0; i < n; i++)
		db_finalize(statements[i]);
}

int json_rows_run(struct db_stmt *s, struct err *e)
{
	int r = db_step(s, e);

	db_reset(s);
	return r < 0 ? r : 0;
}

char *json_rows_text(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (!text)
		abort(); /* all in it came through a JSON parser */
	return text;
}

static json_t *read_row(struct db_stmt *s, const char *id)
{
	const char *body = db_text(s, 1);
	json_t *object = body ? json_loads(body, 0, NULL) : NULL;

	if (!json_is_object(object)) {
		json_decref(object);
		object = json_object();
	}
	(void)json_object_set_new(object, id, json_integer(db_int(s, 0)));
	return object;
}

int json_rows_read(struct db_stmt *s, const char *id, json_t **out, struct err *e)
{
	json_t *list = json_array();
	int r;

	while ((r = db_step(s, e)) == DB_ROW)
		(void)json_array_append_new(list, read_row(s, id));
	db_reset(s);
	if (r < 0)
		json_decref(list);
	else
		*out = list;
	return r < 0 ? r : 0;
}

int json_rows_first(struct db_stmt *s, const char *id, json_t **out, struct err *e)
{
	json_t *list;
	int r = json_rows_read(s, id, &list, e);

	if (r < 0)
		return r;
	if (json_array_size(list))
		*out = json_incref(json_array_get(list, 0));
	else
		r = err_set(e, ENOENT, "there is no such %s", id);
	json_decref(list);
	return r;
}
