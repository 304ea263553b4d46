/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory and swap: /proc/meminfo (Documentation/filesystems/proc.rst, 1.2.4) and the cache of ZFS,
 * /proc/spl/kstat/zfs/arcstats. Swap traffic stands in vmstat, which kernel.c reads.
 */
#ifndef COLLECTORS_MEMORY_H
#define COLLECTORS_MEMORY_H

#include "base/err.h"

/* Bytes. NaN: the file has no such line. */
struct memory {
	double total;
	double free;
	/* estimated when the kernel does not tell (before 3.14, some containers) */
	double available;
	double buffers;
	double cached;
	double shared;
	double reclaimable;
	double swap_total;
	double swap_free;
};

/* -EINVAL also when MemTotal or MemFree is missing. */
int memory_parse(char *text, struct memory *out, struct err *e);
/* "size 4 123": bytes of the ARC. */
int memory_parse_arc(char *text, double *out_bytes, struct err *e);

#endif
