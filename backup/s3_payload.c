/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_payload.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"

enum { MD5_BYTES = 16, SHA256_BYTES = 32, CRC_TABLES = 8 };

struct s3_digest {
	enum s3_checksum checksum;
	EVP_MD_CTX *sha256, *md5;
	uint32_t crc;
};

/* Eight bytes a step (slicing-by-8). The polynomial is reflected. */
static void crc_tables(uint32_t t[CRC_TABLES][256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? (c >> 1) ^ 0x82f63b78U : c >> 1;
		t[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < CRC_TABLES; k++)
			t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xff];
}

uint32_t s3_crc32c(uint32_t crc, const void *data, size_t n)
{
	static uint32_t t[CRC_TABLES][256];
	const unsigned char *p = data;
	uint32_t c = ~crc;

	if (!t[0][1])
		crc_tables(t);
	for (; n >= 8; n -= 8, p += 8) {
		uint32_t low = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
					   (uint32_t)p[3] << 24);

		c = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^
		    t[4][low >> 24] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
	}
	while (n--)
		c = (c >> 8) ^ t[0][(c ^ *p++) & 0xff];
	return ~c;
}

static void begin(struct s3_digest *d)
{
	if (EVP_DigestInit_ex(d->sha256, EVP_sha256(), NULL) != 1 ||
		EVP_DigestInit_ex(d->md5, EVP_md5(), NULL) != 1)
		abort();
	d->crc = 0;
}

struct s3_digest *s3_digest_new(enum s3_checksum c)
{
	struct s3_digest *d = calloc(1, sizeof(*d));

	if (!d || !(d->sha256 = EVP_MD_CTX_new()) || !(d->md5 = EVP_MD_CTX_new()))
		abort();
	d->checksum = c;
	begin(d);
	return d;
}

void s3_digest_free(struct s3_digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->sha256);
	EVP_MD_CTX_free(d->md5);
	free(d);
}

void s3_digest_add(struct s3_digest *d, const void *data, size_t n)
{
	if (EVP_DigestUpdate(d->sha256, data, n) != 1 || EVP_DigestUpdate(d->md5, data, n) != 1)
		abort();
	if (d->checksum == S3_CHECKSUM_CRC32C)
		d->crc = s3_crc32c(d->crc, data, n);
}

static void put_hex(char *to, const unsigned char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)snprintf(to + 2 * i, 3, "%02x", from[i]);
}

static void put_base64(char to[S3_BASE64_SIZE], const unsigned char *from, size_t n)
{
	struct buf b = BUF_INIT(S3_BASE64_SIZE);

	base64_encode(&b, from, n, 0);
	memcpy(to, buf_str(&b), b.len + 1);
	buf_done(&b);
}

void s3_digest_end(struct s3_digest *d, struct s3_payload *out)
{
	unsigned char sha256[SHA256_BYTES], md5[MD5_BYTES];
	const unsigned char crc[4] = {(unsigned char)(d->crc >> 24), (unsigned char)(d->crc >> 16),
		(unsigned char)(d->crc >> 8), (unsigned char)d->crc};

	if (EVP_DigestFinal_ex(d->sha256, sha256, NULL) != 1 ||
		EVP_DigestFinal_ex(d->md5, md5, NULL) != 1)
		abort();
	put_hex(out->sha256_hex, sha256, sizeof(sha256));
	put_hex(out->md5_hex, md5, sizeof(md5));
	put_base64(out->md5_base64, md5, sizeof(md5));
	*out->checksum_base64 = '\0';
	if (d->checksum == S3_CHECKSUM_CRC32C)
		put_base64(out->checksum_base64, crc, sizeof(crc));
	else if (d->checksum == S3_CHECKSUM_SHA256)
		put_base64(out->checksum_base64, sha256, sizeof(sha256));
	begin(d);
}

void s3_payload_of(struct s3_payload *out, enum s3_checksum c, const void *data, size_t n)
{
	struct s3_digest *d = s3_digest_new(c);

	s3_digest_add(d, data, n);
	s3_digest_end(d, out);
	out->data = data;
	out->len = n;
	s3_digest_free(d);
}

const char *s3_checksum_name(enum s3_checksum c)
{
	static const char *const names[] = {NULL, "CRC32C", "SHA256"};

	assert((size_t)c < sizeof(names) / sizeof(names[0]));
	return names[c];
}
