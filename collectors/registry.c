/* SPDX-License-Identifier: Apache-2.0
 *
 * The collectors of this server, alphabetical. One line each.
 */
#include <stddef.h>

#include "collectors/collector.h"

extern const struct collector collector_clock;
extern const struct collector collector_cpu;
extern const struct collector collector_disk;
extern const struct collector collector_filesystem;
extern const struct collector collector_interface;
extern const struct collector collector_kernel;
extern const struct collector collector_load;
extern const struct collector collector_memory;
extern const struct collector collector_pressure;
extern const struct collector collector_sensor;
extern const struct collector collector_tcp;
extern const struct collector collector_updates;

const struct collector *const collectors[] = {
	&collector_clock,
	&collector_cpu,
	&collector_disk,
	&collector_filesystem,
	&collector_interface,
	&collector_kernel,
	&collector_load,
	&collector_memory,
	&collector_pressure,
	&collector_sensor,
	&collector_tcp,
	&collector_updates,
	NULL,
};
