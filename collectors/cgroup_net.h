/* SPDX-License-Identifier: Apache-2.0
 *
 * Network traffic of a cgroup. The kernel counts it per network namespace, so it is read from
 * /proc/PID/net/dev of a process in the cgroup. What is kept open between samples is the folder
 * /proc/PID alone: it dies with its process, so a new process of the same number is never taken for
 * it, and it does not keep the namespace alive as an open net/dev would. A namespace that several
 * cgroups share (a Kubernetes pod, --network container:ID) counts for one of them, its owner; that
 * of the machine counts for none.
 */
#ifndef COLLECTORS_CGROUP_NET_H
#define COLLECTORS_CGROUP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/cgroup_reader.h"

enum cgroup_net_kind {
	CGROUP_NET_UNKNOWN, /* no process found, or its namespace may not be seen by this user */
	CGROUP_NET_OWN,
	CGROUP_NET_HOST,
	CGROUP_NET_SHARED, /* counted for another one */
};

struct cgroup_net {
	enum cgroup_net_kind kind;
	uint64_t ns; /* inode number of the namespace; 0: not known */
	long pid; /* the process it is read through; 0: none */
	int pid_fd_plus_1; /* O_PATH descriptor of /proc/PID; 0: none is kept */
	double started_at; /* when that process was started, Unix seconds; NaN: not known */
	unsigned samples;
	bool denied;
};

/* The inode number of the machine's own network namespace: that of process 1, or where this user
 * may not see it, of this process. 0 when neither is there. */
uint64_t cgroup_net_host_ns(int proc_fd);

/* Once per sample, before cgroup_net_read(). When no process is known, finds one (first_pid,
 * when it is in the cgroup; else the first the kernel lists, in it or below it) and its
 * namespace. True when the namespace is another than before: the caller then settles who owns
 * which namespace. */
bool cgroup_net_find(struct cgroup_net *n, struct cgroup_reader *r, const struct cgroup *g,
	long first_pid, uint64_t host_ns);

/* Whether the namespace, used by several, is counted for this one. Of no effect unless it is OWN
 * or SHARED. */
void cgroup_net_own(struct cgroup_net *n, struct cgroup_reader *r, bool owner);

/* Reads the counters, or says why there are none. False when the process is gone: find another
 * and read again. */
bool cgroup_net_read(struct cgroup_net *n, struct cgroup_reader *r, const struct cgroup *g,
	struct cgroup_numbers *out);

void cgroup_net_done(struct cgroup_net *n, struct cgroup_reader *r);

/* Field 22 of /proc/PID/stat: clock ticks from boot to the start of the process. False when it
 * cannot be read. */
bool cgroup_net_parse_start(const char *stat, double *out_ticks);
/* "net:[4026531840]": the number, or 0. */
uint64_t cgroup_net_parse_link(const char *link);
/* Whether /proc/PID/cgroup (its text) says that the process is in the cgroup at `path` or below
 * it, in any tree. */
bool cgroup_net_is_member(const char *proc_cgroup, const char *path);

#endif
