/* SPDX-License-Identifier: Apache-2.0
 *
 * An archive as a store may hand it back, whole and in single bytes: both must come to the same verdict and counts.
 */
#include "backup/pax.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(const uint8_t *data, size_t size, size_t piece, struct counts *counts)
{
	struct sink *s = NULL;
	int r = pax_check_new(&s, NULL);

	for (size_t i = 0; i < size && r == 0; i += piece)
		r = sink_write(s, data + i, size - i < piece ? size - i : piece, NULL);
	if (r == 0)
		r = sink_finish(s, NULL);
	pax_check_counts(s, counts);
	sink_free(s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counts a = {0}, b = {0};

	if (check(data, size, size + 1, &a) != check(data, size, 1, &b))
		abort();
	if (counts_compare(&a, &b, NULL) < 0)
		abort();
	return 0;
}
