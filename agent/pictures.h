/* SPDX-License-Identifier: Apache-2.0
 *
 * The pictures of messages: what notify/sender.h asks for, drawn by charts.h.
 */
#ifndef AGENT_PICTURES_H
#define AGENT_PICTURES_H

#include "agent/charts.h"
#include "notify/sender.h"

struct pictures {
	struct charts *charts;
	/* Address of the dashboard; "": pictures have no link. Changed by the owner at a reload. */
	const char *url;
	struct picture_source source; /* what the sender gets; filled in by pictures_init() */
};

/* `p` must outlive the sender. */
void pictures_init(struct pictures *p, struct charts *charts, const char *url);

#endif
