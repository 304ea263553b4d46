/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets out of nothing, and their comparison.
 */
#ifndef AGENT_RANDOM_H
#define AGENT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `to` with n random bytes as 2 n lower-case hexadecimal digits and a NUL, from
 * getrandom(2). Aborts when the kernel has none. */
void random_hex(char *to, size_t n_bytes);

/* Compares in time that does not depend on where they differ. */
bool secrets_equal(const char *a, const char *b);

#endif
