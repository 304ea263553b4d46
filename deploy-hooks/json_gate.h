/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a JSON text a parser gets to see, so that no token in it is long and no text in it surprises: a text beyond JSON_GATE_TEXT_MAX is
 * cut there (between characters), half of a surrogate pair becomes U+FFFD, a byte order mark at the start is left
 * out; a NUL in a text, and a number longer than JSON_GATE_NUMBER_MAX, are refused. Whether the rest is JSON is for the
 * parser to say. Pure; bytes in, bytes out.
 */
#ifndef DEPLOY_HOOKS_JSON_GATE_H
#define DEPLOY_HOOKS_JSON_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	JSON_GATE_TEXT_MAX =
		65536, /* bytes as written; commit messages are the longest that matter */
	JSON_GATE_NUMBER_MAX = 64,
	JSON_GATE_EXTRA = 32, /* at most so many bytes more come out than went in */
};

struct json_gate {
	enum { GATE_OUTSIDE, GATE_TEXT, GATE_ESCAPE, GATE_HEX } place;
	size_t offset; /* bytes in */
	size_t mark; /* bytes of the mark left out */
	size_t run; /* of a number or word */
	size_t len; /* of a text */
	bool cut; /* the rest of this text is dropped */
	unsigned digits, unit; /* of \uXXXX */
	unsigned high; /* first half of a pair, held back; 0: none */
};

/* Zeroed to begin with. `to` has room for n + JSON_GATE_EXTRA. -EBADMSG. */
int json_gate_pass(
	struct json_gate *g, const char *from, size_t n, char *to, size_t *n_to, struct err *e);

#endif
