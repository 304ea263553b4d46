/* SPDX-License-Identifier: Apache-2.0
 *
 * The parsers of container_info.h: from JSON to struct container_info.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/container_info.h"

/* "" when there is no such text. */
static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static char *bounded(const char *s)
{
	char text[CONTAINER_TEXT_MAX + 1];

	if (!*s)
		return NULL;
	(void)str_copy(text, sizeof(text), s);
	return str_dup(text);
}

static enum container_state state_of(const char *name)
{
	for (int i = CONTAINER_CREATED; i <= CONTAINER_DEAD; i++)
		if (strcmp(container_state_name((enum container_state)i), name) == 0)
			return (enum container_state)i;
	/* Podman's own words. */
	if (strcmp(name, "stopped") == 0)
		return CONTAINER_EXITED;
	return strcmp(name, "configured") == 0 || strcmp(name, "initialized") == 0
		       ? CONTAINER_CREATED
		       : CONTAINER_STATE_UNKNOWN;
}

static void set_names(struct container_info *c, const json_t *labels, const char *name)
{
	char stable[CONTAINER_TEXT_MAX + 1];
	const char *app, *version;

	name += strspn(name, "/");
	c->name = bounded(name);
	container_stable_name(stable, sizeof(stable), labels, name);
	c->stable = bounded(stable);
	if (container_app_version(labels, name, &app, &version)) {
		c->app = bounded(app);
		c->version = bounded(version);
	}
	c->project = bounded(text_of(labels, "com.docker.compose.project"));
	if (!c->project)
		c->project = bounded(text_of(labels, "com.docker.stack.namespace"));
}

static int set_id(struct container_info *c, const char *id, struct err *e)
{
	size_t n = strspn(id, "0123456789abcdef");

	if (n == 0 || n > CONTAINER_ID_MAX || id[n])
		return err_set(e, EINVAL, "container id is missing or no hexadecimal number");
	memcpy(c->id, id, n + 1);
	return 0;
}

/* "Up 5 minutes (healthy)", "Up 3 seconds (health: starting)". */
static enum container_health health_in_status(const char *status)
{
	if (strstr(status, "(healthy)"))
		return HEALTH_HEALTHY;
	if (strstr(status, "(unhealthy)"))
		return HEALTH_UNHEALTHY;
	return strstr(status, "(health: starting)") ? HEALTH_STARTING : HEALTH_UNKNOWN;
}

int container_info_from_list(const json_t *entry, struct container_info *out, struct err *e)
{
	struct container_info c;
	const char *name = json_string_value(json_array_get(json_object_get(entry, "Names"), 0));
	int r;

	container_info_init(&c);
	r = set_id(&c, text_of(entry, "Id"), e);
	if (r < 0)
		return r;
	set_names(&c, json_object_get(entry, "Labels"), name ? name : "");
	c.image = bounded(text_of(entry, "Image"));
	c.network = bounded(text_of(json_object_get(entry, "HostConfig"), "NetworkMode"));
	c.state = state_of(text_of(entry, "State"));
	c.health = health_in_status(text_of(entry, "Status"));
	*out = c;
	return 0;
}

static enum container_health health_of(const json_t *state)
{
	const json_t *health = json_object_get(state, "Health");
	const char *s = text_of(health, "Status");

	if (!json_is_object(health) || !*s || strcmp(s, "none") == 0)
		return HEALTH_NONE;
	if (strcmp(s, "healthy") == 0)
		return HEALTH_HEALTHY;
	if (strcmp(s, "unhealthy") == 0)
		return HEALTH_UNHEALTHY;
	return HEALTH_STARTING;
}

/* config.v2.json has no Status, only the single bits. */
static enum container_state state_in(const json_t *state)
{
	static const struct {
		const char *key;
		enum container_state state;
	} bits[] = {{"Dead", CONTAINER_DEAD}, {"Restarting", CONTAINER_RESTARTING},
		{"Paused", CONTAINER_PAUSED}, {"Running", CONTAINER_RUNNING}};
	const char *status = text_of(state, "Status");

	if (*status)
		return state_of(status);
	if (!json_is_object(state))
		return CONTAINER_STATE_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		if (json_is_true(json_object_get(state, bits[i].key)))
			return bits[i].state;
	return isnan(container_time(text_of(state, "StartedAt"))) ? CONTAINER_CREATED
								  : CONTAINER_EXITED;
}

int container_info_from_inspect(const json_t *object, struct container_info *out, struct err *e)
{
	const json_t *config = json_object_get(object, "Config");
	const json_t *state = json_object_get(object, "State");
	const json_t *restarts = json_object_get(object, "RestartCount");
	const char *id = text_of(object, "Id");
	struct container_info c;
	int r;

	container_info_init(&c);
	r = set_id(&c, *id ? id : text_of(object, "ID"), e);
	if (r < 0)
		return r;
	set_names(&c, json_object_get(config, "Labels"), text_of(object, "Name"));
	c.image = bounded(text_of(config, "Image"));
	c.network = bounded(text_of(json_object_get(object, "HostConfig"), "NetworkMode"));
	c.state = state_in(state);
	c.health = health_of(state);
	c.restarts = json_is_integer(restarts) ? json_number_value(restarts) : NAN;
	c.started_at = container_time(text_of(state, "StartedAt"));
	c.pid = (long)json_integer_value(json_object_get(state, "Pid"));
	c.oom_killed = json_is_true(json_object_get(state, "OOMKilled"));
	*out = c;
	return 0;
}

/* The element's metadata is JSON once more, as a text. */
static void podman_metadata(const json_t *element, struct container_info *c)
{
	json_t *m = json_loads(text_of(element, "metadata"), 0, NULL);
	const char *name = json_string_value(json_array_get(json_object_get(element, "names"), 0));

	if (!name)
		name = text_of(m, "name");
	set_names(c, NULL, name);
	c->image = bounded(text_of(m, "image-name"));
	json_decref(m);
}

int container_info_from_podman(
	const json_t *list, const char *id, struct container_info *out, struct err *e)
{
	const json_t *element;
	size_t i;

	if (!json_is_array(list))
		return err_set(e, EINVAL, "the list of containers is no array");
	json_array_foreach(list, i, element)
	{
		struct container_info c;
		int r;

		if (strcmp(text_of(element, "id"), id) != 0)
			continue;
		container_info_init(&c);
		r = set_id(&c, id, e);
		if (r < 0)
			return r;
		c.engine = "podman";
		podman_metadata(element, &c);
		*out = c;
		return 0;
	}
	return err_set(e, ENOENT, "no such container");
}

/* Annotations of one Kubernetes part: container, pod, namespace, image. */
static const struct oci_keys {
	const char *engine, *name, *pod, *ns, *image;
} oci_keys[] = {
	{"containerd", "io.kubernetes.cri.container-name", "io.kubernetes.cri.sandbox-name",
		"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.image-name"},
	{"cri-o", "io.kubernetes.container.name", "io.kubernetes.pod.name",
		"io.kubernetes.pod.namespace", "io.kubernetes.cri-o.ImageName"},
};

int container_info_from_oci(
	const json_t *object, const char *id, struct container_info *out, struct err *e)
{
	const json_t *annotations = json_object_get(object, "annotations");

	for (size_t i = 0; i < ARRAY_LEN(oci_keys); i++) {
		const struct oci_keys *k = &oci_keys[i];
		const char *pod = text_of(annotations, k->pod);
		const char *ns = text_of(annotations, k->ns);
		/* The pod's own container, which holds its network, has no name. */
		const char *name = text_of(annotations, k->name);
		char stable[CONTAINER_TEXT_MAX + 1];
		struct container_info c;
		int r;

		if (!*pod)
			continue;
		container_info_init(&c);
		r = set_id(&c, id, e);
		if (r < 0)
			return r;
		name = *name ? name : "POD";
		container_pod_stable_name(stable, sizeof(stable), ns, pod, name);
		c.engine = k->engine;
		c.name = bounded(name);
		c.stable = bounded(stable);
		c.image = bounded(text_of(annotations, k->image));
		c.pod = bounded(pod);
		c.pod_namespace = bounded(ns);
		*out = c;
		return 0;
	}
	return err_set(e, ENOENT, "no annotations name the container");
}
