/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/str.h"
#include "collectors/cgroup_scan.h"

static const char no_instance[] =
	"inotify cannot be used (fs.inotify.max_user_instances): the cgroup tree is walked in each "
	"sample";
static const char no_watches[] =
	"inotify watches ran out (fs.inotify.max_user_watches): some containers are found only "
	"every 5 minutes";

/* Watch descriptors are given out in rising order, so the list is sorted by them. */
struct folder {
	int wd;
	char *path;
};

struct cgroup_watch {
	struct loop *loop;
	const struct cgroup_tree *tree;
	struct cgroup_watch_events events;
	int fd;
	struct loop_fd *source;
	struct folder *folders;
	size_t n, cap;
	int64_t scanned_ms; /* 0: a walk is due */
	bool fresh; /* what is found now was seen to appear */
	const char *trouble;
};

static size_t place_of(const struct cgroup_watch *w, int wd)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->folders[middle].wd < wd)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *path_of(const struct cgroup_watch *w, int wd)
{
	size_t i = place_of(w, wd);

	return i < w->n && w->folders[i].wd == wd ? w->folders[i].path : NULL;
}

static void remember(struct cgroup_watch *w, int wd, const char *path)
{
	size_t i = place_of(w, wd);

	if (i < w->n && w->folders[i].wd == wd)
		return;
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->folders = realloc(w->folders, w->cap * sizeof(*w->folders));
		if (!w->folders)
			abort();
	}
	memmove(w->folders + i + 1, w->folders + i, (w->n - i) * sizeof(*w->folders));
	w->folders[i] = (struct folder){wd, str_dup(path)};
	w->n++;
}

/* The kernel dropped the watch: its folder is gone. */
static void forget(struct cgroup_watch *w, int wd)
{
	size_t i = place_of(w, wd);

	if (i == w->n || w->folders[i].wd != wd)
		return;
	free(w->folders[i].path);
	w->n--;
	memmove(w->folders + i, w->folders + i + 1, (w->n - i) * sizeof(*w->folders));
}

/* inotify(7) takes no directory descriptor. */
static void add_watch(struct cgroup_watch *w, const char *path)
{
	char full[CGROUP_PATH_MAX + 64];
	int wd;

	if (w->fd < 0)
		return;
	if (w->n >= CGROUP_WATCHES_MAX) {
		w->trouble = no_watches;
		return;
	}
	(void)snprintf(
		full, sizeof(full), "/proc/self/fd/%d/%s", cgroup_tree_walk_fd(w->tree), path);
	wd = inotify_add_watch(w->fd, full,
		IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK);
	if (wd >= 0)
		remember(w, wd, path);
	else if (errno == ENOSPC)
		w->trouble = no_watches;
}

/* A folder is watched before it is read: what is made in between is found twice rather than never. */
static void found(void *user, const char *path, const struct cgroup_name *name)
{
	struct cgroup_watch *w = user;

	if (name->descend)
		add_watch(w, path);
	if (name->kind == CGROUP_CONTAINER || name->kind == CGROUP_SERVICE)
		w->events.found(w->events.user, path, name, w->fresh);
}

static void take_event(struct cgroup_watch *w, const struct inotify_event *event)
{
	char path[CGROUP_PATH_MAX];
	const char *folder;
	int n;

	if (event->mask & IN_Q_OVERFLOW)
		w->scanned_ms = 0;
	folder = path_of(w, event->wd);
	if (folder && (event->mask & IN_ISDIR) && event->len) {
		n = snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", event->name);
		if ((size_t)n >= sizeof(path))
			return;
		if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
			w->fresh = (event->mask & IN_CREATE) != 0;
			cgroup_scan(w->tree, path, found, w);
			w->fresh = false;
		} else {
			w->events.gone(w->events.user, path);
		}
	}
	if (event->mask & IN_IGNORED)
		forget(w, event->wd);
}

static void readable(void *user, int fd, uint32_t events)
{
	struct cgroup_watch *w = user;
	_Alignas(struct inotify_event) char buf[16384];
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)events;
	for (char *p = buf; n > 0 && p < buf + n;) {
		const struct inotify_event *event = (const struct inotify_event *)(void *)p;

		take_event(w, event);
		p += sizeof(*event) + event->len;
	}
}

int cgroup_watch_new(struct loop *loop, const struct cgroup_tree *tree,
	const struct cgroup_watch_events *events, struct cgroup_watch **out, struct err *e)
{
	struct cgroup_watch *w = calloc(1, sizeof(*w));
	int r = 0;

	if (!w)
		abort();
	w->loop = loop;
	w->tree = tree;
	w->events = *events;
	w->fd = -1;
	if (loop) {
		w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (w->fd < 0)
			w->trouble = no_instance;
		else
			r = loop_add_fd(loop, w->fd, EPOLLIN, readable, w, &w->source, e);
	}
	if (r < 0) {
		cgroup_watch_free(w);
		return r;
	}
	*out = w;
	return 0;
}

void cgroup_watch_free(struct cgroup_watch *w)
{
	if (!w)
		return;
	loop_remove_fd(w->source);
	close_p(&w->fd);
	for (size_t i = 0; i < w->n; i++)
		free(w->folders[i].path);
	free(w->folders);
	free(w);
}

bool cgroup_watch_poll(struct cgroup_watch *w)
{
	int64_t now_ms = clock_mono_ms();

	if (w->fd >= 0) {
		/* What happened just before the sample belongs to it. */
		readable(w, w->fd, EPOLLIN);
		if (w->scanned_ms && now_ms - w->scanned_ms < CGROUP_RESCAN_MS)
			return false;
		w->trouble = NULL;
	}
	w->scanned_ms = now_ms ? now_ms : 1;
	cgroup_scan(w->tree, "", found, w);
	return true;
}

const char *cgroup_watch_trouble(const struct cgroup_watch *w)
{
	return w->trouble;
}
