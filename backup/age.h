/* SPDX-License-Identifier: Apache-2.0
 *
 * Encryption in the age v1 file format (https://age-encryption.org/v1, C2SP/age.md): binary files,
 * X25519 recipients or one passphrase (scrypt); ChaCha20-Poly1305 in 64 KiB pieces. Primitives are
 * OpenSSL's. What is written here opens with the `age` program and the other way round.
 */
#ifndef BACKUP_AGE_H
#define BACKUP_AGE_H

#include <stdbool.h>
#include <stddef.h>

#include "backup/stream.h"

enum {
	AGE_RECIPIENT_SIZE = 64, /* "age1..." and a NUL fit */
	AGE_IDENTITY_SIZE = 80, /* "AGE-SECRET-KEY-1..." and a NUL fit */
	AGE_RECIPIENTS_MAX = 20,
	AGE_HEADER_MAX = 64 * 1024,
	/* log2 of scrypt's N: 32 MiB for a moment. age itself takes 18, which is 256 MiB: too much beside the
	 * databases of a small server. So a passphrase may not be a short one. */
	AGE_WORK_FACTOR = 15,
	AGE_PASSPHRASE_MIN = 12, /* bytes */
	AGE_WORK_FACTOR_MAX = 20, /* read; more would take gigabytes */
};

/* Whether the text is an X25519 recipient ("age1", Bech32). -EINVAL says what is wrong. */
int age_recipient_check(const char *text, struct err *e);
/* -EINVAL: a passphrase too short to encrypt with. Older backups open with any. */
int age_passphrase_check(const char *text, struct err *e);
/* A new pair of keys, as age-keygen makes them. */
int age_keygen(char identity[AGE_IDENTITY_SIZE], char recipient[AGE_RECIPIENT_SIZE], struct err *e);
/* The recipient of an identity. */
int age_recipient_of(const char *identity, char recipient[AGE_RECIPIENT_SIZE], struct err *e);

/* Either recipients or a passphrase. Writes to `next`, which stays the caller's. */
struct age_encrypt {
	const char *const *recipients;
	size_t n_recipients;
	const char *passphrase; /* NULL: recipients */
};
int age_encryptor_new(
	const struct age_encrypt *o, struct sink *next, struct sink **out, struct err *e);

/* `identities` is the text of an identity file (age-keygen: one per line, # comments), or NULL;
 * `passphrase` or NULL. The header is read here: -EKEYREJECTED when no key fits (the message says whether
 * a passphrase or an identity is needed), -EBADMSG for what is no age file or was changed. The reader fails with
 * -EBADMSG at the first byte that is not authentic, and when the file ends early. */
struct age_decrypt {
	const char *identities;
	const char *passphrase;
};
int age_decryptor_new(
	const struct age_decrypt *o, struct reader *from, struct reader **out, struct err *e);

#endif
