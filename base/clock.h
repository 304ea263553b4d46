/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks. Monotonic time runs deadlines and rates; wall time is only for what people and RRD files
 * see.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
int64_t clock_mono_ms(void);
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME since 1970 */

/* RFC 3339 in UTC: "2026-11-21T05:06:07Z". At least 21 bytes. */
void clock_rfc3339(char *to, size_t size, time_t t);

#endif
