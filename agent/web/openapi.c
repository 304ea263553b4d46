/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "agent/web/handlers.h"
#include "agent/web/routes.h"
#include "base/cleanup.h"
#include "base/str.h"

/* OpenAPI 3.0 (https://spec.openapis.org/oas/v3.0.3) from the route table. */

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\": ", name);
	buf_add_json_string(b, text);
}

static void add_schema(struct buf *b, const struct route_param *p)
{
	bool number = strcmp(p->type, "integer") == 0;

	buf_addf(b, "\"schema\": {\"type\": \"%s\"", p->type);
	if (p->max && number)
		buf_addf(b, ", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, p->min, p->max);
	else if (p->max)
		buf_addf(
			b, ", \"minLength\": %" PRId64 ", \"maxLength\": %" PRId64, p->min, p->max);
	buf_adds(b, "}}");
}

static void add_param(struct buf *b, const struct route *r, const struct route_param *p)
{
	bool path = route_has_segment(r, p->name);

	buf_adds(b, "{");
	add_text(b, "name", p->name);
	buf_addf(b, ", \"in\": \"%s\", \"required\": %s, ", path ? "path" : "query",
		p->required ? "true" : "false");
	add_text(b, "description", p->doc);
	buf_adds(b, ", ");
	if (p->repeats)
		buf_addf(b,
			"\"explode\": true, \"schema\": {\"type\": \"array\", \"items\": "
			"{\"type\": \"%s\"}}}",
			p->type);
	else
		add_schema(b, p);
}

/* The members of a POST's body. */
static void add_body(struct buf *b, const struct route *r)
{
	_cleanup_(buf_done) struct buf required = BUF_INIT(1024);
	bool first = true;

	buf_adds(b, "\"requestBody\": {\"content\": {\"application/json\": {\"schema\": "
		    "{\"type\": \"object\", \"properties\": {");
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++) {
		const struct route_param *p = &r->params[i];

		if (route_has_segment(r, p->name))
			continue;
		buf_addf(b, "%s\"%s\": {\"type\": \"%s\", ", first ? "\n  " : ",\n  ", p->name,
			p->type);
		add_text(b, "description", p->doc);
		buf_adds(b, "}");
		if (p->required)
			buf_addf(&required, "%s\"%s\"", required.len ? ", " : "", p->name);
		first = false;
	}
	buf_adds(b, "}");
	if (required.len)
		buf_addf(b, ", \"required\": [%s]", buf_str(&required));
	buf_adds(b, "}}}}");
}

static void add_params(struct buf *b, const struct route *r)
{
	bool prefix = strlen(r->path) > 1 && str_ends(r->path, "/");
	bool post = strcmp(r->method, "POST") == 0;
	bool first = !prefix;

	buf_adds(b, "\"parameters\": [");
	if (prefix)
		buf_adds(b, "{\"name\": \"name\", \"in\": \"path\", \"required\": true, "
			    "\"schema\": {\"type\": \"string\"}}");
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++) {
		if (post && !route_has_segment(r, r->params[i].name))
			continue;
		buf_adds(b, first ? "\n  " : ",\n  ");
		add_param(b, r, &r->params[i]);
		first = false;
	}
	buf_adds(b, "]");
	if (post) {
		buf_adds(b, ", ");
		add_body(b, r);
	}
}

static bool has_path_param(const struct route *r)
{
	return strchr(r->path, '{') != NULL;
}

static void add_responses(struct buf *b, const struct route *r)
{
	bool needs_role = r->role > ROLE_NONE, is_post = strcmp(r->method, "POST") == 0;
	const struct {
		const char *status;
		bool possible;
	} failures[] = {{"400", r->params[0].name != NULL}, {"401", needs_role},
		{"403", needs_role}, {"404", has_path_param(r)},
		{"409", str_ends(r->path, "/cancel")}, {"413", is_post}, {"429", needs_role},
		{"503", true}};

	buf_adds(b, "\"responses\": {\"200\": {\"description\": \"Done.\", \"content\": {");
	buf_add_json_string(b, r->type);
	buf_adds(b, ": {}}}");
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (failures[i].possible)
			buf_addf(b, ", \"%s\": {\"$ref\": \"#/components/responses/error\"}",
				failures[i].status);
	buf_addc(b, '}');
}

static void add_operation(struct buf *b, const struct route *r)
{
	size_t n = strlen(r->method);

	buf_addc(b, '"');
	for (size_t i = 0; i < n; i++)
		buf_addc(b, (char)(r->method[i] | 0x20));
	buf_adds(b, "\": {");
	add_text(b, "summary", r->doc);
	buf_adds(b, ", ");
	if (r->role == ROLE_NONE)
		buf_adds(b, "\"security\": [], ");
	add_params(b, r);
	buf_adds(b, ", ");
	add_responses(b, r);
	buf_adds(b, "}");
}

/* Rows of one path stand together in the table. */
static void add_paths(struct buf *b)
{
	const char *last = "";

	for (const struct route *r = routes; r->path; r++) {
		if (strcmp(r->path, last) == 0) {
			buf_adds(b, ",\n ");
		} else {
			buf_adds(b, *last ? "},\n" : "\n");
			buf_addc(b, '"');
			buf_adds(b, r->path);
			if (strlen(r->path) > 1 && str_ends(r->path, "/"))
				buf_adds(b, "{name}");
			buf_adds(b, "\": {\n ");
		}
		add_operation(b, r);
		last = r->path;
	}
	buf_adds(b, "}");
}

void openapi_get(struct call *c)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	buf_adds(&b, "{\"openapi\": \"3.0.3\", \"info\": {\"title\": \"agent\", ");
	add_text(&b, "version", c->web->version ? c->web->version : "");
	buf_adds(&b, "},\n\"security\": [{\"token\": []}, {\"session\": []}],\n\"paths\": {");
	add_paths(&b);
	buf_adds(&b, "},\n\"components\": {\"securitySchemes\": {"
		     "\"token\": {\"type\": \"http\", \"scheme\": \"bearer\"}, "
		     "\"session\": {\"type\": \"apiKey\", \"in\": \"cookie\", \"name\": "
		     "\"agent_session\"}},\n"
		     "\"responses\": {\"error\": {\"description\": \"Why it was not done.\", "
		     "\"content\": {\"application/json\": {\"schema\": {\"type\": \"object\", "
		     "\"properties\": {\"error\": {\"type\": \"string\"}}}}}}}}}\n");
	call_json(c, &b);
}
