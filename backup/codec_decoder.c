/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/codec.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { INPUT_SIZE = 64 * 1024, TAIL_SIZE = 16 };

/* libarchive looks at the first block to recognise what it is, and takes one that it could not
 * decompress, like one that holds nothing, for an empty file. So a stream of the one byte "x" goes in front, and
 * that byte is left out again: what follows is never the first block. */
static const unsigned char before_gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x03, 0xab, 0x00, 0x00, 0x83, 0x16, 0xdc, 0x8c, 0x01, 0x00, 0x00, 0x00};
static const unsigned char before_lz4[] = {0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x01, 0x00,
	0x00, 0x80, 0x78, 0x00, 0x00, 0x00, 0x00, 0xea, 0x30, 0xc4, 0x2e};
static const unsigned char before_xz[] = {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6,
	0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x10, 0x00, 0x00, 0x00, 0xa8, 0x70, 0x8e, 0x86,
	0x01, 0x00, 0x00, 0x78, 0x00, 0x00, 0x00, 0x00, 0x45, 0xae, 0xef, 0x83, 0xf8, 0xee, 0x16,
	0x0a, 0x00, 0x01, 0x19, 0x01, 0xa5, 0x2c, 0x81, 0xcc, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00,
	0x00, 0x00, 0x00, 0x04, 0x59, 0x5a};
static const unsigned char before_zstd[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x09, 0x00, 0x00, 0x78};
/* Its reader of lz4 swallows four bytes that are no frame, and ends there as if all were well. An empty
 * skippable frame behind the last byte is left over then. */
static const unsigned char after_lz4[] = {0x50, 0x2a, 0x4d, 0x18, 0x00, 0x00, 0x00, 0x00};
/* It takes an empty frame for the end of the file, so that one is only possible as the last. */
static const unsigned char empty_lz4[] = {
	0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x00, 0x00, 0x00, 0x00, 0x05, 0x5d, 0xcc, 0x02};
/* xz may be followed by NULs, which we do not want: this must be the end. */
static const unsigned char end_xz[] = {'Y', 'Z'};

#define BYTES(x) x, sizeof(x)
static const struct decoding {
	const char *name;
	int filter;
	const unsigned char *before;
	size_t before_len;
	const unsigned char *after;
	size_t after_len;
	const unsigned char *end; /* what the last bytes must be */
	size_t end_len;
} decodings[] = {
	[CODEC_NONE] = {"none", ARCHIVE_FILTER_NONE, NULL, 0, NULL, 0, NULL, 0},
	[CODEC_GZIP] = {"gzip", ARCHIVE_FILTER_GZIP, BYTES(before_gzip), NULL, 0, NULL, 0},
	[CODEC_LZ4] = {"lz4", ARCHIVE_FILTER_LZ4, BYTES(before_lz4), BYTES(after_lz4), NULL, 0},
	[CODEC_XZ] = {"xz", ARCHIVE_FILTER_XZ, BYTES(before_xz), NULL, 0, BYTES(end_xz)},
	[CODEC_ZSTD] = {"zstd", ARCHIVE_FILTER_ZSTD, BYTES(before_zstd), NULL, 0, NULL, 0},
};

struct decoder {
	struct reader reader;
	struct reader *from;
	const struct decoding *kind;
	struct archive *a;
	enum { INPUT_BEFORE, INPUT_FROM, INPUT_END } input;
	int64_t fed; /* bytes the library was given, all included */
	int64_t taken; /* of these, from `from` */
	unsigned char tail[TAIL_SIZE]; /* the last of these */
	struct err from_err;
	int from_failed;
	const char *block; /* the library's, not handed out yet */
	size_t block_len;
	bool is_past_first; /* the byte of the stream in front was left out */
	bool is_at_end;
	int failed; /* sticks */
	struct err err;
	unsigned char buffer[INPUT_SIZE];
};

static void keep_tail(struct decoder *d, size_t n)
{
	size_t keep = n < TAIL_SIZE ? n : TAIL_SIZE;

	memmove(d->tail, d->tail + keep, TAIL_SIZE - keep);
	memcpy(d->tail + TAIL_SIZE - keep, d->buffer + n - keep, keep);
	d->taken += (int64_t)n;
}

static la_ssize_t give(struct decoder *d, const void **data, const void *p, size_t n)
{
	*data = p;
	d->fed += (int64_t)n;
	return (la_ssize_t)n;
}

/* The library asks for input. */
static la_ssize_t from_input(struct archive *a, void *user, const void **data)
{
	struct decoder *d = user;
	ssize_t n;

	if (d->input == INPUT_BEFORE) {
		d->input = INPUT_FROM;
		return give(d, data, d->kind->before, d->kind->before_len);
	}
	if (d->input == INPUT_END)
		return 0;
	n = reader_read(d->from, d->buffer, sizeof(d->buffer), &d->from_err);
	if (n < 0) {
		d->from_failed = (int)n;
		archive_set_error(a, (int)-n, "%s", d->from_err.msg);
		return -1;
	}
	if (n == 0) {
		d->input = INPUT_END;
		return give(d, data, d->kind->after, d->kind->after_len);
	}
	keep_tail(d, (size_t)n);
	return give(d, data, d->buffer, (size_t)n);
}

static int fail(struct decoder *d, const char *why)
{
	const char *text = why ? why : archive_error_string(d->a);

	if (d->from_failed < 0) {
		d->err = d->from_err;
		d->failed = d->from_failed;
	} else {
		d->failed = err_set(
			&d->err, EBADMSG, "%s: %s", d->kind->name, text ? text : "damaged stream");
	}
	return d->failed;
}

static bool ends_with(const struct decoder *d, const unsigned char *end, size_t n)
{
	if (n == 0)
		return true;
	return d->taken >= (int64_t)n && memcmp(d->tail + TAIL_SIZE - n, end, n) == 0;
}

static bool is_used_up(struct decoder *d)
{
	int64_t left = d->fed - archive_filter_bytes(d->a, -1);

	if (d->kind->filter == ARCHIVE_FILTER_LZ4 && left == sizeof(after_lz4))
		return d->input == INPUT_END && ends_with(d, empty_lz4, sizeof(empty_lz4));
	return left == 0;
}

/* The library has seen an end. Whether it is one is decided here: everything was used up, and the
 * input has no more. */
static int check_end(struct decoder *d)
{
	const void *more;
	la_ssize_t n = 1;

	if (!d->is_past_first || d->taken == 0)
		return fail(d, "the stream is empty");
	while (d->input != INPUT_END && n > 0 && is_used_up(d))
		n = from_input(d->a, d, &more);
	if (n < 0)
		return fail(d, NULL);
	if (!is_used_up(d) || !ends_with(d, d->kind->end, d->kind->end_len))
		return fail(d, "there is something behind its end");
	d->is_at_end = true;
	return 0;
}

static int next_block(struct decoder *d)
{
	const void *p;
	la_int64_t offset;
	int r;

	do {
		r = archive_read_data_block(d->a, &p, &d->block_len, &offset);
		if (r == ARCHIVE_EOF)
			return check_end(d);
		if (r != ARCHIVE_OK)
			return fail(d, NULL);
		d->block = p;
		if (d->block_len > 0 && !d->is_past_first) {
			d->is_past_first = true;
			d->block++;
			d->block_len--;
		}
	} while (d->block_len == 0);
	return 0;
}

static ssize_t decoder_read(struct reader *r, void *to, size_t n, struct err *e)
{
	struct decoder *d = (struct decoder *)r;

	if (!d->a)
		return reader_read(d->from, to, n, e);
	if (d->block_len == 0 && !d->is_at_end && !d->failed)
		(void)next_block(d);
	if (d->failed) {
		if (e)
			*e = d->err;
		return d->failed;
	}
	if (n > d->block_len)
		n = d->block_len;
	if (n > 0)
		memcpy(to, d->block, n);
	d->block += n;
	d->block_len -= n;
	return (ssize_t)n;
}

static void decoder_free(struct reader *r)
{
	struct decoder *d = (struct decoder *)r;

	if (d->a)
		(void)archive_read_free(d->a);
	free(d);
}

static const struct reader_ops decoder_ops = {decoder_read, decoder_free};

/* The filter is named, not guessed: a compressed file in a compressed backup stays compressed. */
static int open_archive(struct decoder *d)
{
	struct archive_entry *entry;

	if (archive_read_support_format_raw(d->a) != ARCHIVE_OK ||
		archive_read_append_filter(d->a, d->kind->filter) != ARCHIVE_OK ||
		archive_read_open2(d->a, d, NULL, from_input, NULL, NULL) != ARCHIVE_OK ||
		archive_read_next_header(d->a, &entry) != ARCHIVE_OK)
		return fail(d, NULL);
	return 0;
}

int codec_decoder_new(enum codec c, struct reader *from, struct reader **out, struct err *e)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->reader.ops = &decoder_ops;
	d->from = from;
	d->kind = &decodings[c];
	if (c != CODEC_NONE) {
		d->a = archive_read_new();
		if (!d->a)
			abort();
		if (open_archive(d) < 0) {
			int r = d->failed;

			if (e)
				*e = d->err;
			decoder_free(&d->reader);
			return r;
		}
	}
	*out = &d->reader;
	return 0;
}
