/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/wire.h"

enum { NESTING_MAX = 32 };

static int check_nesting(const char *text, size_t len, struct err *e)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > NESTING_MAX)
			return err_set(e, EINVAL, "nested deeper than %d levels", NESTING_MAX);
	}
	return 0;
}

json_t *wire_parse(const char *text, size_t len, struct err *e)
{
	json_error_t je;
	json_t *j;

	if (len && memchr(text, '\0', len)) {
		(void)err_set(e, EINVAL, "not JSON: there is a NUL byte in it");
		return NULL;
	}
	if (check_nesting(text, len, e) < 0)
		return NULL;
	j = json_loadb(len ? text : "", len, JSON_REJECT_DUPLICATES, &je);
	if (!j) {
		(void)err_set(e, EINVAL, "not JSON: %s (at byte %d)", je.text, je.position);
		return NULL;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		(void)err_set(e, EINVAL, "not a JSON object");
		return NULL;
	}
	return j;
}
