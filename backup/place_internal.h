/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kind of place provides: internal to place*.c.
 */
#ifndef BACKUP_PLACE_INTERNAL_H
#define BACKUP_PLACE_INTERNAL_H

#include "backup/place.h"
#include "backup/running.h"

struct place_ops {
	int (*start)(struct place *p, const struct running_options *o, struct running **out,
		struct err *e);
	bool (*has)(struct place *p, const char *program);
	void (*free)(struct place *p);
};

/* Embedded first in each kind's own struct. */
struct place {
	const struct place_ops *ops;
	char *title;
	const struct docker_container *docker; /* NULL: this host */
};

#endif
