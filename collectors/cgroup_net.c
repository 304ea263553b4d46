/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_net.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/cgroup_text.h"

/* Where the processes may be: podman's container/, systemd's init.scope in the container, and
 * one more. */
enum { NESTING_MAX = 3, FOLDERS_MAX = 64 };
/* A new cgroup may still be without its process, or its process without its namespace. */
enum { LOOKS_AT_START = 3 };

static const char no_process[] = "none of its processes could be found";
static const char denied[] = "only root may see which network it uses";
static const char host_network[] = "it uses the server's own network";
static const char shared[] = "it shares the network of another container, which it is counted for";
static const char unreadable[] = "its network could not be read";

uint64_t cgroup_net_parse_link(const char *link)
{
	uint64_t ns;
	char digits[24];
	size_t n;

	if (!str_starts(link, "net:["))
		return 0;
	link += strlen("net:[");
	n = strspn(link, "0123456789");
	if (n == 0 || n >= sizeof(digits) || strcmp(link + n, "]") != 0)
		return 0;
	memcpy(digits, link, n);
	digits[n] = '\0';
	return str_to_u64(digits, &ns, NULL) == 0 ? ns : 0;
}

/* "700 (my (odd) name) S 1 ...": what follows the last parenthesis is field 3. */
bool cgroup_net_parse_start(const char *stat, double *out_ticks)
{
	const char *p = strrchr(stat, ')');
	char *end;

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	if (!p || *p < '0' || *p > '9')
		return false;
	*out_ticks = (double)strtoull(p, &end, 10);
	return *end == ' ';
}

static double start_of(struct cgroup_reader *r, int pid_fd)
{
	enum { TICKS_PER_SECOND = 100 }; /* USER_HZ, part of the kernel's interface */
	double ticks;

	if (pid_fd < 0 || proc_read(pid_fd, "stat", r->text, sizeof(r->text), NULL) < 0 ||
		!cgroup_net_parse_start(r->text, &ticks))
		return NAN;
	return r->boot_time + ticks / TICKS_PER_SECOND;
}

/* 0 with errno when it may not be seen. */
static uint64_t read_ns(int dirfd, const char *path)
{
	char link[64];
	ssize_t n = readlinkat(dirfd, path, link, sizeof(link) - 1);

	if (n < 0)
		return 0;
	link[n] = '\0';
	errno = EINVAL;
	return cgroup_net_parse_link(link);
}

uint64_t cgroup_net_host_ns(int proc_fd)
{
	uint64_t ns = read_ns(proc_fd, "1/ns/net");

	return ns ? ns : read_ns(proc_fd, "self/ns/net");
}

/* Lines are "4:memory:/docker/ID" and "0::/system.slice/x.service". */
bool cgroup_net_is_member(const char *proc_cgroup, const char *path)
{
	size_t len = strlen(path);

	for (const char *line = proc_cgroup; line && *line;) {
		const char *p = strchr(line, ':');

		p = p ? strchr(p + 1, ':') : NULL;
		if (p && p[1] == '/' && strncmp(p + 2, path, len) == 0 &&
			strchr("/\n", p[2 + len])) /* finds the NUL at the end too */
			return true;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}

/* An O_PATH descriptor of /proc/PID, or -1. Checked after it was opened, so the number cannot
 * have been given away. */
static int open_member(struct cgroup_reader *r, const struct cgroup *g, long pid)
{
	_cleanup_(close_p) int fd = -1;
	char name[24];

	(void)snprintf(name, sizeof(name), "%ld", pid);
	fd = openat(r->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || proc_read(fd, "cgroup", r->text, sizeof(r->text), NULL) < 0 ||
		!cgroup_net_is_member(r->text, g->path))
		return -1;
	return take_fd(&fd);
}

/* The first process of the cgroup in the open folder; 0 when it has none. */
static long first_process(int dirfd)
{
	_cleanup_(close_p) int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *p = text;
	uint64_t pid;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return proc_next_u64(&p, &pid) && pid < (1U << 30) ? (long)pid : 0;
}

struct search {
	size_t folders; /* looked into so far */
};

static long find_process(int dirfd, const char *path, unsigned depth, struct search *s)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedir_p) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	long pid;

	if (!d) {
		close_p(&fd);
		return 0;
	}
	pid = first_process(fd);
	while (pid == 0 && depth < NESTING_MAX && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			s->folders++ < FOLDERS_MAX)
			pid = find_process(fd, entry->d_name, depth + 1, s);
	return pid;
}

static void drop(struct cgroup_net *n, struct cgroup_reader *r)
{
	if (n->pid_fd_plus_1) {
		(void)close(n->pid_fd_plus_1 - 1);
		r->kept--;
	}
	n->pid_fd_plus_1 = 0;
}

void cgroup_net_done(struct cgroup_net *n, struct cgroup_reader *r)
{
	drop(n, r);
	*n = (struct cgroup_net){.kind = CGROUP_NET_UNKNOWN, .started_at = NAN};
}

static int pick(
	struct cgroup_net *n, struct cgroup_reader *r, const struct cgroup *g, long first_pid)
{
	struct search s = {0};
	int fd = first_pid > 0 ? open_member(r, g, first_pid) : -1;

	n->pid = first_pid;
	if (fd >= 0)
		return fd;
	n->pid = find_process(cgroup_tree_walk_fd(r->tree), *g->path ? g->path : ".", 0, &s);
	return n->pid > 0 ? open_member(r, g, n->pid) : -1;
}

static enum cgroup_net_kind kind_of(const struct cgroup_net *before, uint64_t ns, uint64_t host_ns)
{
	if (!ns || !host_ns)
		return CGROUP_NET_UNKNOWN;
	if (ns == host_ns)
		return CGROUP_NET_HOST;
	/* Another process of the same namespace changes nothing. */
	return ns == before->ns && before->kind == CGROUP_NET_SHARED ? CGROUP_NET_SHARED
								     : CGROUP_NET_OWN;
}

bool cgroup_net_find(struct cgroup_net *n, struct cgroup_reader *r, const struct cgroup *g,
	long first_pid, uint64_t host_ns)
{
	const struct cgroup_net before = *n;
	/* Where nothing is read, a process may come or move to another namespace: a look now and
	 * then. */
	bool look = n->samples < LOOKS_AT_START || n->samples % CGROUP_REFRESH_SAMPLES == 0;
	_cleanup_(close_p) int fd = -1;

	n->samples++;
	if (n->kind == CGROUP_NET_OWN ? n->pid != 0 : !look)
		return false;
	drop(n, r);
	fd = pick(n, r, g, first_pid);
	if (fd < 0)
		n->pid = 0;
	n->ns = fd < 0 ? 0 : read_ns(fd, "ns/net");
	n->started_at = start_of(r, fd);
	n->denied = fd >= 0 && (!n->ns || !host_ns);
	n->kind = kind_of(&before, n->ns, host_ns);
	if (n->kind == CGROUP_NET_OWN && r->kept < r->kept_max) {
		n->pid_fd_plus_1 = take_fd(&fd) + 1;
		r->kept++;
	}
	return before.ns != n->ns;
}

void cgroup_net_own(struct cgroup_net *n, struct cgroup_reader *r, bool owner)
{
	if (n->kind == CGROUP_NET_OWN && !owner) {
		drop(n, r);
		n->kind = CGROUP_NET_SHARED;
	} else if (n->kind == CGROUP_NET_SHARED && owner) {
		n->kind = CGROUP_NET_OWN;
	}
}

static void all_missing(struct cgroup_numbers *out, const char *reason)
{
	cgroup_numbers_missing(out, CGROUP_network_received_bytes_per_second, reason);
	cgroup_numbers_missing(out, CGROUP_network_sent_bytes_per_second, reason);
	cgroup_numbers_missing(out, CGROUP_network_received_packets_per_second, reason);
	cgroup_numbers_missing(out, CGROUP_network_sent_packets_per_second, reason);
}

static const char *reason_of(const struct cgroup_net *n)
{
	switch (n->kind) {
	case CGROUP_NET_HOST:
		return host_network;
	case CGROUP_NET_SHARED:
		return shared;
	case CGROUP_NET_UNKNOWN:
		return n->denied ? denied : no_process;
	case CGROUP_NET_OWN:
		break;
	}
	return unreadable;
}

/* Into r->text. The kernel writes interfaces into a page and hands out what fits: an answer well
 * below a page is all of it, which spares a second read. */
static int read_all(int dirfd, struct cgroup_reader *r)
{
	enum { SURELY_WHOLE = 3072 };
	_cleanup_(close_p) int fd = openat(dirfd, "net/dev", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, r->text, SURELY_WHOLE);

	if (n < 0)
		return errno ? -errno : -EIO;
	if (n == SURELY_WHOLE)
		return proc_read(dirfd, "net/dev", r->text, sizeof(r->text), NULL);
	r->text[n] = '\0';
	return (int)n;
}

static int read_net_dev(const struct cgroup_net *n, struct cgroup_reader *r, const struct cgroup *g)
{
	_cleanup_(close_p) int fd = -1;

	if (n->pid_fd_plus_1)
		return read_all(n->pid_fd_plus_1 - 1, r);
	fd = open_member(r, g, n->pid);
	return fd < 0 ? -ESRCH : read_all(fd, r);
}

bool cgroup_net_read(struct cgroup_net *n, struct cgroup_reader *r, const struct cgroup *g,
	struct cgroup_numbers *out)
{
	struct cgroup_net_dev sums = {0, 0, 0, 0};

	if (n->kind != CGROUP_NET_OWN || n->pid == 0) {
		all_missing(out, reason_of(n));
		return true;
	}
	if (read_net_dev(n, r, g) < 0) {
		drop(n, r);
		n->pid = 0;
		all_missing(out, unreadable);
		return false;
	}
	/* A namespace without any way out (network none) has moved nothing. */
	(void)cgroup_net_dev(r->text, &sums);
	out->v[CGROUP_network_received_bytes_per_second] = sums.received_bytes;
	out->v[CGROUP_network_sent_bytes_per_second] = sums.sent_bytes;
	out->v[CGROUP_network_received_packets_per_second] = sums.received_packets;
	out->v[CGROUP_network_sent_packets_per_second] = sums.sent_packets;
	return true;
}
