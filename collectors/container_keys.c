/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/container_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct container_claim *x = a;
	const struct container_claim *y = b;
	int r = strcmp(x->stable, y->stable);
	double start_x = isnan(x->started_at) ? -INFINITY : x->started_at;
	double start_y = isnan(y->started_at) ? -INFINITY : y->started_at;

	if (r != 0)
		return r;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (start_x > start_y)
		return -1;
	return start_x < start_y;
}

void container_keys_settle(struct container_claim *claims, size_t n)
{
	if (n > 1)
		qsort(claims, n, sizeof(*claims), compare);
	for (size_t i = 0; i < n; i++)
		claims[i].owner = i == 0 || strcmp(claims[i].stable, claims[i - 1].stable) != 0;
}
