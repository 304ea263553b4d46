/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to what the parts of the daemon want, at the start and on a reload.
 */
#ifndef AGENT_DAEMON_CONFIG_H
#define AGENT_DAEMON_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

struct daemon;

/* Reads the configuration and fills d->config, collect_options, layout and the interval. On
 * mistakes all of them have been logged, *e sums up. */
int daemon_config_load(struct daemon *d, struct err *e);
void daemon_config_done(struct daemon *d);

/* Starts the collection of containers with the options of the configuration. */
int daemon_open_containers(struct daemon *d, struct err *e);

/* Takes the new configuration whole or not at all. `changed` gets the names of the changed
 * options, each in quotes with commas between; `mistakes` what is wrong, with "; " between.
 * Options that need a restart are named in a problem. */
int daemon_reload(struct daemon *d, struct buf *changed, struct buf *mistakes);

#endif
