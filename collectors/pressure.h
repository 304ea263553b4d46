/* SPDX-License-Identifier: Apache-2.0
 *
 * Pressure stall information (Documentation/accounting/psi.rst): /proc/pressure here, and the files
 * of the same form in cgroups. Only the totals are used: the kernel's own averages would hide what
 * happens between samples.
 */
#ifndef COLLECTORS_PRESSURE_H
#define COLLECTORS_PRESSURE_H

#include "base/err.h"

/* Time waited since boot in microseconds. NaN: no such line (kernels before 5.13 have no "full"
 * for the CPU). */
struct pressure {
	double some;
	double full;
};

int pressure_parse(char *text, struct pressure *out, struct err *e);

#endif
