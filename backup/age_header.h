/* SPDX-License-Identifier: Apache-2.0
 *
 * The header of an age file: who can open it. Lines of text, the last one begins with "--- " and has their
 * MAC (C2SP/age.md, "Header"). Pure. For age.h's own files.
 */
#ifndef BACKUP_AGE_HEADER_H
#define BACKUP_AGE_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "backup/age_crypto.h"
#include "base/buf.h"
#include "base/err.h"

enum { AGE_STANZAS_MAX = 256 };
#define AGE_INTRO "age-encryption.org/v1\n"
#define AGE_MAC_LINE "---"
#define AGE_ARMOR "-----BEGIN AGE ENCRYPTED FILE-----"

/* The file's key, wrapped for one that can open it. */
struct age_stanza {
	enum { AGE_X25519, AGE_SCRYPT } kind;
	uint8_t share[AGE_KEY_BYTES]; /* X25519 */
	uint8_t salt[AGE_SALT_BYTES]; /* scrypt */
	int log_n; /* scrypt */
	uint8_t wrapped[AGE_WRAPPED_BYTES];
};

struct age_header {
	struct age_stanza stanzas[AGE_STANZAS_MAX];
	size_t n_stanzas;
	size_t n_unknown; /* of kinds that others know */
	size_t mac_len; /* how much of the text the MAC covers */
	uint8_t mac[AGE_KEY_BYTES];
};

/* Writes: begin, each stanza, end. */
void age_header_begin(struct buf *out);
void age_header_add(struct buf *out, const struct age_stanza *s);
void age_header_end(struct buf *out, const uint8_t file_key[AGE_FILE_KEY_BYTES]);

/* The whole text, up to the line end of the MAC. -EBADMSG for anything that is not exactly as it must be, -E2BIG for
 * a passphrase that would take more than AGE_WORK_FACTOR_MAX. */
int age_header_parse(const char *text, size_t n, struct age_header *out, struct err *e);
/* -EBADMSG: the header was changed. */
int age_header_check(const struct age_header *h, const char *text,
	const uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e);

#endif
