/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/age_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age.h"
#include "backup/age_header.h"
#include "backup/bech32.h"
#include "base/str.h"

#define RECIPIENT_PREFIX "age"
#define IDENTITY_PREFIX "AGE-SECRET-KEY-"

#define TAKEN "only those that age-keygen and `agent backup key` make can be used here"

/* What else age takes where a private key is asked for, and what people give by mistake. */
static int check_identity_kind(const char *text, struct err *e)
{
	if (str_starts(text, RECIPIENT_PREFIX "1"))
		return err_set(e, EINVAL,
			"is a public key (age1...); the private one (AGE-SECRET-KEY-1...) belongs "
			"here");
	if (str_starts(text, "AGE-PLUGIN-") || str_starts(text, "AGE-SECRET-KEY-PQ-"))
		return err_set(e, EINVAL, "is a key of an age plugin or of another kind; " TAKEN);
	if (str_starts(text, "-----BEGIN OPENSSH"))
		return err_set(e, EINVAL, "is an SSH key; " TAKEN);
	if (str_starts(text, "age-encryption.org/") || str_starts(text, AGE_ARMOR))
		return err_set(e, EINVAL,
			"is a file of keys that is encrypted itself; open it with age first");
	return 0;
}

/* A second "1" ends the name of a plugin: age1NAME1... One that is as long as it should be is rather mistyped. */
static int check_recipient_kind(const char *text, struct err *e)
{
	const size_t len = strlen("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");

	if (str_starts(text, IDENTITY_PREFIX))
		return err_set(e, EINVAL,
			"is a private key (AGE-SECRET-KEY-1...); the public one (age1...) belongs "
			"here");
	if (str_starts(text, RECIPIENT_PREFIX "1") && strlen(text) != len && strchr(text + 4, '1'))
		return err_set(e, EINVAL, "is a key of an age plugin or of another kind; " TAKEN);
	if (str_starts(text, "ssh-"))
		return err_set(e, EINVAL, "is an SSH key; " TAKEN);
	return 0;
}

int age_recipient_parse(const char *text, uint8_t to[AGE_KEY_BYTES], struct err *e)
{
	static const uint8_t any_secret[AGE_KEY_BYTES] = {1};
	uint8_t shared[AGE_KEY_BYTES];
	int r = check_recipient_kind(text, e);

	if (r == 0)
		r = bech32_decode(text, RECIPIENT_PREFIX, to, AGE_KEY_BYTES, e);
	if (r < 0)
		return r;
	if (age_x25519(shared, any_secret, to, NULL) < 0)
		return err_set(e, EINVAL, "is no usable public key");
	return 0;
}

int age_recipient_check(const char *text, struct err *e)
{
	uint8_t key[AGE_KEY_BYTES];

	return age_recipient_parse(text, key, e);
}

static int identity_parse(const char *text, struct age_identity *to, struct err *e)
{
	int r = bech32_decode(text, IDENTITY_PREFIX, to->secret, AGE_KEY_BYTES, e);

	if (r == 0)
		age_x25519_public(to->public, to->secret);
	return r;
}

int age_keygen(char identity[AGE_IDENTITY_SIZE], char recipient[AGE_RECIPIENT_SIZE], struct err *e)
{
	uint8_t secret[AGE_KEY_BYTES];
	bool fits;

	age_random(secret, sizeof(secret));
	fits = bech32_encode(identity, AGE_IDENTITY_SIZE, IDENTITY_PREFIX, secret, sizeof(secret));
	age_wipe(secret, sizeof(secret));
	if (!fits)
		return err_set(e, ERANGE, "the key does not fit");
	return age_recipient_of(identity, recipient, e);
}

int age_recipient_of(const char *identity, char recipient[AGE_RECIPIENT_SIZE], struct err *e)
{
	struct age_identity id;
	int r = identity_parse(identity, &id, e);

	if (r == 0 && !bech32_encode(recipient, AGE_RECIPIENT_SIZE, RECIPIENT_PREFIX, id.public,
			      sizeof(id.public)))
		r = err_set(e, ERANGE, "the key does not fit");
	age_wipe(&id, sizeof(id));
	return r;
}

/* A line without the white space at its end, in `to`; false when it is longer than any key. */
static bool copy_line(char to[AGE_IDENTITY_SIZE], const char *line, size_t n)
{
	while (n > 0 && strchr(" \t\r", line[n - 1]))
		n--;
	if (n >= AGE_IDENTITY_SIZE)
		return false;
	memcpy(to, line, n);
	to[n] = '\0';
	return true;
}

static int add_line(struct age_identities *ids, const char *line, size_t n, struct err *e)
{
	char text[AGE_IDENTITY_SIZE];
	int r;

	if (n > 0 && line[0] == '#')
		return 0;
	r = check_identity_kind(line, e);
	if (r < 0)
		return r;
	if (!copy_line(text, line, n))
		return err_set(e, EINVAL, "is longer than a key (AGE-SECRET-KEY-1...)");
	if (text[0] == '\0')
		return 0;
	if (ids->n == AGE_IDENTITIES_MAX)
		return err_set(e, EINVAL, "more than %d keys", AGE_IDENTITIES_MAX);
	r = identity_parse(text, &ids->items[ids->n], e);
	age_wipe(text, sizeof(text));
	if (r == 0)
		ids->n++;
	return r;
}

int age_identities_parse(const char *text, struct age_identities **out, struct err *e)
{
	_cleanup_(age_identities_free_p) struct age_identities *ids = calloc(1, sizeof(*ids));
	size_t number = 1;

	if (!ids)
		abort();
	for (const char *p = text; *p; number++) {
		size_t n = strcspn(p, "\n");
		int r = add_line(ids, p, n, e);

		if (r < 0)
			return err_wrap(e, r, "private keys: line %zu", number);
		p += n + (p[n] == '\n');
	}
	if (ids->n == 0)
		return err_set(e, EINVAL, "private keys: no AGE-SECRET-KEY-1... in it");
	*out = TAKE_PTR(ids);
	return 0;
}

void age_identities_free(struct age_identities *ids)
{
	if (!ids)
		return;
	age_wipe(ids, sizeof(*ids));
	free(ids);
}
