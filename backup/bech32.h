/* SPDX-License-Identifier: Apache-2.0
 *
 * Bech32 (BIP 173) without its limit of 90 characters: bytes as text with a name in front and a checksum behind,
 * "age1...". Pure.
 */
#ifndef BACKUP_BECH32_H
#define BACKUP_BECH32_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { BECH32_BYTES_MAX = 64, BECH32_PREFIX_MAX = 32 };

/* `prefix` decides the case of the whole text. False when `size` is too small for the text and its NUL. */
bool bech32_encode(char *to, size_t size, const char *prefix, const void *data, size_t n);
/* The text must have exactly this prefix, in its case, and hold exactly n bytes. -EINVAL says what is wrong and
 * never quotes the text, which may be a secret. */
int bech32_decode(const char *text, const char *prefix, void *to, size_t n, struct err *e);

#endif
