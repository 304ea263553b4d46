/* SPDX-License-Identifier: Apache-2.0
 *
 * Families of gauges of a list the daemon keeps, such as its backup jobs: one value for each that has one. Pure.
 */
#ifndef AGENT_WEB_PROMETHEUS_LIST_H
#define AGENT_WEB_PROMETHEUS_LIST_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"

/* A value of NaN is left out, and a family without any value. */
struct prometheus_family {
	const char *name;
	const char *doc;
	double (*value)(const json_t *one, const char *member);
	const char *member;
};

/* `list`: array of objects with a `name`, which is the label's value; NULL is an empty one. */
void prometheus_list_write(struct buf *b, const struct prometheus_family *families, size_t n,
	const char *label, const json_t *list);

/* What the member of that name is; NaN: none. */
double prometheus_number(const json_t *object, const char *member);
/* Seconds of a time in milliseconds; 0 stands for none. */
double prometheus_time(const json_t *object, const char *member);
/* 1 or 0. */
double prometheus_bool(const json_t *object, const char *member);
double prometheus_is_there(const json_t *object, const char *member);

#endif
