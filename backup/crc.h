/* SPDX-License-Identifier: Apache-2.0
 *
 * Cyclic redundancy checks of formats that end in one. Against accidents, not against people. Pure.
 */
#ifndef BACKUP_CRC_H
#define BACKUP_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Polynomials, reflected. */
#define CRC64_JONES UINT64_C(0x95ac9329ac4bc9b5) /* Redis */
#define CRC64_ECMA UINT64_C(0xc96c5795d7870f42) /* mongodump; inverted by the caller as below */
#define CRC32_IEEE UINT64_C(0xedb88320) /* gzip; register and result are inverted by the caller */

struct crc_table {
	uint64_t t[8][256];
};

void crc_table_init(struct crc_table *t, uint64_t polynomial);
/* The register after n more bytes. */
uint64_t crc_update(const struct crc_table *t, uint64_t crc, const void *data, size_t n);

#endif
