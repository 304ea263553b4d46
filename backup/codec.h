/* SPDX-License-Identifier: Apache-2.0
 *
 * Compression by libarchive (https://libarchive.org): a raw stream, one filter. Bytes in any size of
 * piece; no padding at the end; several finished streams may be concatenated. The only file that
 * includes archive.h besides files_archive.c.
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
 * end that is no further stream of the same codec is -EBADMSG. At most `max_memory` bytes of
 * window are granted to a hostile stream where the library can limit it. */
int codec_decoder_new(enum codec c, struct reader *from, struct reader **out, struct err *e);

const char *codec_library_version(void);

#endif
