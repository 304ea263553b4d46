/* SPDX-License-Identifier: Apache-2.0
 *
 * The first byte chooses the codec and one of two: a stream as a store may hand it back, decoded whole and in small pieces; or
 * bytes that are encoded, must come back as they were, and must not come back when the stream is cut where the next two bytes say.
 *
 * Whether a frame of zstd that contradicts itself is refused depends on the pieces it comes in (the library looks at the size in
 * its header only when it has all of it), so verdicts are not compared: the manifest has length and SHA-256 of what must come out.
 */
#include "backup/codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/streams.h"

enum { OUT_MAX = 1 << 20, N_CODECS = CODEC_ZSTD + 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1: there is more than OUT_MAX. */
static int decode(enum codec c, const void *data, size_t size, size_t piece, struct buf *out)
{
	static char block[30000];
	_cleanup_(reader_free_p) struct reader *r = NULL;
	struct memory_reader from;
	ssize_t n;

	memory_reader_init(&from, data, size, piece);
	n = codec_decoder_new(c, &from.reader, &r, NULL);
	if (n < 0)
		return (int)n;
	while ((n = reader_read(r, block, sizeof(block), NULL)) > 0) {
		buf_add(out, block, (size_t)n);
		if (out->overflow)
			return 1;
	}
	return (int)n;
}

static bool same(const struct buf *a, const void *b, size_t n)
{
	return a->len == n && (n == 0 || memcmp(a->data, b, n) == 0);
}

static void decode_anything(enum codec c, const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(OUT_MAX), pieces = BUF_INIT(OUT_MAX);

	if (decode(c, data, size, size + 1, &whole) == 0 &&
		decode(c, data, size, 5, &pieces) == 0 && !same(&whole, pieces.data, pieces.len))
		abort();
	buf_done(&whole);
	buf_done(&pieces);
}

static void encode(enum codec c, const uint8_t *data, size_t size, struct memory_sink *to)
{
	const struct codec_options o = {c, 1, 1};
	struct sink *s;

	memory_sink_init(to);
	if (codec_encoder_new(&o, &to->sink, &s, NULL) < 0 || sink_write(s, data, size, NULL) < 0 ||
		sink_finish(s, NULL) < 0)
		abort();
	sink_free(s);
}

static void there_and_back(enum codec c, size_t cut, const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(OUT_MAX);
	struct memory_sink enc;

	encode(c, data, size, &enc);
	if (decode(c, enc.got.data, enc.got.len, 1000, &out) != 0 || !same(&out, data, size))
		abort();
	buf_clear(&out);
	if (c != CODEC_NONE && decode(c, enc.got.data, cut % enc.got.len, 1000, &out) >= 0)
		abort();
	buf_done(&out);
	buf_done(&enc.got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3 || size > OUT_MAX)
		return 0;
	if (data[0] / N_CODECS % 2)
		there_and_back((enum codec)(data[0] % N_CODECS), (size_t)data[1] << 8 | data[2],
			data + 3, size - 3);
	else
		decode_anything((enum codec)(data[0] % N_CODECS), data + 1, size - 1);
	return 0;
}
