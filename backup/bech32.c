/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/bech32.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <string.h>

enum {
	CHECKSUM_LEN = 6,
	GROUPS_MAX = (BECH32_BYTES_MAX * 8 + 4) / 5,
	VALUES_MAX = 2 * BECH32_PREFIX_MAX + 1 + GROUPS_MAX + CHECKSUM_LEN,
};

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod(uint32_t sum, uint8_t value)
{
	static const uint32_t generator[] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

/* The checksum covers the prefix in lower case: the upper three bits of each letter, 0, the lower five. */
static uint32_t prefix_sum(const char *prefix)
{
	uint32_t sum = 1;

	for (const char *p = prefix; *p; p++)
		sum = polymod(sum, (uint8_t)(tolower((unsigned char)*p) >> 5));
	sum = polymod(sum, 0);
	for (const char *p = prefix; *p; p++)
		sum = polymod(sum, (uint8_t)(tolower((unsigned char)*p) & 31));
	return sum;
}

/* Bytes as groups of five bits, the last one filled with 0. */
static size_t to_groups(uint8_t groups[GROUPS_MAX], const uint8_t *data, size_t n)
{
	unsigned have = 0, bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bits = (bits << 8 | data[i]) & 0xfff;
		for (have += 8; have >= 5; have -= 5)
			groups[len++] = (uint8_t)(bits >> (have - 5) & 31);
	}
	if (have > 0)
		groups[len++] = (uint8_t)(bits << (5 - have) & 31);
	return len;
}

/* False unless the groups hold exactly n bytes and the bits left over are 0. */
static bool from_groups(uint8_t *to, size_t n, const uint8_t *groups, size_t len)
{
	unsigned have = 0, bits = 0;
	size_t at = 0;

	if (len != (n * 8 + 4) / 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 5 | groups[i]) & 0xfff;
		have += 5;
		if (have >= 8) {
			have -= 8;
			to[at++] = (uint8_t)(bits >> have);
		}
	}
	return at == n && (bits & ((1u << have) - 1)) == 0;
}

bool bech32_encode(char *to, size_t size, const char *prefix, const void *data, size_t n)
{
	uint8_t groups[GROUPS_MAX];
	size_t at = strlen(prefix), len;
	bool upper = isupper((unsigned char)prefix[0]);
	uint32_t sum = prefix_sum(prefix);

	assert(n <= BECH32_BYTES_MAX);
	len = to_groups(groups, data, n);
	if (at + 1 + len + CHECKSUM_LEN + 1 > size)
		return false;
	memcpy(to, prefix, at);
	to[at++] = '1';
	for (size_t i = 0; i < len; i++) {
		sum = polymod(sum, groups[i]);
		to[at++] = alphabet[groups[i]];
	}
	for (size_t i = 0; i < CHECKSUM_LEN; i++)
		sum = polymod(sum, 0);
	sum ^= 1;
	for (unsigned i = 0; i < CHECKSUM_LEN; i++)
		to[at++] = alphabet[sum >> 5 * (CHECKSUM_LEN - 1 - i) & 31];
	to[at] = '\0';
	for (char *p = to; upper && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	OPENSSL_cleanse(groups, sizeof(groups));
	return true;
}

/* The value of a letter, in the one case that is allowed; -1. */
static int letter(char c, bool upper)
{
	const char *p;

	if (c == '\0' || (upper ? islower((unsigned char)c) : isupper((unsigned char)c)))
		return -1;
	p = strchr(alphabet, tolower((unsigned char)c));
	return p ? (int)(p - alphabet) : -1;
}

int bech32_decode(const char *text, const char *prefix, void *to, size_t n, struct err *e)
{
	size_t prefix_len = strlen(prefix), len, want = (n * 8 + 4) / 5;
	uint8_t groups[GROUPS_MAX + CHECKSUM_LEN];
	bool upper = isupper((unsigned char)prefix[0]), good;
	uint32_t sum = prefix_sum(prefix);

	assert(n <= BECH32_BYTES_MAX);
	if (strncmp(text, prefix, prefix_len) != 0 || text[prefix_len] != '1')
		return err_set(e, EINVAL, "does not begin with %s1", prefix);
	text += prefix_len + 1;
	len = strlen(text);
	if (len != want + CHECKSUM_LEN)
		return err_set(e, EINVAL, "has %zu characters after %s1 instead of %zu", len,
			prefix, want + CHECKSUM_LEN);
	for (size_t i = 0; i < len; i++) {
		int v = letter(text[i], upper);

		if (v < 0)
			return err_set(e, EINVAL, "has a wrong character at position %zu",
				prefix_len + 2 + i);
		groups[i] = (uint8_t)v;
		sum = polymod(sum, groups[i]);
	}
	good = sum == 1 && from_groups(to, n, groups, want);
	OPENSSL_cleanse(groups, sizeof(groups));
	return good ? 0 : err_set(e, EINVAL, "is mistyped: its checksum is wrong");
}
