/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the package manager once a day what could be updated (`apt-get -s dist-upgrade`, which
 * changes nothing and needs no lock), as a niced child. On systems without apt-get nothing happens.
 * Ubuntu's own list, where it is kept, comes first (collectors/updates.c).
 */
#ifndef AGENT_UPDATE_CHECK_H
#define AGENT_UPDATE_CHECK_H

#include "base/loop.h"
#include "collectors/collector.h"

struct update_check;

/* The first check runs 10 minutes after the start, when a busy boot is over. The answer goes to
 * `out`, which must outlive it. */
struct update_check *update_check_new(struct loop *l, struct known_updates *out);
void update_check_free(struct update_check *u); /* NULL is fine */

#endif
