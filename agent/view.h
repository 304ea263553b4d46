/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking into the entities of a control answer or a pushed sample (CONTROL.md) on the command
 * line's side. Values there stand in the order of the class's metric table. All pointers are
 * borrowed from the message.
 */
#ifndef AGENT_VIEW_H
#define AGENT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* NaN when unknown, or when `entity` is NULL. */
double view_value(const json_t *entity, size_t metric);
/* "" when absent. */
const char *view_key(const json_t *entity);
const char *view_label(const json_t *entity, const char *name);
bool view_is(const json_t *entity, const char *class_name);
/* The first of the class, or NULL. */
const json_t *view_first(const json_t *entities, const char *class_name);
size_t view_count(const json_t *entities, const char *class_name);

/* For programs: the same entities with values as {"cpu_used_percent": 1.5, ...}. New reference. */
json_t *view_named(const json_t *entities);

#endif
