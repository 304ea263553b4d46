/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "notify/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A span that is accepted is one, and its quiet time ends, after now and within a week, in a minute
 * that is not quiet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const time_t ahead_max = 7 * 86400;
	time_t t = 1774656000; /* the day before summer time begins */
	char text[256];
	struct quiet_span s;
	struct err e;

	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)setenv("TZ", "Europe/Berlin", 1);
	if (quiet_parse(text, &s, &e) < 0) {
		assert(*e.msg);
		return 0;
	}
	assert(s.days && !(s.days >> 7));
	assert(s.from_minute >= 0 && s.from_minute < 1440);
	assert(s.to_minute >= 0 && s.to_minute <= 1440);
	for (int i = 0; i < 50; i++, t += 5431) {
		time_t until = quiet_until(&s, 1, t);

		if (!until)
			continue;
		assert(until > t && until <= t + ahead_max);
		assert(until == t + ahead_max || quiet_until(&s, 1, until) == 0);
	}
	return 0;
}
