/* SPDX-License-Identifier: Apache-2.0
 *
 * The libraries the program runs with, and their versions at run time. For `agent version` and
 * `agent doctor`.
 */
#ifndef AGENT_LIBRARIES_H
#define AGENT_LIBRARIES_H

struct library {
	const char *name;
	const char *(*version)(void);
};

/* Alphabetical, ended by a NULL name. */
extern const struct library libraries[];

#endif
