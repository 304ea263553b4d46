/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of cgroup files (kernel Documentation/admin-guide/cgroup-v2.rst, "Interface Files").
 * Pure, and quick: these run for every file of every container in each sample. Keys count, never
 * positions: kernels add lines.
 */
#ifndef COLLECTORS_CGROUP_TEXT_H
#define COLLECTORS_CGROUP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A key of a "KEY VALUE" file that is wanted. */
struct cgroup_key {
	const char *name;
	size_t len;
	double *out; /* untouched when the key is not there */
};

#define CGROUP_KEY(name_, out_)                                                                    \
	{                                                                                          \
		name_, sizeof(name_) - 1, out_                                                     \
	}

/* Fills in the wanted keys of a flat keyed file, such as memory.stat. Returns how many were found. */
size_t cgroup_flat_keyed(const char *text, const struct cgroup_key *keys, size_t n);

/* A file of one number; "max" is INFINITY. False when it is neither. */
bool cgroup_number(const char *text, double *out);

/* cpu.max, "MAX PERIOD" in microseconds: cores, INFINITY for "max". False when it is something
 * else. */
bool cgroup_cpu_max(const char *text, double *out_cores);

/* The `total` in microseconds of the line "some" of a pressure file. False without one. */
bool cgroup_pressure_some(const char *text, double *out_usec);

/* How many CPUs a list such as "0-3,8" names; 0 for an empty or broken one. */
unsigned cgroup_cpu_list_count(const char *text);

/* The sums over block devices. */
struct cgroup_io {
	double read_bytes, written_bytes, reads, writes;
};

/* Whether a device's numbers are to be counted (see block_devices.h). */
typedef bool (*cgroup_device_fn)(void *user, unsigned major, unsigned minor);

/* io.stat of v2: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" lines; unknown keys and
 * bare device numbers are skipped. */
void cgroup_io_stat(const char *text, cgroup_device_fn counts, void *user, struct cgroup_io *out);

/* A blkio file of v1, "8:0 Read 4096" lines: the sums of Read and Write. Returns the number of
 * device lines. */
size_t cgroup_blkio(
	const char *text, cgroup_device_fn counts, void *user, double *out_read, double *out_write);

/* /proc/PID/net/dev: sums over the interfaces that lead out of the container. lo is left out,
 * and what carries the same bytes a second time (bridges, veth pairs, tunnels). False when no
 * such interface is there. */
struct cgroup_net_dev {
	double received_bytes, sent_bytes, received_packets, sent_packets;
};
bool cgroup_net_dev(const char *text, struct cgroup_net_dev *out);

#endif
