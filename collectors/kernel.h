/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters of the kernel outside /proc/stat: /proc/vmstat (page faults, swap traffic, OOM kills),
 * /proc/sys/fs/file-nr (Documentation/admin-guide/sysctl/fs.rst) and /proc/uptime.
 */
#ifndef COLLECTORS_KERNEL_H
#define COLLECTORS_KERNEL_H

#include "base/err.h"

/* NaN: the kernel has no such counter. */
struct vmstat {
	double major_faults;
	double oom_kills; /* since 4.13 */
	double swap_in_pages; /* none without swap support */
	double swap_out_pages;
};

int vmstat_parse(char *text, struct vmstat *out, struct err *e);

struct file_handles {
	double used;
	double max;
};

int file_handles_parse(char *text, struct file_handles *out, struct err *e);

int uptime_parse(char *text, double *out_seconds, struct err *e);

#endif
