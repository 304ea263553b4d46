/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment that a container was made with (`Config.Env` of ContainerInspect): images of databases take their first
 * user from there.
 */
#ifndef BACKUP_CONTAINER_ENV_H
#define BACKUP_CONTAINER_ENV_H

#include "backup/place.h"

/* Value of the variable, or NULL: not set, empty, or not a container. Valid as long as the place. */
const char *container_env(const struct place *p, const char *name);
/* The same of a password: from now on it is hidden in messages (place_hide). */
const char *container_secret(const struct place *p, const char *name);

#endif
