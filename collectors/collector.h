/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract of a collector: one file that reads one source and fills entities. Collectors know
 * nothing of RRD, HTTP or rules. They read under root directory descriptors, so that a test points
 * them at a recorded tree, and never block on a network. To add one: CONTRIBUTING.md.
 */
#ifndef COLLECTORS_COLLECTOR_H
#define COLLECTORS_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/problem.h"
#include "collectors/entity.h"

/* Patterns as str_matches_any() takes them. */
struct patterns {
	const char *const *list;
	size_t n;
};

/* What the package manager said, asked by the daemon now and then. */
struct known_updates {
	bool known;
	unsigned all;
	unsigned security;
};

struct collect_options {
	struct patterns filesystems; /* mount points; no match: watched */
	struct patterns disks; /* device names */
	struct patterns interfaces; /* interface names */
	const struct known_updates *updates; /* may be NULL */
	bool network_filesystems; /* also NFS, CIFS, sshfs and the like */
};

struct collect_ctx {
	struct registry *registry;
	struct problems *problems;
	const struct collect_options *options;
	int root_fd; /* "/": /etc, /run, /boot, /var */
	int proc_fd; /* "/proc" */
	int sys_fd; /* "/sys" */
	/* the real system: system calls (statvfs, adjtimex, sock_diag) may be used beside the
	 * files */
	bool live;
	int64_t now_ns; /* monotonic, when this collector began */
	int64_t wall_ms;
};

/* Positive outcome: this machine does not have the source (no /proc/pressure, no sensors). Not
 * an error, tried again each sample. */
enum { COLLECTOR_ABSENT = 1 };

struct collector {
	const char *name; /* file name without .c */
	const char *doc;
	size_t state_size; /* zeroed memory kept between samples; kept descriptors live there */
	/* 0, COLLECTOR_ABSENT, or a negative errno with *e naming the file and the line or field
	 * that is wrong. What it filled in before the error stays valid. */
	int (*collect)(void *state, const struct collect_ctx *ctx, struct err *e);
	void (*done)(void *state); /* may be NULL */
};

/* Alphabetical, ended by NULL. */
extern const struct collector *const collectors[];

#endif
