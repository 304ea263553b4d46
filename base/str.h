/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: strict parsing of what people and kernels write, and printing of quantities for people.
 * Parsers take the whole string or fail; none of them looks at the locale.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Copies what fits and always terminates. Returns false when the text was cut (never inside a
 * UTF-8 character). */
bool str_copy(char *to, size_t size, const char *from);
/* Duplicates; aborts without memory, so never NULL. str_dup(NULL) is NULL. */
char *str_dup(const char *s);
char *str_ndup(const char *s, size_t n);
char *str_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Length in bytes (1 to 4) of the valid UTF-8 character at s, or 0 when there is none (RFC 3629:
 * no surrogates, no overlong forms). The terminating NUL counts as invalid. */
size_t str_utf8_char(const char *s);

/* Whole decimal numbers, no sign for the unsigned ones, no spaces. 0 or -EINVAL/-ERANGE with a
 * message. */
int str_to_u64(const char *s, uint64_t *out, struct err *e);
int str_to_i64(const char *s, int64_t *out, struct err *e);
/* A decimal number as people write it; inf and nan are refused. */
int str_to_double(const char *s, double *out, struct err *e);
/* "500ms", "20s", "5m", "12h", "2d", "4w", "1y" (365 days); a bare 0 is allowed. Result in
 * milliseconds. */
int str_to_duration_ms(const char *s, int64_t *out_ms, struct err *e);
/* "512", "64k", "10M", "2G", "1T" with an optional B or iB; powers of 1024. Result in bytes. */
int str_to_size_bytes(const char *s, uint64_t *out_bytes, struct err *e);

/* The shortest exact form str_to_duration_ms() reads back: 120000 -> "2m". */
void str_from_duration_ms(char *to, size_t size, int64_t ms);
/* For people: "1.2 GiB", "37 MiB", "512 B" and "3d 4h", "12m 5s", "8s". */
void str_human_bytes(char *to, size_t size, double bytes);
void str_human_duration(char *to, size_t size, int64_t seconds);

/* Shell patterns (* ? [..], no special treatment of '/' or a leading dot) in order: the first
 * that matches decides, a leading '!' means "not". Without a match the answer is `otherwise`. */
bool str_matches_any(const char *const *patterns, size_t n, const char *s, bool otherwise);

/* Edit distance (Levenshtein) of two names of at most 63 bytes; larger names give SIZE_MAX. For
 * "did you mean". */
size_t str_distance(const char *a, const char *b);

#endif
