/* SPDX-License-Identifier: Apache-2.0
 *
 * Who has which name. Several containers may have the same stable name for a while: during a swap
 * the old and the new version both run, and the old one may be kept, stopped, for a rollback. The
 * one started last owns the name; another live one is shown as NAME@ID, a stopped one not at all.
 * Pure.
 */
#ifndef COLLECTORS_CONTAINER_KEYS_H
#define COLLECTORS_CONTAINER_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of their rights. Ended: its cgroup is gone since the last sample, and it is shown
 * once more. */
enum container_claim_kind { CLAIM_LIVE, CLAIM_ENDED, CLAIM_STOPPED };

struct container_claim {
	const char *stable; /* the name claimed */
	double started_at; /* Unix seconds; NaN: not known, older than any other */
	enum container_claim_kind kind;
	const void *who; /* the caller's */
	bool owner; /* out */
};

/* Sorts the claims by name, the owner of each first, and sets `owner`. */
void container_keys_settle(struct container_claim *claims, size_t n);

#endif
