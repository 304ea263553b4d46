/* SPDX-License-Identifier: Apache-2.0
 *
 * A file as a store may hand it back, opened as an age file, whole and in small pieces: both must come to the same verdict
 * and bytes. The corpus is for the key below. The same bytes are tried as keys, too. No passphrase: scrypt is slow by design.
 */
#include "backup/age.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age_keys.h"
#include "tests/unit/streams.h"

#define IDENTITY "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0\n"

enum { OUT_MAX = 1 << 20, KEYS_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decrypt(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	const struct age_decrypt o = {IDENTITY, NULL};
	_cleanup_(reader_free_p) struct reader *r = NULL;
	struct memory_reader from;
	int ret;

	memory_reader_init(&from, data, size, piece);
	ret = age_decryptor_new(&o, &from.reader, &r, NULL);
	return ret < 0 ? ret : read_all(r, 50000, out, NULL);
}

static void try_keys(const uint8_t *data, size_t size)
{
	_cleanup_(age_identities_free_p) struct age_identities *ids = NULL;
	_cleanup_(free_p) char *text = calloc(1, size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	(void)age_identities_parse(text, &ids, NULL);
	(void)age_recipient_check(text, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(OUT_MAX), pieces = BUF_INIT(OUT_MAX);

	if (size > OUT_MAX)
		return 0;
	if (decrypt(data, size, size + 1, &whole) != decrypt(data, size, 7, &pieces) ||
		whole.len != pieces.len || whole.len > size ||
		memcmp(buf_str(&whole), buf_str(&pieces), whole.len) != 0)
		abort();
	if (size < KEYS_MAX)
		try_keys(data, size);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
