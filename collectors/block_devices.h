/* SPDX-License-Identifier: Apache-2.0
 *
 * Which block devices' bytes are counted. LVM, dm-crypt, md and loop devices sit on others, so the
 * kernel counts the same bytes at each storey: only devices at the bottom count, whose
 * /sys/dev/block/M:N/slaves is empty. Loop and zram devices are left out too: their bytes are file
 * or memory traffic. Answers are remembered per device number.
 */
#ifndef COLLECTORS_BLOCK_DEVICES_H
#define COLLECTORS_BLOCK_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

enum { BLOCK_DEVICES_KEPT = 128 }; /* more are looked up each time */

struct block_devices {
	int sys_fd; /* "/sys" */
	size_t n;
	struct {
		unsigned major, minor;
		bool counts;
	} known[BLOCK_DEVICES_KEPT];
};

void block_devices_init(struct block_devices *b, int sys_fd);
/* Device numbers are given to others in time: forget the answers now and then. */
void block_devices_forget(struct block_devices *b);
/* Has the form of cgroup_device_fn; `block_devices` is a struct block_devices. A device /sys
 * does not know counts. */
bool block_device_counts(void *block_devices, unsigned major, unsigned minor);

#endif
