/* SPDX-License-Identifier: Apache-2.0
 *
 * The payload of an age file: a random nonce, then chunks of 64 KiB, each sealed with its number and whether it
 * is the last one (C2SP/age.md, "Payload"). For age.h's own files.
 */
#ifndef BACKUP_AGE_PAYLOAD_H
#define BACKUP_AGE_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/age_crypto.h"

enum {
	AGE_PAYLOAD_NONCE_BYTES = 16,
	AGE_CHUNK_BYTES = 64 * 1024,
	AGE_SEALED_BYTES = AGE_CHUNK_BYTES + AGE_TAG_BYTES,
};

static inline struct age_cipher *age_payload_cipher(const uint8_t file_key[AGE_FILE_KEY_BYTES],
	const uint8_t nonce[AGE_PAYLOAD_NONCE_BYTES], bool encrypts)
{
	uint8_t key[AGE_KEY_BYTES];
	struct age_cipher *c;

	age_hkdf(key, file_key, AGE_FILE_KEY_BYTES, nonce, AGE_PAYLOAD_NONCE_BYTES, "payload");
	c = age_cipher_new(key, encrypts);
	age_wipe(key, sizeof(key));
	return c;
}

/* The number as 11 bytes, most significant first; then 1 for the last chunk. */
static inline void age_chunk_nonce(uint8_t to[AGE_NONCE_BYTES], uint64_t number, bool is_last)
{
	for (unsigned i = 0; i < AGE_NONCE_BYTES - 1; i++)
		to[i] = (uint8_t)(i < 3 ? 0 : number >> 8 * (AGE_NONCE_BYTES - 2 - i));
	to[AGE_NONCE_BYTES - 1] = is_last;
}

#endif
