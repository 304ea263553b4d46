/* SPDX-License-Identifier: Apache-2.0
 *
 * Where secrets come from. An option of type OPTION_SECRET_FILE names one of
 *
 *   /etc/agent/ops.token    a file that only its owner (or root's group) can read
 *   ops.token               a credential that systemd handed over (LoadCredential= in the unit,
 *                           systemd.exec(5)): a file in $CREDENTIALS_DIRECTORY
 *   env:OPS_TOKEN           a variable of the agent's environment
 */
#ifndef AGENT_SECRET_H
#define AGENT_SECRET_H

#include "base/buf.h"
#include "base/err.h"

enum { SECRET_MAX = 16 * 1024 };

/* The form alone. */
int secret_parse(const char *source, struct err *e);
/* Whether a file is there and closed to others. A credential is looked for only where there are
 * any, a variable never: a command in a terminal does not see what the agent sees. */
int secret_check(const char *source, struct err *e);
/* Reads a secret of one line into `out` (its max is the bound), without the line end. -EINVAL: it is
 * empty or has control characters; other negative errno as for files. */
int secret_read(const char *source, struct buf *out, struct err *e);
/* The same for secrets of several lines: identity files of age, credentials of a store. */
int secret_read_text(const char *source, struct buf *out, struct err *e);

#endif
