/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/daemon_parts.h"
#include "agent/entity_json.h"
#include "agent/operation.h"
#include "base/log.h"
#include "base/str.h"
#include "base/wire.h"

struct control_peer {
	struct control *control;
	struct wire *wire;
	bool is_web;
	uid_t uid;
	json_t *subscription; /* the request's filter; NULL: none */
	int64_t backup_run, deploy; /* whose news it gets; 0: of all; -1: of none */
	struct control_peer *next;
};

struct control_later {
	struct control *control;
	struct control_peer *peer; /* NULL: it left */
	json_int_t id;
	struct control_later *next;
};

struct control {
	struct loop *loop;
	struct daemon *daemon;
	int listen_fd;
	struct loop_fd *watch;
	char *path;
	struct control_peer *peers;
	size_t n_peers;
	struct control_later *laters;
	size_t n_laters;
	struct buf out;
};

int control_new(struct loop *l, struct daemon *d, struct control **out, struct err *e)
{
	struct control *c = calloc(1, sizeof(*c));

	(void)e;
	if (!c)
		abort();
	c->loop = l;
	c->daemon = d;
	c->listen_fd = -1;
	buf_init(&c->out, CONTROL_QUEUE_MAX);
	*out = c;
	return 0;
}

static void peer_free(struct control_peer *p)
{
	struct control_peer **at = &p->control->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->control->n_peers--;
	for (struct control_later *l = p->control->laters; l; l = l->next)
		if (l->peer == p)
			l->peer = NULL;
	wire_free(p->wire);
	json_decref(p->subscription);
	free(p);
}

static void later_free(struct control_later *l)
{
	struct control_later **at = &l->control->laters;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->control->n_laters--;
	free(l);
}

void control_free(struct control *c)
{
	if (!c)
		return;
	while (c->peers)
		peer_free(c->peers);
	while (c->laters)
		later_free(c->laters);
	loop_remove_fd(c->watch);
	if (c->listen_fd >= 0)
		(void)close(c->listen_fd);
	if (c->path)
		(void)unlink(c->path);
	free(c->path);
	buf_done(&c->out);
	free(c);
}

struct control_later *control_later(const struct control_call *call, struct err *e)
{
	struct control *c = call->peer->control;
	struct control_later *l;

	if (c->n_laters >= CONTROL_LATER_MAX) {
		(void)err_set(e, EAGAIN, "too many questions wait for an answer");
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		abort();
	*l = (struct control_later){.control = c,
		.peer = call->peer,
		.id = json_integer_value(json_object_get(call->request, "id")),
		.next = c->laters};
	c->laters = l;
	c->n_laters++;
	return l;
}

void control_later_drop(struct control_later *l)
{
	later_free(l);
}

static void send_out(struct control_peer *p, const struct buf *out)
{
	if (wire_send_text(p->wire, buf_str(out), out->len) < 0)
		log_debug("control: an answer could not be queued");
}

/* Not in control->out: another request may just be writing its answer there, one that ends what
 * this one waited for (a reload). */
void control_later_done(
	struct control_later *l, int r, const struct err *e, const struct buf *members)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(CONTROL_QUEUE_MAX);

	if (l->peer) {
		operation_write(&out, l->id, r, e, members);
		send_out(l->peer, &out);
	}
	later_free(l);
}

static void on_message(void *user, json_t *request)
{
	struct control_peer *p = user;
	struct buf *out = &p->control->out;
	const struct control_call call = {.daemon = p->control->daemon,
		.peer = p,
		.request = request,
		.is_web = p->is_web,
		.reply = out};

	if (operation_answer(&call))
		send_out(p, out);
	/* One large answer must not stay in memory for ever. */
	if (out->cap > 256 * 1024)
		buf_done(out);
}

static void on_closed(void *user, const char *why)
{
	struct control_peer *p = user;

	if (*why)
		log_debug("control: connection ended: %s", why);
	peer_free(p);
}

static uid_t user_of(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.uid : (uid_t)-1;
}

int control_take_fd(const struct control_call *call)
{
	return wire_take_fd(call->peer->wire);
}

uid_t control_peer_uid(const struct control_peer *p)
{
	return p ? p->uid : (uid_t)-1;
}

static int add_peer(struct control *c, int fd, bool is_web, struct err *e)
{
	struct control_peer *p;
	struct wire_options o = {.max_line = CONTROL_LINE_MAX,
		.max_queue = CONTROL_QUEUE_MAX,
		.on_message = on_message,
		.on_closed = on_closed};
	int r;

	if (c->n_peers >= CONTROL_PEERS_MAX) {
		(void)close(fd);
		return err_set(e, EAGAIN, "too many connections to the control socket");
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->control = c;
	p->is_web = is_web;
	p->uid = user_of(fd);
	p->backup_run = p->deploy = -1;
	o.user = p;
	r = wire_new(c->loop, fd, &o, &p->wire, e);
	if (r < 0) {
		free(p);
		return r;
	}
	if (is_web)
		wire_accept_fds(p->wire);
	p->next = c->peers;
	c->peers = p;
	c->n_peers++;
	return 0;
}

int control_add_web(struct control *c, int fd, struct err *e)
{
	return add_peer(c, fd, true, e);
}

static void on_connect(void *user, int fd, uint32_t events)
{
	struct control *c = user;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err e;

	(void)events;
	if (peer >= 0 && add_peer(c, peer, false, &e) < 0)
		log_warning("%s", e.msg);
}

/* Group `agent` of /etc/group, or NULL. Read directly: getgrnam(3) loads the name service's
 * libraries for good. */
static const struct group *agent_group(FILE *f)
{
	const struct group *g;

	while (f && (g = fgetgrent(f)))
		if (strcmp(g->gr_name, "agent") == 0)
			return g;
	return NULL;
}

/* The folder is its owner's; group `agent` may pass through it to the socket. */
static int open_folder(const char *socket_path, gid_t gid, struct err *e)
{
	_cleanup_(free_p) char *folder =
		str_ndup(socket_path, (size_t)(strrchr(socket_path, '/') - socket_path));

	if (chown(folder, (uid_t)-1, gid) < 0 || chmod(folder, 0710) < 0)
		return err_sys(e, "open %s to group agent", folder);
	return 0;
}

/* The socket's mode is the door: its owner and group `agent`. */
static int restrict_socket(const char *path, struct err *e)
{
	_cleanup_(fclose_p) FILE *f = fopen("/etc/group", "re");
	const struct group *g = geteuid() == 0 ? agent_group(f) : NULL;

	if (g && chown(path, (uid_t)-1, g->gr_gid) < 0)
		return err_sys(e, "chown %s", path);
	if (chmod(path, g ? 0660 : 0600) < 0)
		return err_sys(e, "chmod %s", path);
	return g ? open_folder(path, g->gr_gid, e) : 0;
}

int control_listen(struct control *c, const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_(close_p) int fd = -1;
	mode_t old;
	int r;

	if (!str_copy(a.sun_path, sizeof(a.sun_path), path))
		return err_set(
			e, ENAMETOOLONG, "the path of the control socket is too long: %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "control socket");
	(void)unlink(path);
	old = umask(0177);
	r = bind(fd, (const struct sockaddr *)&a, sizeof(a));
	(void)umask(old);
	if (r < 0 || listen(fd, 16) < 0)
		return err_sys(e, "control socket %s", path);
	r = restrict_socket(path, e);
	if (r == 0)
		r = loop_add_fd(c->loop, fd, EPOLLIN, on_connect, c, &c->watch, e);
	if (r < 0)
		return r;
	c->listen_fd = take_fd(&fd);
	c->path = str_dup(path);
	return 0;
}

void control_subscribe(struct control_peer *p, json_t *request)
{
	json_decref(p->subscription);
	p->subscription = json_incref(request);
}

void control_unsubscribe(struct control_peer *p)
{
	json_decref(p->subscription);
	p->subscription = NULL;
}

void control_push_sample(struct control *c)
{
	const struct entity_json_options plain = {false, false};
	struct control_peer *next;

	for (struct control_peer *p = c->peers; p; p = next) {
		next = p->next;
		if (!p->subscription)
			continue;
		buf_clear(&c->out);
		buf_addf(&c->out, "{\"event\":\"sample\",\"time\":%lld,",
			(long long)c->daemon->sampling.time);
		entity_json_add_all(&c->out, c->daemon->registry, p->subscription, &plain, NULL);
		buf_addc(&c->out, '}');
		/* A reader that is too slow loses this sample, not the connection. */
		if (wire_queued(p->wire) < CONTROL_LINE_MAX && !c->out.overflow)
			(void)wire_send_text(p->wire, buf_str(&c->out), c->out.len);
	}
}

void control_subscribe_backup(struct control_peer *p, int64_t run)
{
	p->backup_run = run;
}

void control_unsubscribe_backup(struct control_peer *p)
{
	p->backup_run = -1;
}

void control_push_backup(struct control *c, int64_t run, const json_t *message)
{
	for (const struct control_peer *p = c->peers; p; p = p->next)
		if (p->backup_run == 0 || p->backup_run == run)
			(void)wire_send(p->wire, message);
}

void control_subscribe_deploy(struct control_peer *p, int64_t deploy)
{
	p->deploy = deploy;
}

void control_unsubscribe_deploy(struct control_peer *p)
{
	p->deploy = -1;
}

void control_push_deploy(struct control *c, int64_t deploy, const json_t *message)
{
	for (const struct control_peer *p = c->peers; p; p = p->next)
		if (p->deploy == 0 || p->deploy == deploy)
			(void)wire_send(p->wire, message);
}

void control_push_deploy_log(struct control *c, int64_t deploy, const json_t *message)
{
	/* The next one says it all: a reader that is too slow may miss this one. */
	for (const struct control_peer *p = c->peers; p; p = p->next)
		if (p->deploy == deploy && wire_queued(p->wire) < CONTROL_LINE_MAX)
			(void)wire_send(p->wire, message);
}

void control_push_web_json(struct control *c, const json_t *message)
{
	for (const struct control_peer *p = c->peers; p; p = p->next)
		if (p->is_web)
			(void)wire_send(p->wire, message);
}

void control_push_web(struct control *c, const struct buf *message)
{
	for (const struct control_peer *p = c->peers; p; p = p->next)
		if (p->is_web)
			(void)wire_send_text(p->wire, buf_str(message), message->len);
}

void control_tell_web(struct control *c, const char *event)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(128);

	buf_addf(&text, "{\"event\":\"%s\"}", event);
	control_push_web(c, &text);
}
