/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds secrets in text: as they are, percent-encoded in part or whole (RFC 3986), behind backslashes (JSON, shells), and as base64
 * of either alphabet (RFC 4648), also inside of what was encoded together with something else. Best effort against
 * carelessness: who wants to print a secret otherwise can.
 */
#ifndef DEPLOY_HOOKS_MASK_H
#define DEPLOY_HOOKS_MASK_H

#include <stddef.h>

#include "base/cleanup.h"

enum {
	MASK_SECRET_MIN = 8, /* shorter ones stand in every other word */
	MASK_PIECE_MAX = 384, /* longer ones are looked for in pieces */
	/* The most text one match takes: base64 of a piece, every character percent-encoded. */
	MASK_MATCH_MAX = (MASK_PIECE_MAX + 2) / 3 * 4 * 3,
};

struct mask;

struct mask *mask_new(void); /* aborts without memory */
/* Each line of it of at least MASK_SECRET_MIN bytes, for text comes by lines. Copied. */
void mask_add(struct mask *m, const char *secret);
/* Sets marks[i] to 1 for each byte of the text that belongs to a secret; leaves the others. */
void mask_find(const struct mask *m, const char *text, size_t n, unsigned char *marks);
void mask_free(struct mask *m); /* wipes; NULL is fine */
DEFINE_CLEANUP(struct mask *, mask_free);

#endif
