/* SPDX-License-Identifier: Apache-2.0
 *
 * libconfig's parser (https://hyperrealm.github.io/libconfig/) with messages people can use. Its
 * lines are lines of the text; config_text_where() says which file they came from.
 */
#ifndef AGENT_CONFIG_PARSE_H
#define AGENT_CONFIG_PARSE_H

#include "agent/config_text.h"
#include "agent/mistakes.h"

struct config_t; /* of libconfig.h */

/* Parses into *out, which the caller destroys in any case. libconfig stops at the first syntax
 * error, which is added to *m unless the text is known to be broken; settings from line *until
 * on (UINT_MAX: none) are then not to be trusted. It also stops at a name given twice in one
 * group; that is reported here and the parsing goes on: such a setting is in *out with '*'
 * behind its name. */
void config_parse(
	struct config_t *out, const struct config_text *t, unsigned *until, struct mistakes *m);

/* Of libconfig, as this was built with. */
const char *config_parse_library_version(void);

#endif
