/* SPDX-License-Identifier: Apache-2.0
 *
 * Who made a thing that outlives its maker: a process of this host, named so that no later one can be taken for it (boot,
 * number, time of its start in clock ticks as /proc/PID/stat has it, proc(5)).
 */
#ifndef BACKUP_OWNER_H
#define BACKUP_OWNER_H

#include <stdbool.h>

enum { OWNER_SIZE = 80 };

void owner_self(char to[OWNER_SIZE]);
/* Whether that process is still there. What cannot be read was made by nobody who lives. */
bool owner_lives(const char *owner);

#endif
