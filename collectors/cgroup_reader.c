/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "collectors/cgroup_text.h"

static const char not_readable[] = "this user may not read it";
static const char malformed[] = "the kernel's file could not be understood";
static const char pressure_off[] = "pressure is not measured: boot with psi=1";

static const struct cgroup_version *version_of(const struct cgroup_reader *r)
{
	return r->tree->mode == CGROUP_MODE_V2 ? &cgroup_v2 : &cgroup_v1;
}

void cgroup_reader_init(struct cgroup_reader *r, const struct cgroup_tree *tree, int proc_fd,
	int sys_fd, size_t kept_max)
{
	r->tree = tree;
	r->proc_fd = proc_fd;
	r->sys_fd = sys_fd;
	r->kept = 0;
	r->kept_max = kept_max;
	r->samples = 0;
	r->variant = 0;
	r->apart = NULL;
	block_devices_init(&r->devices, sys_fd);
	cgroup_reader_begin(r);
}

/* The number behind a key at the begin of a line of a file of /proc; NaN without one. */
static double proc_value(struct cgroup_reader *r, const char *path, const char *key)
{
	const char *p = r->text;
	size_t len = strlen(key);
	uint64_t v;

	if (proc_read(r->proc_fd, path, r->text, sizeof(r->text), NULL) < 0)
		return NAN;
	while (p && strncmp(p, key, len) != 0) {
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	return p && proc_u64(p + len, &v) ? (double)v : NAN;
}

static void read_machine(struct cgroup_reader *r)
{
	block_devices_forget(&r->devices);
	r->cpus = 0;
	if (proc_read(r->sys_fd, "devices/system/cpu/online", r->text, sizeof(r->text), NULL) > 0)
		r->cpus = cgroup_cpu_list_count(r->text);
	r->memory_bytes = proc_value(r, "meminfo", "MemTotal:") * 1024;
	r->boot_time = proc_value(r, "stat", "btime");
}

void cgroup_reader_begin(struct cgroup_reader *r)
{
	bool refresh = r->samples++ % CGROUP_REFRESH_SAMPLES == 0;

	if (refresh)
		read_machine(r);
	/* None yet: the kernel may begin to count at any time. */
	if (version_of(r)->choose_variant && (refresh || r->variant < 0))
		r->variant = version_of(r)->choose_variant(r);
}

void cgroup_init(struct cgroup *g, const char *path, unsigned refresh)
{
	*g = (struct cgroup){.path = str_dup(path), .refresh = refresh % CGROUP_REFRESH_SAMPLES};
}

static void close_file(struct cgroup_reader *r, struct kept_file *f)
{
	if (f->fd_plus_1)
		r->kept--;
	kept_file_close(f);
}

void cgroup_done(struct cgroup_reader *r, struct cgroup *g)
{
	for (size_t i = 0; i < CGROUP_FILES_MAX; i++)
		close_file(r, &g->files[i]);
	free(g->path);
	g->path = NULL;
}

static int open_file(
	const struct cgroup_reader *r, enum cgroup_controller c, const char *path, const char *name)
{
	char full[CGROUP_PATH_MAX + 64];
	int dir = cgroup_tree_fd(r->tree, c);
	int n = snprintf(full, sizeof(full), "%s/%s", *path ? path : ".", name);
	int fd;

	if (dir < 0)
		return -ENOENT;
	if ((size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	fd = openat(dir, full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* A cgroup file is made in one piece, so one read gives all of it. */
static int read_fd(int fd, char *text, size_t size)
{
	ssize_t n;

	do
		n = pread(fd, text, size - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n == size - 1)
		return -EFBIG;
	text[n] = '\0';
	return (int)n;
}

int cgroup_read_once(
	struct cgroup_reader *r, enum cgroup_controller c, const char *path, const char *name)
{
	_cleanup_(close_p) int fd = open_file(r, c, path, name);

	return fd < 0 ? fd : read_fd(fd, r->text, sizeof(r->text));
}

/* Opens, reads, and keeps the descriptor when the budget allows. */
static int read_new(struct cgroup_reader *r, struct cgroup *g, size_t i, const char *name)
{
	_cleanup_(close_p) int fd =
		open_file(r, version_of(r)->sources[i].controller, g->path, name);
	int n;

	if (fd < 0)
		return fd;
	n = read_fd(fd, r->text, sizeof(r->text));
	if (n >= 0 && r->kept < r->kept_max) {
		g->files[i].fd_plus_1 = take_fd(&fd) + 1;
		r->kept++;
	}
	return n;
}

static const char *reason_of(const struct cgroup_source *s, int r)
{
	if (r == -EACCES || r == -EPERM)
		return not_readable;
	if (r == -EOPNOTSUPP)
		return pressure_off;
	return s->reason;
}

static void mark_missing(const struct cgroup_source *s, struct cgroup_numbers *out, const char *why)
{
	for (const unsigned char *m = s->metrics; *m != CGROUP_METRICS; m++)
		cgroup_numbers_missing(out, (enum cgroup_metric) * m, why);
}

/* Reads into r->text by the kept descriptor, else by a new one. */
static int read_file(struct cgroup_reader *r, struct cgroup *g, size_t i, bool *replaced)
{
	const struct cgroup_source *s = &version_of(r)->sources[i];
	struct kept_file *f = &g->files[i];
	int n;

	if (f->fd_plus_1) {
		n = read_fd(f->fd_plus_1 - 1, r->text, sizeof(r->text));
		if (n >= 0)
			return n;
		close_file(r, f);
		*replaced = true;
	}
	return read_new(r, g, i, s->files[s->files[1] ? r->variant : 0]);
}

/* One source. True when it could be read before and cannot now: perhaps all of the cgroup is gone. */
static bool read_source(struct cgroup_reader *r, struct cgroup *g, size_t i, bool look_again,
	struct cgroup_numbers *out, bool *replaced)
{
	const struct cgroup_source *s = &version_of(r)->sources[i];
	bool had = g->samples > 0 && !g->absent[i];
	int n;

	if (s->files[1] && g->variant != r->variant)
		close_file(r, &g->files[i]);
	if (s->files[1] && r->variant < 0) {
		mark_missing(s, out, version_of(r)->no_variant);
		return false;
	}
	if (g->absent[i] && !look_again) {
		mark_missing(s, out, g->absent[i]);
		return false;
	}
	n = read_file(r, g, i, replaced);
	g->absent[i] = n < 0 ? reason_of(s, n) : NULL;
	if (n >= 0)
		s->parse(r, r->text, out);
	mark_missing(s, out, n < 0 ? g->absent[i] : s->incomplete ? s->incomplete : malformed);
	return had && n < 0;
}

static bool exists(const struct cgroup_reader *r, const struct cgroup *g)
{
	return faccessat(cgroup_tree_walk_fd(r->tree), *g->path ? g->path : ".", F_OK, 0) == 0;
}

/* Its own limits and those of all above; the root has none. */
static void read_limits(struct cgroup_reader *r, struct cgroup *g)
{
	char path[CGROUP_PATH_MAX];
	char *slash;

	g->limits = (struct cgroup_limits){INFINITY, INFINITY, INFINITY, INFINITY};
	if (!str_copy(path, sizeof(path), g->path))
		return;
	do {
		version_of(r)->limits(r, path, &g->limits);
		slash = strrchr(path, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
	/* Docker and systemd confine to CPUs by cpuset; all CPUs are no limit. */
	if (r->cpus && g->limits.cpuset_cores >= r->cpus)
		g->limits.cpuset_cores = INFINITY;
	/* The memory of the machine is no limit of the container. */
	if (g->limits.memory_bytes >= r->memory_bytes)
		g->limits.memory_bytes = INFINITY;
}

static void report_limits(const struct cgroup_limits *l, struct cgroup_numbers *out)
{
	double cores = fmin(l->cpu_quota_cores, l->cpuset_cores);

	if (isfinite(cores))
		out->v[CGROUP_cpu_limit_cores] = cores;
	if (isfinite(l->cpu_quota_cores))
		out->cpu_quota_cores = l->cpu_quota_cores;
	if (isfinite(l->memory_bytes))
		out->v[CGROUP_memory_limit_bytes] = l->memory_bytes;
	if (isfinite(l->processes))
		out->v[CGROUP_processes_limit] = l->processes;
}

static bool read_oom_kills(const struct cgroup_reader *r, const char *path, double *out)
{
	const struct cgroup_key key = CGROUP_KEY("oom_kill", out);
	_cleanup_(close_p) int fd = open_file(r, CGROUP_MEMORY, path, version_of(r)->oom_file);
	char text[512];

	return fd >= 0 && read_fd(fd, text, sizeof(text)) > 0 &&
	       cgroup_flat_keyed(text, &key, 1) == 1;
}

/* Those in its number that are not its own. */
static double oom_kills_apart(const struct cgroup_reader *r, const struct cgroup *g)
{
	size_t n = strlen(g->path);
	double kills;

	if (!r->apart || strncmp(r->apart, g->path, n) != 0 || r->apart[n] != '/' ||
		!read_oom_kills(r, r->apart, &kills))
		return 0;
	return kills;
}

int cgroup_read(struct cgroup_reader *r, struct cgroup *g, struct cgroup_numbers *out)
{
	const struct cgroup_version *version = version_of(r);
	/* The second look is for files that were made a moment after the cgroup: controllers
	 * come one after another. */
	bool look_again = g->samples < 2 || g->samples % CGROUP_REFRESH_SAMPLES == g->refresh;
	bool replaced = false;
	bool lost = g->samples == 0;

	assert(version->n_sources <= CGROUP_FILES_MAX);
	cgroup_numbers_init(out);
	for (size_t i = 0; i < version->n_sources; i++)
		if (read_source(r, g, i, look_again, out, &replaced))
			lost = true;
	g->variant = r->variant;
	if ((lost || replaced) && !exists(r, g))
		return CGROUP_GONE;
	if (look_again || replaced)
		read_limits(r, g);
	report_limits(&g->limits, out);
	out->v[CGROUP_oom_kills] -= oom_kills_apart(r, g);
	version->finish(out);
	cgroup_numbers_derive(out);
	g->samples++;
	return replaced ? CGROUP_REPLACED : CGROUP_OK;
}

bool cgroup_read_oom_kills(const struct cgroup_reader *r, const struct cgroup *g, double *out)
{
	if (!read_oom_kills(r, g->path, out))
		return false;
	*out -= oom_kills_apart(r, g);
	return true;
}
