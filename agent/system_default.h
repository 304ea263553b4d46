/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of options whose default is the system's own.
 */
#ifndef AGENT_SYSTEM_DEFAULT_H
#define AGENT_SYSTEM_DEFAULT_H

#include <stddef.h>

/* `name` is "hostname" or "timezone"; others give "". */
void system_default(const char *name, char *to, size_t size);

/* A value that could stand there: for the sample file, which must not depend on the machine it
 * was made on. */
const char *system_example(const char *name);

#endif
