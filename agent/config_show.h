/* SPDX-License-Identifier: Apache-2.0
 *
 * What is written from the table of options and from a configuration: the list of effective values,
 * the sample file, the section of the manual page.
 */
#ifndef AGENT_CONFIG_SHOW_H
#define AGENT_CONFIG_SHOW_H

#include "agent/config.h"
#include "agent/options.h"
#include "base/buf.h"

/* A JSON array of {"name": "interval", "value": "20s", "origin": "default"}, by name. Values are
 * of the option's type (text, number, true/false, array of these), null when not set; secrets
 * are "***". */
void config_show_json(const struct config *c, struct buf *out);

/* A file with every option at its default, commented out: "# " begins prose, "#" alone a setting. */
void config_show_sample(const struct options *t, struct buf *out);

/* The items of an mdoc(7) list, one per option. */
void config_show_manual(const struct options *t, struct buf *out);

#endif
