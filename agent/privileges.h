/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives up root for processes that touch what strangers control: the web process and the workers
 * that draw.
 */
#ifndef AGENT_PRIVILEGES_H
#define AGENT_PRIVILEGES_H

#include "base/err.h"

/* Enters the folder behind `folder_fd` (its parents need not be open to the user), closes it, and
 * becomes the user `agent`, else `nobody`, for good; a process that is not root stays who it is. No
 * program it starts can gain rights, and it ends with SIGTERM when its parent does. */
int privileges_drop(int folder_fd, struct err *e);

#endif
