/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "agent/web/handlers.h"
#include "agent/web/routes.h"
#include "base/str.h"

/* OpenAPI 3.0 (https://spec.openapis.org/oas/v3.0.3) from the route table. */

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\": ", name);
	buf_add_json_string(b, text);
}

static void add_param(struct buf *b, const struct route_param *p)
{
	buf_adds(b, "{");
	add_text(b, "name", p->name);
	buf_addf(b, ", \"in\": \"query\", \"required\": %s, ", p->required ? "true" : "false");
	add_text(b, "description", p->doc);
	if (p->repeats)
		buf_addf(b,
			", \"explode\": true, \"schema\": {\"type\": \"array\", \"items\": "
			"{\"type\": \"%s\"}}}",
			p->type);
	else
		buf_addf(b, ", \"schema\": {\"type\": \"%s\"}}", p->type);
}

static void add_params(struct buf *b, const struct route *r)
{
	bool prefix = strlen(r->path) > 1 && str_ends(r->path, "/");

	buf_adds(b, "\"parameters\": [");
	if (prefix)
		buf_adds(b, "{\"name\": \"name\", \"in\": \"path\", \"required\": true, "
			    "\"schema\": {\"type\": \"string\"}}");
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && r->params[i].name; i++) {
		buf_adds(b, i || prefix ? ",\n  " : "\n  ");
		add_param(b, &r->params[i]);
	}
	buf_adds(b, "]");
}

static void add_responses(struct buf *b, const struct route *r)
{
	static const char failed[] = "{\"$ref\": \"#/components/responses/error\"}";

	buf_adds(b, "\"responses\": {\"200\": {\"description\": \"Done.\", \"content\": {");
	buf_add_json_string(b, r->type);
	buf_adds(b, ": {}}}, ");
	if (r->role > ROLE_NONE)
		buf_addf(b, "\"401\": %s, \"403\": %s, \"429\": %s, ", failed, failed, failed);
	buf_addf(b, "\"503\": %s}", failed);
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
