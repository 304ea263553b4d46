/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets out of nothing, and their fingerprints.
 */
#ifndef AGENT_RANDOM_H
#define AGENT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `to` with n random bytes as 2 n lower-case hexadecimal digits and a NUL, from
 * getrandom(2). Aborts when the kernel has none. */
void random_hex(char *to, size_t n_bytes);

/* SHA-256 (FIPS 180-4) of a text as 64 hexadecimal digits and a NUL. */
enum { SHA256_HEX_SIZE = 65 };
void sha256_hex(char to[SHA256_HEX_SIZE], const char *text);

/* Compares in time that does not depend on where they differ. */
bool secrets_equal(const char *a, const char *b);

#endif
