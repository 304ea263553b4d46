/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of the control protocol. The first byte says whether the web process asks. Operations
 * that change files of the state folder fail here: there is none.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/schema.h"
#include "base/log.h"
#include "base/str.h"
#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct daemon d;
static struct buf reply = BUF_INIT(1 << 20);

static void start(void)
{
	struct mistakes m = {0};
	struct entity *e;

	log_init(LOG_LEVEL_ERROR, NULL);
	d.state = (struct state_dir){NULL, -1, -1, false};
	d.config_path = "/nonexistent/agent.conf";
	if (config_from_memory(&options_all, "fuzz.conf", "", 0, &d.config, &m) < 0 ||
		db_open(":memory:", schema_migrations, schema_migrations_count, &d.db, NULL) < 0 ||
		catalogue_new(d.db, &d.catalogue, NULL) < 0 || loop_new(&d.loop, NULL) < 0 ||
		control_new(d.loop, &d, &d.control, NULL) < 0)
		abort();
	d.problems = problems_new(NULL, NULL);
	d.sampling.interval_ms = 20000;
	if (http_client_new(d.loop, &d.http, NULL) < 0 || alerting_new(&d, &d.alerting, NULL) < 0)
		abort();
	d.registry = registry_new();
	registry_begin(d.registry);
	e = registry_get(d.registry, &class_container, "web");
	entity_label(e, "image", "nginx");
	d.sampling.time = 1795000000;
}

/* Subscriptions and late answers belong to a connection, the doctor to a daemon that runs: neither is
 * there. */
static bool needs_more(const char *op)
{
	return str_starts(op, "sample.") || strcmp(op, "doctor") == 0 ||
	       strcmp(op, "chart.render") == 0 || strcmp(op, "notify.test") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_call call = {.daemon = &d, .reply = &reply};
	json_t *request, *answer;
	const char *op;

	if (!d.config)
		start();
	if (size < 1)
		return 0;
	call.is_web = data[0] & 1;
	request = wire_parse((const char *)data + 1, size - 1, NULL);
	if (!request)
		return 0;
	op = json_string_value(json_object_get(request, "op"));
	if (!op || !needs_more(op)) {
		call.request = request;
		operation_answer(&call);
		answer = wire_parse(buf_str(&reply), reply.len, NULL);
		assert(answer);
		json_decref(answer);
	}
	json_decref(request);
	return 0;
}
