/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 (RFC 4648, section 4): bytes as text and back.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Adds the text, padded; a line end (CRLF) after every `line` characters when that is not 0. */
void base64_encode(struct buf *out, const void *data, size_t n, size_t line);
/* Adds the bytes. -EINVAL when the text is not whole groups of four of the alphabet. */
int base64_decode(struct buf *out, const char *text, size_t n, struct err *e);

#endif
