/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/cpuinfo: what Dokploy wants to know of the processor. Pure.
 */
#ifndef AGENT_WEB_CPUINFO_H
#define AGENT_WEB_CPUINFO_H

struct cpuinfo {
	char model[128]; /* "AuthenticAMD AMD EPYC 7B13"; "" when the file does not say */
	double mhz; /* of the first core; 0: unknown */
	int cores; /* as the scheduler sees them */
	/* each counted once, however many threads it has; = cores where the file does not say */
	int physical_cores;
};

/* Whatever the text, the result is valid. */
void cpuinfo_parse(const char *text, struct cpuinfo *out);

#endif
