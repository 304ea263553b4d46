/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are taken out of what programs say, by their value and not by a pattern: a list of texts of this process, each
 * of which is shown as "***". Texts of less than REDACT_MIN bytes are not hidden: no message would be readable.
 */
#ifndef BACKUP_REDACT_H
#define BACKUP_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { REDACT_MIN = 4, REDACT_MAX = 64, REDACT_BYTES_MAX = 1024 };

/* The text without the newlines at its end. Longer ones are hidden by their first REDACT_BYTES_MAX bytes, which is said as well
 * as the whole. Of more than REDACT_MAX texts the oldest is forgotten. NULL and "" are fine. */
void redact_add(const char *secret);

/* Appends the text with all secrets hidden. `cut`: its beginning may be in the middle of a secret, so as many bytes as
 * that could be are left out. */
void redact_text(const char *text, size_t n, bool cut, struct buf *out);

#endif
