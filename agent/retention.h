/* SPDX-License-Identifier: Apache-2.0
 *
 * How long measurements are kept: archives written as "20s for 2d". Works out the default for an
 * interval and checks what a user wrote. Pure.
 */
#ifndef AGENT_RETENTION_H
#define AGENT_RETENTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collectors/rrd_layout.h"

/* "20s for 2d". At least RETENTION_TEXT_MAX bytes. */
enum { RETENTION_TEXT_MAX = 80 };
void retention_format(char *to, size_t size, const struct rrd_archive *a);

/* The archives for an interval when the user chose none: those of the default, each row rounded
 * up to a multiple of the interval. For an interval under 20 s a finer one comes first, of 8640
 * rows, as many as the default keeps at 20 s. */
void retention_default(int64_t interval_seconds, struct rrd_layout *out);

/* Whether the archives fit the interval and each other: rows are multiples of it, each later one
 * is wider and kept longer. -EINVAL with what is wrong. */
int retention_check(const struct rrd_layout *l, struct err *e);

#endif
