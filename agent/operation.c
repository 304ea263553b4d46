/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operation.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const char *code_of(int r)
{
	switch (r) {
	case -EINVAL:
		return "bad_request";
	case -ENOENT:
		return "not_found";
	case -EACCES:
	case -EPERM:
		return "forbidden";
	case -EAGAIN:
		return "unavailable";
	case -EALREADY:
		return "conflict";
	default:
		return "failed";
	}
}

static const struct operation *find_operation(const char *name)
{
	for (const struct operation *o = operations; name && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static enum role role_of(const struct control_call *c)
{
	const json_t *as = json_object_get(c->request, "as");

	if (!c->is_web)
		return ROLE_ADMIN;
	return as ? role_from(json_string_value(json_object_get(as, "role"))) : ROLE_VIEWER;
}

static int run(const struct control_call *asked, struct err *e)
{
	const char *name = json_string_value(json_object_get(asked->request, "op"));
	const struct operation *o = find_operation(name);
	struct control_call call = *asked;

	call.role = role_of(asked);
	if (!o)
		return err_set(e, EINVAL, "there is no operation \"%s\"", name ? name : "");
	if (o->web_only ? !call.is_web : call.role < o->role)
		return err_set(e, EACCES, "%s needs the role %s", o->name, role_name(o->role));
	return o->fn(&call, e);
}

static void write_error(struct buf *out, json_int_t id, int r, const struct err *e)
{
	buf_clear(out);
	buf_addf(out, "{\"id\":%lld,\"ok\":false,\"code\":\"%s\",\"error\":", (long long)id,
		code_of(r));
	buf_add_json_string(out, e->msg);
}

bool operation_answer(const struct control_call *call)
{
	struct buf *out = call->reply;
	json_int_t id = json_integer_value(json_object_get(call->request, "id"));
	struct err e;
	int r;

	buf_clear(out);
	buf_addf(out, "{\"id\":%lld,\"ok\":true", (long long)id);
	r = run(call, &e);
	if (r == CONTROL_LATER)
		return false;
	if (r == 0 && out->overflow)
		r = err_set(&e, EMSGSIZE, "the answer is too large");
	if (r < 0)
		write_error(out, id, r, &e);
	buf_addc(out, '}');
	return true;
}

void operation_write(
	struct buf *out, json_int_t id, int r, const struct err *e, const struct buf *members)
{
	buf_clear(out);
	buf_addf(out, "{\"id\":%lld,\"ok\":true", (long long)id);
	if (r < 0)
		write_error(out, id, r, e);
	else
		buf_add(out, buf_str(members), members->len);
	buf_addc(out, '}');
}
