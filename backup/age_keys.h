/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of age as text, and as bytes. For age.h's own files.
 */
#ifndef BACKUP_AGE_KEYS_H
#define BACKUP_AGE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "backup/age_crypto.h"
#include "base/cleanup.h"
#include "base/err.h"

enum { AGE_IDENTITIES_MAX = 100 };

/* -EINVAL says what is wrong, also for a point of low order. */
int age_recipient_parse(const char *text, uint8_t to[AGE_KEY_BYTES], struct err *e);

struct age_identities {
	struct age_identity {
		uint8_t secret[AGE_KEY_BYTES], public[AGE_KEY_BYTES];
	} items[AGE_IDENTITIES_MAX];
	size_t n;
};

/* The text of an identity file. -EINVAL: "line 3: ...", without any of the secret. */
int age_identities_parse(const char *text, struct age_identities **out, struct err *e);
void age_identities_free(struct age_identities *ids); /* wipes; NULL is fine */
DEFINE_CLEANUP(struct age_identities *, age_identities_free);

#endif
