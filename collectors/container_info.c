/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/container_info.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"

static const char *const state_names[] = {
	"", "created", "running", "paused", "restarting", "removing", "exited", "dead"};

void container_info_init(struct container_info *c)
{
	*c = (struct container_info){.restarts = NAN, .started_at = NAN, .pid = -1};
}

void container_info_done(struct container_info *c)
{
	free(c->name);
	free(c->stable);
	free(c->image);
	free(c->network);
	free(c->pod);
	free(c->pod_namespace);
	free(c->project);
	free(c->app);
	free(c->version);
	container_info_init(c);
}

static void take_text(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = TAKE_PTR(*from);
}

void container_info_merge(struct container_info *c, struct container_info *from)
{
	memcpy(c->id, from->id, sizeof(c->id));
	/* An engine's word stays its own when a file says the same. */
	if (from->source || !c->source) {
		c->source = from->source;
		c->listed = from->listed;
	}
	if (from->engine)
		c->engine = from->engine;
	take_text(&c->name, &from->name);
	take_text(&c->stable, &from->stable);
	take_text(&c->image, &from->image);
	take_text(&c->network, &from->network);
	take_text(&c->pod, &from->pod);
	take_text(&c->pod_namespace, &from->pod_namespace);
	take_text(&c->project, &from->project);
	take_text(&c->app, &from->app);
	take_text(&c->version, &from->version);
	if (from->state != CONTAINER_STATE_UNKNOWN)
		c->state = from->state;
	if (from->health != HEALTH_UNKNOWN)
		c->health = from->health;
	if (!isnan(from->restarts))
		c->restarts = from->restarts;
	if (!isnan(from->started_at))
		c->started_at = from->started_at;
	if (from->pid >= 0) {
		c->pid = from->pid;
		c->oom_killed = from->oom_killed;
	}
	container_info_done(from);
}

const char *container_state_name(enum container_state s)
{
	return state_names[s];
}

bool container_state_is_live(enum container_state s)
{
	return s == CONTAINER_RUNNING || s == CONTAINER_PAUSED;
}

/* "" when there is no such text. */
static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* Two digits of each field but the year, at fixed places. */
static bool take_fields(const char *s, struct tm *t)
{
	int n = 0;

	if (strnlen(s, 19) < 19 ||
		sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &t->tm_year, &t->tm_mon, &t->tm_mday,
			&t->tm_hour, &t->tm_min, &t->tm_sec, &n) != 6 ||
		n != 19)
		return false;
	t->tm_year -= 1900;
	t->tm_mon -= 1;
	return t->tm_year >= 70 && t->tm_mon >= 0 && t->tm_mon < 12;
}

double container_time(const char *rfc3339)
{
	struct tm t = {0};
	double fraction = 0, place = 0.1;
	int hours = 0, minutes = 0, n = 0;
	const char *p;
	char sign;

	if (!take_fields(rfc3339, &t))
		return NAN;
	p = rfc3339 + 19;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, place /= 10)
			fraction += (*p - '0') * place;
	if (strcmp(p, "Z") != 0) {
		if (sscanf(p, "%c%2d:%2d%n", &sign, &hours, &minutes, &n) != 3 || p[n] ||
			(sign != '+' && sign != '-') || hours < 0 || minutes < 0)
			return NAN;
		minutes += hours * 60;
		minutes = sign == '+' ? minutes : -minutes;
	}
	return (double)timegm(&t) - minutes * 60 + fraction;
}

static bool is_number_above_one(const char *s)
{
	uint64_t n;

	return str_to_u64(s, &n, NULL) == 0 && n > 1;
}

/* A task is named SERVICE.SLOT.ID, or SERVICE.NODE.ID when it runs once on each node. */
static void swarm_name(char *to, size_t size, const json_t *labels, const char *service)
{
	const char *task = text_of(labels, "com.docker.swarm.task.name");
	size_t n = strlen(service);
	char slot[24] = "";

	if (str_starts(task, service) && task[n] == '.') {
		size_t len = strcspn(task + n + 1, ".");

		if (len < sizeof(slot))
			(void)snprintf(slot, sizeof(slot), "%.*s", (int)len, task + n + 1);
	}
	if (is_number_above_one(slot))
		(void)snprintf(to, size, "%s.%s", service, slot);
	else
		(void)str_copy(to, size, service);
}

static void compose_name(char *to, size_t size, const json_t *labels, const char *project)
{
	const char *service = text_of(labels, "com.docker.compose.service");
	const char *number = text_of(labels, "com.docker.compose.container-number");

	if (is_number_above_one(number))
		(void)snprintf(to, size, "%s-%s-%s", project, service, number);
	else
		(void)snprintf(to, size, "%s-%s", project, service);
}

bool container_app_version(
	const json_t *labels, const char *name, const char **app, const char **version)
{
	const char *a = text_of(labels, "agent.app"), *deploy = text_of(labels, "agent.deploy");
	const char *service = text_of(labels, "com.docker.swarm.service.name");
	const char *v = *service ? service : name;
	size_t n = strlen(a);

	if (!*a || !*deploy || !str_starts(v, a) || v[n] != '-' || strcmp(v + n + 1, deploy) != 0)
		return false;
	*app = a;
	*version = v;
	return true;
}

/* A service of swarm with several tasks is an app with several containers. */
static void app_name(
	char *to, size_t size, const json_t *labels, const char *app, const char *version)
{
	char task[CONTAINER_TEXT_MAX + 1];

	swarm_name(task, sizeof(task), labels, version);
	(void)snprintf(
		to, size, "%s%s", app, str_starts(task, version) ? task + strlen(version) : "");
}

void container_stable_name(char *to, size_t size, const json_t *labels, const char *name)
{
	const char *own = text_of(labels, "agent.name"), *app, *version;
	const char *project = text_of(labels, "com.docker.compose.project");
	const char *swarm = text_of(labels, "com.docker.swarm.service.name");
	/* Started by hand with `compose run`, beside the service's own containers. */
	bool oneoff = strcasecmp(text_of(labels, "com.docker.compose.oneoff"), "true") == 0;

	if (*own)
		(void)str_copy(to, size, own);
	else if (container_app_version(labels, name, &app, &version))
		app_name(to, size, labels, app, version);
	else if (*project && *text_of(labels, "com.docker.compose.service") && !oneoff)
		compose_name(to, size, labels, project);
	else if (*swarm)
		swarm_name(to, size, labels, swarm);
	else
		(void)str_copy(to, size, name);
}

/* How many bytes at the end of s, at most `max` and at least `min`, are of the alphabet
 * Kubernetes makes random names of, behind a '-'. */
static size_t random_tail(const char *s, size_t len, size_t min, size_t max)
{
	size_t n = 0;

	while (n < len && strchr("bcdfghjklmnpqrstvwxz2456789", s[len - 1 - n]))
		n++;
	return n >= min && n <= max && n < len && s[len - 1 - n] == '-' ? n + 1 : 0;
}

void container_pod_stable_name(
	char *to, size_t size, const char *ns, const char *pod, const char *name)
{
	size_t len = strlen(pod);
	size_t tail = random_tail(pod, len, 5, 5);

	/* deployment-HASH-RANDOM or daemonset-RANDOM. */
	if (tail) {
		len -= tail;
		len -= random_tail(pod, len, 6, 10);
	}
	(void)snprintf(to, size, "%s/%.*s/%s", ns, (int)len, pod, name);
}
