/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reply.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/control.h"
#include "base/cleanup.h"
#include "base/str.h"

const char *request_text(const struct control_call *c, const char *name)
{
	const char *s = json_string_value(json_object_get(c->request, name));

	return s ? s : "";
}

int request_int(const struct control_call *c, const char *name, int64_t min, int64_t max,
	int64_t otherwise, int64_t *out, struct err *e)
{
	const json_t *v = json_object_get(c->request, name);
	int64_t n = v ? json_integer_value(v) : otherwise;

	if (v && (!json_is_integer(v) || n < min || n > max))
		return err_set(e, EINVAL, "%s must be a whole number from %" PRId64 " to %" PRId64,
			name, min, max);
	*out = n;
	return 0;
}

/* Read directly: getpwuid(3) loads the name service's libraries for good. */
static void user_name(uid_t uid, char *to, size_t size)
{
	_cleanup_(fclose_p) FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;

	while (f && (p = fgetpwent(f)))
		if (p->pw_uid == uid) {
			(void)str_copy(to, size, p->pw_name);
			return;
		}
	(void)snprintf(to, size, "user %u", (unsigned)uid);
}

void request_by(const struct control_call *c, char *to, size_t size)
{
	const json_t *as = json_object_get(c->request, "as");
	const char *from = json_string_value(json_object_get(as, "from"));

	if (!c->is_web)
		user_name(control_peer_uid(c->peer), to, size);
	else
		(void)snprintf(to, size, "web %s%s%.64s", role_name(c->role), from ? " " : "",
			from ? from : "");
}

static void add_comma(struct buf *b)
{
	if (b->len && !strchr("{[", b->data[b->len - 1]))
		buf_addc(b, ',');
}

static void add_name(struct buf *b, const char *name)
{
	/* The members of an answer are put behind others. */
	if (b->len)
		add_comma(b);
	else
		buf_addc(b, ',');
	buf_addf(b, "\"%s\":", name);
}

void reply_text(struct buf *b, const char *name, const char *value)
{
	add_name(b, name);
	buf_add_json_string(b, value);
}

void reply_text_if(struct buf *b, const char *name, const char *value)
{
	if (value && *value)
		reply_text(b, name, value);
}

void reply_json(struct buf *b, const char *name, const json_t *value)
{
	_cleanup_(free_p) char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		abort(); /* all of it came out of a parser */
	add_name(b, name);
	buf_adds(b, text);
}

void reply_int(struct buf *b, const char *name, int64_t value)
{
	add_name(b, name);
	buf_addf(b, "%" PRId64, value);
}

void reply_number(struct buf *b, const char *name, double value)
{
	add_name(b, name);
	buf_add_json_number(b, value);
}

void reply_bool(struct buf *b, const char *name, bool value)
{
	add_name(b, name);
	buf_adds(b, value ? "true" : "false");
}

void reply_texts(struct buf *b, const char *name, const char *const *list, size_t n)
{
	reply_open_list(b, name);
	for (size_t i = 0; i < n; i++) {
		add_comma(b);
		buf_add_json_string(b, list[i]);
	}
	buf_addc(b, ']');
}

void reply_open_list(struct buf *b, const char *name)
{
	add_name(b, name);
	buf_addc(b, '[');
}

void reply_open_object(struct buf *b)
{
	add_comma(b);
	buf_addc(b, '{');
}
