/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_probes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/json_view.h"
#include "base/clock.h"
#include "base/str.h"

static const char not_asked[] = "it was not asked yet";
static const char swapping[] = "a new version is being started";
static const char no_address[] = "no version of it serves at an address";

struct probe {
	char *app, *path, *host; /* host "": as the address says */
	int64_t timeout_ms;
	char address[DEPLOY_ADDRESS_SIZE];
	bool has_address, looked_up;
	struct http_request *request;
	int64_t begun_ns;
	/* Of the last one. */
	bool answered, up;
	double latency_seconds;
	const char *missing; /* why it was not asked */
};

struct deploy_probes {
	struct deploy_probes_options options;
	struct probe *list;
	size_t n;
};

static int64_t timeout_of(const struct deploy_app *a)
{
	int64_t ms;

	if (str_to_duration_ms(json_view_text(a->options, "health_timeout"), &ms, NULL) < 0 ||
		ms <= 0 || ms > DEPLOY_PROBE_TIMEOUT_MS)
		return DEPLOY_PROBE_TIMEOUT_MS;
	return ms;
}

static void probe_done(struct probe *p)
{
	http_request_cancel(p->request);
	free(p->app);
	free(p->path);
	free(p->host);
}

static void forget(struct deploy_probes *p)
{
	for (size_t i = 0; i < p->n; i++)
		probe_done(&p->list[i]);
	free(p->list);
	p->list = NULL;
	p->n = 0;
}

/* What was asked is forgotten: its answer would come into another list. */
void deploy_probes_configure(struct deploy_probes *p, const struct deploy_config *c)
{
	forget(p);
	p->list = calloc(c->n_apps ? c->n_apps : 1, sizeof(*p->list));
	if (!p->list)
		abort();
	for (size_t i = 0; i < c->n_apps; i++) {
		const struct deploy_app *a = &c->apps[i];
		const char *path = json_view_text(a->options, "health_path");

		if (*path != '/')
			continue;
		p->list[p->n++] = (struct probe){
			.app = str_dup(a->name),
			.path = str_dup(path),
			.host = str_dup(json_view_text(a->options, "domain")),
			.timeout_ms = timeout_of(a),
			.missing = not_asked,
		};
	}
}

struct deploy_probes *deploy_probes_new(
	const struct deploy_probes_options *o, const struct deploy_config *c)
{
	struct deploy_probes *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->options = *o;
	deploy_probes_configure(p, c);
	return p;
}

void deploy_probes_free(struct deploy_probes *p)
{
	if (!p)
		return;
	forget(p);
	free(p);
}

void deploy_probes_changed(struct deploy_probes *p, const char *app)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].app, app) == 0)
			p->list[i].looked_up = false;
}

/* What it says does not matter, and may be long. */
static bool on_data(void *user, const char *data, size_t len)
{
	(void)user;
	(void)data;
	(void)len;
	return true;
}

static void on_answer(void *user, const struct http_response *r)
{
	struct probe *p = user;

	p->request = NULL;
	p->answered = true;
	p->up = r->error == 0 && r->status >= 200 && r->status <= 299;
	p->latency_seconds = r->error ? NAN : (double)(clock_mono_ns() - p->begun_ns) / 1e9;
}

static void look_up(struct deploy_probes *all, struct probe *p)
{
	const struct deploy_probes_options *o = &all->options;

	if (p->looked_up)
		return;
	p->has_address = o->serves(o->user, p->app, p->address, sizeof(p->address)) && *p->address;
	p->looked_up = true;
}

static void ask(struct deploy_probes *all, struct probe *p)
{
	const struct deploy_probes_options *o = &all->options;
	_cleanup_(free_p) char *url = NULL, *host = NULL;
	const char *headers[] = {"User-Agent: agent-probe", NULL, NULL};
	struct http_request_options request = {
		.headers = headers, .timeout_ms = p->timeout_ms, .on_data = on_data};

	if (p->request)
		return;
	p->missing = not_asked;
	if (o->is_swapping(o->user, p->app)) {
		p->missing = swapping;
		return;
	}
	look_up(all, p);
	if (!p->has_address) {
		p->missing = no_address;
		return;
	}
	url = str_format("http://%s%s", p->address, p->path);
	host = str_format("Host: %s", p->host);
	if (*p->host)
		headers[1] = host;
	request.url = url;
	p->begun_ns = clock_mono_ns();
	(void)http_client_start(o->http, &request, on_answer, p, &p->request, NULL);
}

static void report(struct probe *p, struct registry *r, int64_t now_ns)
{
	struct entity *e = registry_get(r, &class_app, p->app);

	if (!e)
		return;
	entity_label(e, "app", p->app);
	entity_read_at(e, now_ns);
	if (!p->answered) {
		entity_missing(e, APP_up, p->missing);
		entity_missing(e, APP_latency_seconds, p->missing);
		return;
	}
	entity_gauge(e, APP_up, p->up);
	if (isnan(p->latency_seconds))
		entity_missing(e, APP_latency_seconds, "it did not answer");
	else
		entity_gauge(e, APP_latency_seconds, p->latency_seconds);
	p->answered = false;
}

void deploy_probes_sample(struct deploy_probes *p, struct registry *r, int64_t now_ns)
{
	for (size_t i = 0; i < p->n; i++) {
		report(&p->list[i], r, now_ns);
		ask(p, &p->list[i]);
	}
}
