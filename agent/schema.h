/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema of the state database as a list of steps. Steps are only ever appended; each part of
 * the program keeps the SQL of its own tables in its own header.
 */
#ifndef AGENT_SCHEMA_H
#define AGENT_SCHEMA_H

#include <stddef.h>

extern const char *const schema_migrations[];
extern const size_t schema_migrations_count;

#endif
