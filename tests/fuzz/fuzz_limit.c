/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "notify/limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_limit(const char *text, enum metric_unit unit)
{
	struct limit l, o;
	struct err e = {""};
	char printed[LIMIT_TEXT_MAX];

	if (limit_parse(text, unit, &l, &e) < 0) {
		assert(*e.msg);
		return;
	}
	limit_print(printed, sizeof(printed), &l, unit);
	assert(!*printed == (l.op == LIMIT_NONE));
	if (l.op == LIMIT_NONE)
		return;
	assert(isfinite(l.value));
	o = limit_opposite(&l);
	assert(limit_holds(&l, l.value) != limit_holds(&o, l.value));
	assert(!limit_holds(&l, (double)NAN) && !limit_holds(&o, (double)NAN));
}

/* What is accepted is a finite number, can be printed, and holds or does not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256], printed[LIMIT_TEXT_MAX];
	double v;

	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (int unit = UNIT_NONE; unit <= UNIT_BOOLEAN; unit++) {
		check_limit(text, (enum metric_unit)unit);
		if (limit_parse_value(text, (enum metric_unit)unit, &v, NULL) < 0)
			continue;
		assert(isfinite(v));
		limit_print_value(printed, sizeof(printed), v, (enum metric_unit)unit);
		assert(*printed);
	}
	return 0;
}
