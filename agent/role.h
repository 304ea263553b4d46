/* SPDX-License-Identifier: Apache-2.0
 *
 * What a caller may do; each role includes the ones before it.
 */
#ifndef AGENT_ROLE_H
#define AGENT_ROLE_H

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_ADMIN };

const char *role_name(enum role r); /* "none", "viewer", "admin" */
enum role role_from(const char *name); /* ROLE_NONE for anything else, NULL too */

#endif
