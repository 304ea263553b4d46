/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

static int64_t read_ns(clockid_t id)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(id, &t); /* these clocks exist on every kernel we run on */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_boot_ms(void)
{
	return read_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t clock_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}

void clock_rfc3339(char *to, size_t size, time_t t)
{
	struct tm tm;

	to[0] = '\0';
	if (gmtime_r(&t, &tm))
		(void)strftime(to, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
