/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /health: whether samples still come.
 */
#ifndef AGENT_WEB_HEALTH_H
#define AGENT_WEB_HEALTH_H

struct health;

struct health *health_new(void);
void health_free(struct health *h); /* NULL is fine */

#endif
