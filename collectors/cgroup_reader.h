/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the numbers of one cgroup, v1 or v2, under the descriptors of a cgroup_tree. Files stay
 * open between samples (a third of the cost of opening them) as long as the budget of descriptors
 * lasts; limits are read only each CGROUP_REFRESH_SAMPLES. A container that ends in the middle of a
 * read is an outcome, not an error.
 */
#ifndef COLLECTORS_CGROUP_READER_H
#define COLLECTORS_CGROUP_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "collectors/block_devices.h"
#include "collectors/cgroup.h"
#include "collectors/cgroup_numbers.h"
#include "collectors/procfs.h"

enum {
	CGROUP_FILES_MAX = 12,
	CGROUP_REFRESH_SAMPLES = 15,
	/* A read of a cgroup or net/dev file. The largest, memory.stat, has some 1.5 kB; net/dev
	 * of a host with many interfaces 20 kB. */
	CGROUP_TEXT_MAX = 64 << 10,
};

/* What all cgroups share. */
struct cgroup_reader {
	const struct cgroup_tree *tree;
	int proc_fd, sys_fd;
	struct block_devices devices;
	size_t kept, kept_max; /* descriptors kept open, and how many may be */
	unsigned samples;
	unsigned cpus; /* CPUs online; 0: not known */
	double memory_bytes; /* of the machine; NaN: not known */
	double boot_time; /* of the machine, Unix seconds; NaN: not known */
	/* v1: which of the alternative blkio files this kernel fills, found at the root; -1: none. */
	int variant;
	/* v2: a cgroup whose OOM kills do not count for those above it (the kernel adds them up); NULL: none. The caller's. */
	const char *apart;
	char text[CGROUP_TEXT_MAX];
};

/* The smallest limits that apply, its own and those of the cgroups above; INFINITY: none. */
struct cgroup_limits {
	double cpu_quota_cores, cpuset_cores, memory_bytes, processes;
};

/* One cgroup that is read each sample. */
struct cgroup {
	char *path; /* inside the trees */
	struct kept_file files[CGROUP_FILES_MAX];
	const char *absent
		[CGROUP_FILES_MAX]; /* why a file is not there; looked for again at a refresh */
	int variant; /* of the reader, as the files were opened */
	struct cgroup_limits limits;
	unsigned samples; /* reads so far */
	unsigned refresh; /* at which of CGROUP_REFRESH_SAMPLES limits are read */
};

/* What cgroup_read() finds. */
enum {
	CGROUP_OK = 0,
	CGROUP_GONE = 1, /* it does not exist any more */
	CGROUP_REPLACED = 2, /* another one of that path has taken its place: counters began anew */
};

/* The tree stays the caller's. kept_max: 0 opens files each time. */
void cgroup_reader_init(struct cgroup_reader *r, const struct cgroup_tree *tree, int proc_fd,
	int sys_fd, size_t kept_max);
/* Once per sample, before the cgroups: reads again, now and then, what is the machine's (CPUs,
 * memory, block devices). */
void cgroup_reader_begin(struct cgroup_reader *r);

void cgroup_init(struct cgroup *g, const char *path, unsigned refresh);
void cgroup_done(struct cgroup_reader *r, struct cgroup *g);

/* Fills `out` (network and what the engine knows are not in it). */
int cgroup_read(struct cgroup_reader *r, struct cgroup *g, struct cgroup_numbers *out);

/* The OOM kills counted so far in it and below it, without those of `apart`. False when the kernel does not tell, or it is
 * gone. */
bool cgroup_read_oom_kills(const struct cgroup_reader *r, const struct cgroup *g, double *out);

/* --- for the readers of v1 and v2 --- */

enum { CGROUP_VARIANTS_MAX = 4 };

/* A file, or several that would tell the same: cgroup_reader.variant says which. */
struct cgroup_source {
	enum cgroup_controller controller;
	const char *files[CGROUP_VARIANTS_MAX];
	void (*parse)(struct cgroup_reader *r, const char *text, struct cgroup_numbers *out);
	const char *reason; /* for the user, when the file is not there */
	const unsigned char *metrics; /* what is missing then, ended by CGROUP_METRICS */
	/* The reason when the file is there but lacks a key; NULL: it always has all. */
	const char *incomplete;
};

struct cgroup_version {
	const struct cgroup_source *sources;
	size_t n_sources;
	const char *oom_file;
	/* Chooses cgroup_reader.variant; NULL: there are none. */
	int (*choose_variant)(struct cgroup_reader *r);
	const char *no_variant; /* the reason when it chose none */
	/* Reads the limits of the cgroup at `path` alone into `l`, where they are smaller than
	 * what is there. */
	void (*limits)(struct cgroup_reader *r, const char *path, struct cgroup_limits *l);
	/* For metrics this version does not have at all. */
	void (*finish)(struct cgroup_numbers *out);
};

extern const struct cgroup_version cgroup_v1;
extern const struct cgroup_version cgroup_v2;

/* Reads PATH/NAME in the tree of the controller into r->text, opened for this once. Length or
 * negative errno. */
int cgroup_read_once(
	struct cgroup_reader *r, enum cgroup_controller c, const char *path, const char *name);

#endif
