/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/crc.h"

void crc_table_init(struct crc_table *t, uint64_t polynomial)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
		t->t[0][i] = crc;
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned i = 0; i < 256; i++)
			t->t[k][i] = t->t[k - 1][i] >> 8 ^ t->t[0][t->t[k - 1][i] & 0xff];
}

static uint64_t little_endian(const unsigned char *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* Eight bytes at a time: each one's part has a table of its own. */
uint64_t crc_update(const struct crc_table *t, uint64_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = crc ^ little_endian(p);

		crc = t->t[7][v & 0xff] ^ t->t[6][v >> 8 & 0xff] ^ t->t[5][v >> 16 & 0xff] ^
		      t->t[4][v >> 24 & 0xff] ^ t->t[3][v >> 32 & 0xff] ^ t->t[2][v >> 40 & 0xff] ^
		      t->t[1][v >> 48 & 0xff] ^ t->t[0][v >> 56];
	}
	for (; n > 0; p++, n--)
		crc = crc >> 8 ^ t->t[0][(crc ^ *p) & 0xff];
	return crc;
}
