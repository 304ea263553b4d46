/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/docker_http.h"
#include "backup/docker_internal.h"
#include "base/clock.h"
#include "base/str.h"

/* --- calls */

int docker_call(const char *socket, const char *method, const char *path, const json_t *body,
	int64_t deadline_ms, struct buf *out, struct err *e)
{
	_cleanup_(close_p) int fd = docker_connect(socket, e);
	int64_t until = clock_mono_ms() + deadline_ms;
	struct docker_head head;
	int r = fd;

	if (r >= 0)
		r = docker_send_request(fd, method, path, body, false, until, e);
	if (r >= 0)
		r = docker_recv_head(fd, &head, until, e);
	if (r >= 0 && strcmp(method, "HEAD") != 0)
		r = docker_recv_body(fd, &head, out, until, e);
	return r < 0 ? r : head.status;
}

const char *docker_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static int refusal(int status, const json_t *answer, struct err *e)
{
	const char *message = docker_text(answer, "message");
	int code = status == 404 ? ENOENT : status == 409 ? EBUSY : EREMOTEIO;

	if (*message)
		return err_set(e, code, "container engine: %s", message);
	return err_set(e, code, "container engine: it answered with status %d", status);
}

int docker_ask(const char *socket, const char *method, const char *path, const json_t *body,
	int also, json_t **out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(DOCKER_ANSWER_MAX);
	int status = docker_call(socket, method, path, body, DOCKER_CALL_MS, &text, e);
	json_t *answer;
	int r = 0;

	if (status < 0)
		return status;
	answer = text.len ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if ((status < 200 || status > 299) && status != also)
		r = refusal(status, answer, e);
	if (r == 0 && out)
		*out = answer;
	else
		json_decref(answer);
	return r;
}

void docker_path_add(struct buf *path, const char *name)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("_.-", c))
			buf_addc(path, (char)c);
		else
			buf_addf(path, "%%%02X", c);
	}
}

static int act(const char *socket, const char *method, const char *id, const char *rest, int also,
	struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);

	buf_adds(&path, "/containers/");
	docker_path_add(&path, id);
	buf_adds(&path, rest);
	return docker_ask(socket, method, buf_str(&path), NULL, also, NULL, e);
}

/* --- a container */

void docker_container_free(struct docker_container *c)
{
	if (!c)
		return;
	free(c->id);
	free(c->name);
	free(c->image);
	json_decref(c->inspect);
	free(c);
}

static struct docker_container *container_of(json_t *inspect)
{
	const json_t *state = json_object_get(inspect, "State");
	struct docker_container *c = calloc(1, sizeof(*c));
	const char *name = docker_text(inspect, "Name");

	if (!c)
		abort();
	c->inspect = inspect;
	c->id = str_dup(docker_text(inspect, "Id"));
	c->name = str_dup(name + (*name == '/'));
	c->image = str_dup(docker_text(inspect, "Image"));
	c->running = json_is_true(json_object_get(state, "Running"));
	c->paused = json_is_true(json_object_get(state, "Paused"));
	if (c->running)
		c->pid = (pid_t)json_integer_value(json_object_get(state, "Pid"));
	return c;
}

int docker_inspect(
	const char *socket, const char *name, struct docker_container **out, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	json_t *answer = NULL;
	int r;

	if (!*name)
		return err_set(e, ENOENT, "container engine: no name of a container");
	buf_adds(&path, "/containers/");
	docker_path_add(&path, name);
	buf_adds(&path, "/json");
	r = docker_ask(socket, "GET", buf_str(&path), NULL, 0, &answer, e);
	if (r < 0)
		return r;
	if (!*docker_text(answer, "Id")) {
		json_decref(answer);
		return err_set(
			e, EBADMSG, "container engine: it says nothing of container %s", name);
	}
	*out = container_of(answer);
	return 0;
}

int docker_pause(const char *socket, const char *id, struct err *e)
{
	return act(socket, "POST", id, "/pause", 0, e);
}

int docker_unpause(const char *socket, const char *id, struct err *e)
{
	return act(socket, "POST", id, "/unpause", 0, e);
}

int docker_start(const char *socket, const char *id, struct err *e)
{
	return act(socket, "POST", id, "/start", 304, e);
}

int docker_remove(const char *socket, const char *id, struct err *e)
{
	return act(socket, "DELETE", id, "?force=1&v=1", 404, e);
}
