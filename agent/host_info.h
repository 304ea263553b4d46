/* SPDX-License-Identifier: Apache-2.0
 *
 * What does not change while the system runs: names and versions. Read once at the start.
 */
#ifndef AGENT_HOST_INFO_H
#define AGENT_HOST_INFO_H

#include <stdint.h>

enum { HOST_INFO_SIZE = 128 };

struct host_info {
	char os[HOST_INFO_SIZE]; /* PRETTY_NAME of os-release(5) */
	char kernel[HOST_INFO_SIZE]; /* uname -r */
	char architecture[HOST_INFO_SIZE]; /* uname -m */
	char cpu_model
		[HOST_INFO_SIZE]; /* "model name" of /proc/cpuinfo; "" on machines without one */
	char cpu_vendor[HOST_INFO_SIZE];
	double cpu_mhz; /* 0: unknown */
	int cpu_cores; /* online */
	int cpu_physical_cores; /* distinct (physical id, core id); cpu_cores when unknown */
	int64_t boot_time; /* Unix seconds */
};

/* Unknown fields stay empty. Reads /etc/os-release, /proc/cpuinfo, /proc/stat. */
void host_info_read(struct host_info *h);

#endif
