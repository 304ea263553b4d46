/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A schedule that is accepted has at least one value in each field, and its runs follow one
 * another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];
	struct cron c;
	struct err e;
	time_t t = 1774656000; /* the day before summer time begins */

	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)setenv("TZ", "Europe/Berlin", 1);
	if (cron_parse(text, &c, &e) < 0) {
		assert(*e.msg);
		return 0;
	}
	assert(c.minutes && c.hours && c.days && c.months && c.weekdays);
	assert(!(c.minutes >> 60) && !(c.hours >> 24) && !(c.days & 1) && !(c.months & 1));
	for (int i = 0; i < 3; i++) {
		time_t next = cron_next(&c, t);

		if (next == -1)
			break;
		assert(next > t && next % 60 == 0);
		t = next;
	}
	return 0;
}
