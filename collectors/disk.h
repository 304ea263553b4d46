/* SPDX-License-Identifier: Apache-2.0
 *
 * Disks: /proc/diskstats (Documentation/admin-guide/iostats.rst). Whole devices only, no
 * partitions. Devices made of other devices (LVM, dm-crypt, md, ZFS volumes) are measured too but
 * carry the label stacked="1" and are left out of the sums of the host, since the same bytes are
 * counted below them.
 */
#ifndef COLLECTORS_DISK_H
#define COLLECTORS_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* One line. Sectors are of 512 bytes whatever the device says; times in milliseconds, 32 bits
 * wide in the kernel. */
struct disk_line {
	unsigned major;
	unsigned minor;
	const char *name; /* points into the text */
	uint64_t reads;
	uint64_t read_sectors;
	uint64_t read_ms;
	uint64_t writes;
	uint64_t written_sectors;
	uint64_t write_ms;
	uint64_t busy_ms;
	uint64_t weighted_ms;
};

/* 1: parsed; 0: a line of another form (partitions before 2.6.25 have 7 fields); -EINVAL names
 * the field. */
int disk_parse_line(char *line, struct disk_line *out, struct err *e);

/* Devices that no one watches unless asked: loop, RAM disks, floppy, CD. */
bool disk_skipped_by_default(const char *name);

/* Makes a 32-bit counter of milliseconds, which wraps after 49 days of work, a 64-bit one. */
struct wide_counter {
	uint64_t high;
	uint32_t last;
};
double wide_counter_add(struct wide_counter *w, uint64_t now);

#endif
