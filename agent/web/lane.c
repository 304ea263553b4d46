/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/lane.h"

#include <stddef.h>

static void unlink_place(struct lane *l, struct lane_place *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		l->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	else
		l->last = p->prev;
	p->prev = p->next = NULL;
	p->waits = false;
	l->waiting--;
}

bool lane_enter(struct lane *l, struct lane_place *p, lane_fn fn, void *user)
{
	if (l->in >= l->max && l->waiting >= l->max_waiting)
		return false;
	*p = (struct lane_place){.lane = l, .fn = fn, .user = user};
	if (l->in < l->max) {
		l->in++;
		fn(user);
		return true;
	}
	p->waits = true;
	p->prev = l->last;
	if (l->last)
		l->last->next = p;
	else
		l->first = p;
	l->last = p;
	l->waiting++;
	return true;
}

void lane_leave(struct lane_place *p)
{
	struct lane *l = p->lane;
	struct lane_place *next;

	if (!l)
		return;
	p->lane = NULL;
	if (p->waits) {
		unlink_place(l, p);
		return;
	}
	l->in--;
	next = l->first;
	if (!next || l->in >= l->max)
		return;
	unlink_place(l, next);
	l->in++;
	next->fn(next->user);
}
