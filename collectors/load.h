/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/loadavg (proc(5)): load averages and the number of processes.
 */
#ifndef COLLECTORS_LOAD_H
#define COLLECTORS_LOAD_H

#include "base/err.h"

struct load {
	double average[3]; /* over 1, 5 and 15 minutes */
	double tasks; /* processes and threads that exist */
};

int load_parse(char *text, struct load *out, struct err *e);

#endif
