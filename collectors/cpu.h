/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/stat (Documentation/filesystems/proc.rst, 1.7): CPU time by mode of all cores and of each,
 * and the few counters of the kernel that stand in the same file, so that it is read once.
 */
#ifndef COLLECTORS_CPU_H
#define COLLECTORS_CPU_H

#include <stdint.h>

#include "base/err.h"

/* The order of the fields in the file. The two behind them, guest and guest_nice, are already
 * counted in user and nice. */
enum cpu_mode {
	CPU_USER,
	CPU_NICE,
	CPU_SYSTEM,
	CPU_IDLE,
	CPU_IOWAIT,
	CPU_IRQ,
	CPU_SOFTIRQ,
	CPU_STEAL,
	CPU_MODES,
};

/* Ticks of 1/100 s (USER_HZ). Kernels before 2.6.11 have fewer modes; those are 0. */
struct cpu_ticks {
	uint64_t of[CPU_MODES];
};

struct proc_stat {
	struct cpu_ticks all;
	unsigned cores; /* online */
	/* NaN when the file has no such line. */
	double interrupts;
	double context_switches;
	double boot_time;
	double forks;
	double running;
	double blocked;
};

/* Calls core() for each core online. -EINVAL names the line and the field. */
typedef void (*cpu_core_fn)(void *user, unsigned number, const struct cpu_ticks *t);
int stat_parse(char *text, struct proc_stat *out, cpu_core_fn core, void *user, struct err *e);

/* Sums up shares of CPU time: total[mode] grows by 1 for each 1/100 second in which all cores
 * were in that mode. Working with the sums keeps shares right when cores come and go. The kernel
 * lets idle and iowait run back a little at times (proc(5)): that counts as standing still. */
struct cpu_shares {
	struct cpu_ticks last;
	double total[CPU_MODES];
};
/* Starts again from 0 when the counters were reset, which the registry takes as a new first read. */
void cpu_shares_add(struct cpu_shares *s, const struct cpu_ticks *now, unsigned cores);

#endif
