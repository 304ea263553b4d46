/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/field.h"

static int read_members(const json_t *j, struct order *o, struct err *e)
{
	const struct field fields[] = {
		{.name = "do", .text = &o->what},
		{.name = "run", .number = &o->run},
		{.name = "host", .text = &o->host},
		{.name = "state", .text = &o->state},
		{.name = "container_socket", .text = &o->container_socket},
		{.name = "agent_version", .text = &o->agent_version},
		{.name = "dry_run", .flag = &o->dry_run},
	};

	return fields_read(j, fields, ARRAY_LEN(fields), e);
}

static int read_last(const json_t *j, struct last_runs *l, struct err *e)
{
	const struct field fields[] = {
		{.name = "stored_bytes", .number = &l->stored_bytes},
		{.name = "plain_bytes", .number = &l->plain_bytes},
		{.name = "median_bytes", .number = &l->median_bytes},
		{.name = "duration_ms", .number = &l->duration_ms},
	};

	return fields_read(json_object_get(j, "last"), fields, ARRAY_LEN(fields), e);
}

static int read_restore(const json_t *j, struct restore_order *r, struct err *e)
{
	const struct field fields[] = {
		{.name = "id", .text = &r->id},
		{.name = "at", .text = &r->at},
		{.name = "store", .text = &r->store},
		{.name = "member", .text = &r->member},
		{.name = "into", .text = &r->into},
		{.name = "to", .text = &r->to},
		{.name = "yes", .flag = &r->yes},
		{.name = "identity_file", .text = &r->identity_file},
	};

	return fields_read(json_object_get(j, "restore"), fields, ARRAY_LEN(fields), e);
}

static int read_job(const json_t *j, struct order *o, struct err *e)
{
	json_t *job = json_object_get(j, "job");

	if (!job || json_is_null(job))
		return 0;
	return err_wrap(e, job_from_json(job, &o->job, e), "job");
}

static int check(struct order *o, struct err *e)
{
	const struct restore_order *r = &o->restore;

	if (!o->what)
		return err_set(e, EINVAL, "do: is missing");
	if (!json_is_array(o->stores))
		return err_set(e, EINVAL, "stores: must be a list");
	if (!o->state || o->state[0] != '/')
		return err_set(e, EINVAL, "state: must be an absolute path");
	if (!o->host)
		return err_set(e, EINVAL, "host: is missing");
	if (r->id && r->at)
		return err_set(e, EINVAL, "restore: either id or at");
	if (r->into && r->to)
		return err_set(e, EINVAL, "restore: either into or to");
	if (r->to && strcmp(r->to, "-") != 0 && r->to[0] != '/')
		return err_set(e, EINVAL, "restore: to must be \"-\" or an absolute path");
	if (!o->agent_version)
		o->agent_version = "";
	return 0;
}

int order_from_json(json_t *j, struct order **out, struct err *e)
{
	_cleanup_(order_free_p) struct order *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		abort();
	o->json = json_incref(j);
	o->stores = json_object_get(j, "stores");
	o->jobs = json_object_get(j, "jobs");
	r = read_members(j, o, e);
	if (r == 0)
		r = read_last(j, &o->last, e);
	if (r == 0)
		r = read_restore(j, &o->restore, e);
	if (r == 0)
		r = check(o, e);
	if (r == 0)
		r = read_job(j, o, e);
	if (r == 0)
		*out = TAKE_PTR(o);
	return r;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	job_free(o->job);
	json_decref(o->json);
	free(o);
}
