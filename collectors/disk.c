/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum {
	DISKSTATS_MAX = 256 * 1024, /* about 2,000 devices and partitions */
	NAME_MAX_BYTES = 32, /* DISK_NAME_LEN of the kernel */
	RECHECK_SAMPLES = 15, /* a device may get slaves or a size later */
};

int disk_parse_line(char *line, struct disk_line *out, struct err *e)
{
	/* In the order of the file; NULL: merged requests, requests under way. */
	struct disk_line d = {0};
	uint64_t *const fields[] = {&d.reads, NULL, &d.read_sectors, &d.read_ms, &d.writes, NULL,
		&d.written_sectors, &d.write_ms, NULL, &d.busy_ms, &d.weighted_ms};
	enum { SHORT_FORM = 4 };
	uint64_t major, minor, v;
	char *name;

	if (!proc_next_u64(&line, &major) || !proc_next_u64(&line, &minor))
		return err_set(e, EINVAL, "the device number is not a number");
	if (!proc_next_field(&line, &name))
		return err_set(e, EINVAL, "there is no device name");
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		if (!proc_next_u64(&line, &v)) {
			if (i == SHORT_FORM && !*line)
				return 0;
			return err_set(e, EINVAL, "%.32s: field %u is not a number", name, i + 4);
		}
		if (fields[i])
			*fields[i] = v;
	}
	d.major = (unsigned)major;
	d.minor = (unsigned)minor;
	d.name = name;
	*out = d;
	return 1;
}

bool disk_skipped_by_default(const char *name)
{
	static const char *const prefixes[] = {"loop", "ram", "zram", "sr", "fd"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], n) == 0 && name[n] >= '0' && name[n] <= '9')
			return true;
	}
	return false;
}

double wide_counter_add(struct wide_counter *w, uint64_t now)
{
	uint32_t low = (uint32_t)now;

	if (now > UINT32_MAX) { /* not of 32 bits after all */
		*w = (struct wide_counter){0};
		return (double)now;
	}
	if (low < w->last) {
		/* Far back: it wrapped. A little or to the start: it was reset. */
		if (w->last - low > UINT32_MAX / 2)
			w->high += (uint64_t)UINT32_MAX + 1;
		else
			w->high = 0;
	}
	w->last = low;
	return (double)(w->high + low);
}

/* What is known of a device; kept between samples, in the order of the file. */
struct disk {
	char name[NAME_MAX_BYTES];
	unsigned major;
	unsigned minor;
	bool watched;
	bool stacked;
	unsigned checked; /* sample of the last look into /sys */
	struct wide_counter read_ms;
	struct wide_counter write_ms;
	struct wide_counter busy_ms;
	struct wide_counter weighted_ms;
};

struct disk_state {
	struct kept_file diskstats;
	struct disk *disks;
	size_t n_disks;
	size_t room;
};

struct sums {
	double read;
	double written;
};

static int is_entry(void *user, int dirfd, const char *name)
{
	(void)user;
	(void)dirfd;
	(void)name;
	return 1;
}

static bool has_entries(int dirfd, const char *path)
{
	return fs_list(dirfd, path, is_entry, NULL, NULL) == 1;
}

/* Without slaves in /sys, but their data lies on disks all the same. */
static bool is_stacked_by_name(const char *name)
{
	return str_starts(name, "zd") || str_starts(name, "drbd");
}

/* Looks into /sys/block, which has the whole devices. */
static void check(struct disk *d, const struct collect_ctx *ctx)
{
	const struct patterns *p = &ctx->options->disks;
	char path[NAME_MAX_BYTES + 32];
	char *name;
	uint64_t v;
	bool by_default;
	int n = snprintf(path, sizeof(path), "block/%s", d->name);

	d->checked = registry_sample(ctx->registry);
	for (name = path + strlen("block/"); *name; name++)
		if (*name == '/')
			*name = '!'; /* cciss/c0d0 */
	d->watched = false;
	if (faccessat(ctx->sys_fd, path, F_OK, 0) < 0)
		return;
	by_default = !disk_skipped_by_default(d->name);
	if (!by_default && p->n == 0)
		return;
	(void)snprintf(path + n, sizeof(path) - (size_t)n, "/size");
	if (proc_read_u64(ctx->sys_fd, path, &v, NULL) == 0 && v == 0)
		by_default = false; /* an empty card reader, an unused network block device */
	(void)snprintf(path + n, sizeof(path) - (size_t)n, "/hidden");
	if (proc_read_u64(ctx->sys_fd, path, &v, NULL) == 0 && v == 1)
		by_default = false; /* one path of a multipath device */
	d->watched = str_matches_any(p->list, p->n, d->name, by_default);
	if (!d->watched)
		return;
	(void)snprintf(path + n, sizeof(path) - (size_t)n, "/slaves");
	d->stacked = has_entries(ctx->sys_fd, path) || is_stacked_by_name(d->name);
}

static bool is_same(const struct disk *d, const struct disk_line *l)
{
	return d->major == l->major && d->minor == l->minor && strcmp(d->name, l->name) == 0;
}

/* The device of a line; `i` is where it was in the last sample unless devices came or went. */
static struct disk *find(
	struct disk_state *s, size_t i, const struct disk_line *l, const struct collect_ctx *ctx)
{
	struct disk *d;

	for (size_t j = i; j < s->n_disks; j++) {
		if (!is_same(&s->disks[j], l))
			continue;
		/* Those between are gone. */
		memmove(s->disks + i, s->disks + j, (s->n_disks - j) * sizeof(*s->disks));
		s->n_disks -= j - i;
		return &s->disks[i];
	}
	if (s->n_disks == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->disks = realloc(s->disks, s->room * sizeof(*s->disks));
		if (!s->disks)
			abort();
	}
	memmove(s->disks + i + 1, s->disks + i, (s->n_disks - i) * sizeof(*s->disks));
	s->n_disks++;
	d = &s->disks[i];
	*d = (struct disk){.major = l->major, .minor = l->minor};
	(void)str_copy(d->name, sizeof(d->name), l->name);
	check(d, ctx);
	return d;
}

static void latency(struct entity *e, size_t metric, size_t time_metric, size_t count_metric)
{
	double n = entity_increase(e, count_metric);
	double ms = entity_increase(e, time_metric);

	if (n > 0 && !isnan(ms))
		entity_gauge(e, metric, ms / n / 1000);
	else if (n <= 0)
		entity_missing(e, metric, "there was no request");
}

static void fill(struct entity *e, struct disk *d, const struct disk_line *l)
{
	entity_counter(e, DISK_read_bytes_per_second, (double)l->read_sectors * 512);
	entity_counter(e, DISK_written_bytes_per_second, (double)l->written_sectors * 512);
	entity_counter(e, DISK_reads_per_second, (double)l->reads);
	entity_counter(e, DISK_writes_per_second, (double)l->writes);
	entity_counter(e, DISK_read_time, wide_counter_add(&d->read_ms, l->read_ms));
	entity_counter(e, DISK_write_time, wide_counter_add(&d->write_ms, l->write_ms));
	entity_counter(e, DISK_busy_percent, wide_counter_add(&d->busy_ms, l->busy_ms));
	entity_counter(e, DISK_queue_length, wide_counter_add(&d->weighted_ms, l->weighted_ms));
	latency(e, DISK_read_latency_seconds, DISK_read_time, DISK_reads_per_second);
	latency(e, DISK_write_latency_seconds, DISK_write_time, DISK_writes_per_second);
}

static void collect_disk(
	struct disk *d, const struct disk_line *l, const struct collect_ctx *ctx, struct sums *sums)
{
	struct entity *e = registry_get(ctx->registry, &class_disk, d->name);

	if (!e)
		return;
	if (entity_is_new(ctx, e))
		entity_label(e, "device", d->name);
	entity_label(e, "stacked", d->stacked ? "1" : NULL);
	entity_read_at(e, ctx->now_ns);
	fill(e, d, l);
	if (d->stacked)
		return;
	sum_known(&sums->read, entity_value(e, DISK_read_bytes_per_second));
	sum_known(&sums->written, entity_value(e, DISK_written_bytes_per_second));
}

/* Goes on behind a bad line; the first one is reported. */
static int collect_lines(struct disk_state *s, char *text, const struct collect_ctx *ctx,
	struct sums *sums, struct err *e)
{
	unsigned now = registry_sample(ctx->registry);
	unsigned number = 0;
	int result = 0;
	size_t i = 0;
	char *line;

	while (proc_next_line(&text, &line)) {
		struct disk_line l;
		struct disk *d;
		struct err bad;
		int r = disk_parse_line(line, &l, &bad);

		number++;
		if (r < 0 && result == 0)
			result = err_set(e, -r, "line %u: %s", number, bad.msg);
		if (r <= 0 || strlen(l.name) >= NAME_MAX_BYTES)
			continue;
		d = find(s, i++, &l, ctx);
		if (now - d->checked >= RECHECK_SAMPLES)
			check(d, ctx);
		if (d->watched)
			collect_disk(d, &l, ctx, sums);
	}
	s->n_disks = i;
	return result;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct disk_state *s = state;
	struct entity *host = host_entity(ctx);
	struct sums sums = {NAN, NAN};
	char text[DISKSTATS_MAX];
	int r = proc_read_kept(&s->diskstats, ctx->proc_fd, "diskstats", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = collect_lines(s, text, ctx, &sums, e);
	if (host) {
		gauge_if_known(host, HOST_disk_read_bytes_per_second, sums.read);
		gauge_if_known(host, HOST_disk_written_bytes_per_second, sums.written);
	}
	return r < 0 ? proc_wrap(ctx->proc_fd, "diskstats", r, e) : 0;
}

static void done(void *state)
{
	struct disk_state *s = state;

	kept_file_close(&s->diskstats);
	free(s->disks);
}

const struct collector collector_disk = {
	.name = "disk",
	.doc = "Throughput, requests, latency and load of each disk",
	.state_size = sizeof(struct disk_state),
	.collect = collect,
	.done = done,
};
