/* SPDX-License-Identifier: Apache-2.0
 *
 * Temperatures: /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst) and, on machines without
 * any there, /sys/class/thermal (Documentation/driver-api/thermal/sysfs-api.rst). Both give
 * millidegrees Celsius.
 */
#ifndef COLLECTORS_SENSOR_H
#define COLLECTORS_SENSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* -EINVAL: not a whole number. -ERANGE: no temperature of a computer (-100 to 200 degrees), as
 * unconnected sensors show. */
int sensor_parse(const char *text, double *out_celsius, struct err *e);

/* Name of a chip that stays the same from boot to boot, which hwmonN does not: the driver's name
 * with the device it is on ("coretemp.0", "nvme0", "k10temp-0000:00:18.3"). `device` may be "". */
void sensor_chip_name(char *to, size_t size, const char *driver, const char *device);

/* Number N of "tempN_input", or 0. */
unsigned sensor_number(const char *file_name);

#endif
