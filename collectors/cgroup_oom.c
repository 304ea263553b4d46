/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

struct cgroup_oom_watch {
	struct cgroup_oom *oom;
	cgroup_oom_fn fn;
	void *user;
	int id; /* v2: inotify's watch descriptor; v1: the eventfd */
	struct loop_fd *source; /* v1 */
	struct cgroup_oom_watch *next;
};

struct cgroup_oom {
	struct loop *loop;
	const struct cgroup_tree *tree;
	bool v2;
	int inotify_fd; /* v2 */
	struct loop_fd *source;
	struct cgroup_oom_watch *first;
};

static struct cgroup_oom_watch *find(const struct cgroup_oom *o, int id)
{
	struct cgroup_oom_watch *w = o->first;

	while (w && w->id != id)
		w = w->next;
	return w;
}

static void inotify_readable(void *user, int fd, uint32_t events)
{
	struct cgroup_oom *o = user;
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t n;

	(void)events;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(void *)p;
			struct cgroup_oom_watch *w = find(o, event->wd);

			if (w && (event->mask & IN_MODIFY))
				w->fn(w->user, 1);
			p += sizeof(*event) + event->len;
		}
}

static void eventfd_readable(void *user, int fd, uint32_t events)
{
	struct cgroup_oom_watch *w = user;
	uint64_t signals;

	(void)events;
	if (read(fd, &signals, sizeof(signals)) == (ssize_t)sizeof(signals))
		w->fn(w->user, signals);
}

int cgroup_oom_new(
	struct loop *loop, const struct cgroup_tree *tree, struct cgroup_oom **out, struct err *e)
{
	struct cgroup_oom *o = calloc(1, sizeof(*o));
	int r = 0;

	if (!o)
		abort();
	o->loop = loop;
	o->tree = tree;
	o->inotify_fd = -1;
	o->v2 = tree->mode == CGROUP_MODE_V2;
	if (o->v2) {
		o->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (o->inotify_fd < 0)
			r = err_sys(e, "inotify");
		else
			r = loop_add_fd(
				loop, o->inotify_fd, EPOLLIN, inotify_readable, o, &o->source, e);
	}
	if (r < 0) {
		cgroup_oom_free(o);
		return r;
	}
	*out = o;
	return 0;
}

void cgroup_oom_free(struct cgroup_oom *o)
{
	if (!o)
		return;
	while (o->first)
		cgroup_oom_remove(o->first);
	loop_remove_fd(o->source);
	close_p(&o->inotify_fd);
	free(o);
}

static int watch_v2(const struct cgroup_oom *o, const char *path)
{
	char full[CGROUP_PATH_MAX + 64];

	(void)snprintf(full, sizeof(full), "/proc/self/fd/%d/%s/memory.events",
		cgroup_tree_fd(o->tree, CGROUP_MEMORY), path);
	return inotify_add_watch(o->inotify_fd, full, IN_MODIFY);
}

static int open_in(const struct cgroup_oom *o, const char *path, const char *name, int flags)
{
	char full[CGROUP_PATH_MAX + 64];

	(void)snprintf(full, sizeof(full), "%s/%s", path, name);
	return openat(cgroup_tree_fd(o->tree, CGROUP_MEMORY), full, flags | O_CLOEXEC);
}

/* Writes "EVENTFD FILE" to cgroup.event_control. The file may be closed afterwards. */
static int watch_v1(const struct cgroup_oom *o, const char *path)
{
	_cleanup_(close_p) int file = open_in(o, path, "memory.oom_control", O_RDONLY);
	_cleanup_(close_p) int control = open_in(o, path, "cgroup.event_control", O_WRONLY);
	_cleanup_(close_p) int fd = -1;
	char text[32];
	int n;

	if (file < 0 || control < 0)
		return -1;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	n = snprintf(text, sizeof(text), "%d %d", fd, file);
	if (fd < 0 || write(control, text, (size_t)n) != n)
		return -1;
	return take_fd(&fd);
}

struct cgroup_oom_watch *cgroup_oom_add(
	struct cgroup_oom *o, const char *path, cgroup_oom_fn fn, void *user)
{
	struct cgroup_oom_watch *w;
	int id;

	if (cgroup_tree_fd(o->tree, CGROUP_MEMORY) < 0)
		return NULL;
	id = o->v2 ? watch_v2(o, path) : watch_v1(o, path);
	if (id < 0)
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	*w = (struct cgroup_oom_watch){
		.oom = o, .fn = fn, .user = user, .id = id, .next = o->first};
	if (!o->v2 &&
		loop_add_fd(o->loop, id, EPOLLIN, eventfd_readable, w, &w->source, NULL) < 0) {
		(void)close(id);
		free(w);
		return NULL;
	}
	o->first = w;
	return w;
}

void cgroup_oom_remove(struct cgroup_oom_watch *w)
{
	struct cgroup_oom_watch **at;

	if (!w)
		return;
	at = &w->oom->first;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (w->oom->v2) {
		(void)inotify_rm_watch(w->oom->inotify_fd, w->id);
	} else {
		loop_remove_fd(w->source);
		(void)close(w->id);
	}
	free(w);
}

void cgroup_oom_drain(struct cgroup_oom_watch *w)
{
	if (w->oom->v2)
		inotify_readable(w->oom, w->oom->inotify_fd, EPOLLIN);
	else
		eventfd_readable(w, w->id, EPOLLIN);
}
