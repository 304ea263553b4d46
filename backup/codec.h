/* SPDX-License-Identifier: Apache-2.0
 *
 * Compression by libarchive (https://libarchive.org): a raw stream, one filter. Bytes in any size of
 * piece; no padding at the end; several finished streams may be concatenated (lz4: an empty one only as the
 * last). codec.c and codec_decoder.c are, besides files_archive.c, the only files that include archive.h.
 */
#ifndef BACKUP_CODEC_H
#define BACKUP_CODEC_H

#include <stdint.h>

#include "backup/stream.h"

enum codec { CODEC_NONE, CODEC_GZIP, CODEC_LZ4, CODEC_XZ, CODEC_ZSTD };

/* "none", "gzip", "lz4", "xz", "zstd"; NULL / -ENOENT for another name. */
const char *codec_name(enum codec c);
int codec_find(const char *name, enum codec *out);
/* ".gz"; "" for none. */
const char *codec_suffix(enum codec c);
/* Range of `level` in options: least and greatest, and what 0 (not set) means. */
void codec_levels(enum codec c, int *min, int *max, int *normal);

struct codec_options {
	enum codec codec;
	int level; /* 0: the codec's usual one */
	int threads; /* 1: in this thread; more: so many of the library's own, zstd and xz only */
};

/* Compresses into `next`, which stays the caller's. Freed without finish() it leaves an
 * invalid stream, never a valid shorter one. */
int codec_encoder_new(
	const struct codec_options *o, struct sink *next, struct sink **out, struct err *e);
/* Decompresses `from`, which stays the caller's. A stream that ends early or has anything behind its
 * end that is no further stream of the same codec is -EBADMSG: libarchive alone would let most of
 * these pass. A hostile stream gets at most what the library grants (xz 1 GiB, zstd a window of 128 MiB). Whether
 * the bytes are those that were compressed is for the manifest's SHA-256 to say: libarchive looks at the sums of
 * xz and lz4, not at gzip's, and writes zstd without. Reads from `from` at once. */
int codec_decoder_new(enum codec c, struct reader *from, struct reader **out, struct err *e);

const char *codec_library_version(void); /* "3.6.2" */

#endif
