/* SPDX-License-Identifier: Apache-2.0
 *
 * Removes the history of what is gone for good: RRD files and catalogue rows of entities that are
 * not in the registry and were last seen longer ago than catalogue_keep_seconds(). At most 64 a
 * call; run daily and shortly after the start.
 */
#ifndef COLLECTORS_EXPIRE_H
#define COLLECTORS_EXPIRE_H

#include <stdint.h>
#include <time.h>

#include "base/problem.h"
#include "collectors/catalogue.h"
#include "collectors/entity.h"

/* `folder` is that of the RRD files, longest_seconds the span of the longest archive. */
void history_expire(const char *folder, int64_t longest_seconds, struct catalogue *catalogue,
	const struct registry *r, struct problems *problems, time_t now);

#endif
