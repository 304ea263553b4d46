/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/codec.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct codec_info {
	const char *name, *suffix;
	int min, max, normal;
	bool has_threads;
	int (*add_filter)(struct archive *a);
} codecs[] = {
	[CODEC_NONE] = {"none", "", 0, 0, 0, false, NULL},
	[CODEC_GZIP] = {"gzip", ".gz", 1, 9, 6, false, archive_write_add_filter_gzip},
	[CODEC_LZ4] = {"lz4", ".lz4", 1, 9, 1, false, archive_write_add_filter_lz4},
	[CODEC_XZ] = {"xz", ".xz", 1, 9, 6, true, archive_write_add_filter_xz},
	[CODEC_ZSTD] = {"zstd", ".zst", 1, 19, 3, true, archive_write_add_filter_zstd},
};

const char *codec_name(enum codec c)
{
	return (size_t)c < ARRAY_LEN(codecs) ? codecs[c].name : NULL;
}

int codec_find(const char *name, enum codec *out)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (strcmp(codecs[i].name, name) == 0) {
			*out = (enum codec)i;
			return 0;
		}
	return -ENOENT;
}

const char *codec_suffix(enum codec c)
{
	return codecs[c].suffix;
}

void codec_levels(enum codec c, int *min, int *max, int *normal)
{
	*min = codecs[c].min;
	*max = codecs[c].max;
	*normal = codecs[c].normal;
}

const char *codec_library_version(void)
{
	const char *whole = archive_version_string(); /* "libarchive 3.6.2" */

	return whole + strcspn(whole, "0123456789");
}

struct encoder {
	struct sink sink;
	struct sink *next;
	struct codec_options options;
	struct archive *a; /* NULL: none, or not yet */
	struct err next_err;
	int next_failed; /* what `next` returned */
	bool is_finished, is_aborted;
};

/* A frame of nothing, as lz4 writes it: libarchive 3.6 crashes when it is to close an empty one, so it is not
 * asked for one before there is data. */
static const unsigned char empty_lz4[] = {
	0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x00, 0x00, 0x00, 0x00, 0x05, 0x5d, 0xcc, 0x02};

/* The library's output. Once the stream is given up it must not reach the next stage. */
static la_ssize_t to_next(struct archive *a, void *user, const void *data, size_t n)
{
	struct encoder *s = user;

	if (s->is_aborted || s->next_failed)
		return -1;
	s->next_failed = sink_write(s->next, data, n, &s->next_err);
	if (s->next_failed < 0) {
		archive_set_error(a, -s->next_failed, "%s", s->next_err.msg);
		return -1;
	}
	return (la_ssize_t)n;
}

static int encoder_error(struct encoder *s, struct err *e)
{
	const char *text = archive_error_string(s->a);

	if (s->next_failed < 0) {
		if (e)
			*e = s->next_err;
		return s->next_failed;
	}
	return err_set(e, EIO, "%s: %s", codecs[s->options.codec].name,
		text ? text : "compression failed");
}

static int set_number(struct archive *a, const char *filter, const char *option, int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", value);
	return archive_write_set_filter_option(a, filter, option, text);
}

/* Threads are never given as 0 or 1: 0 means all CPUs in some versions, and 1 makes zstd work in a
 * thread beside this one. */
static int set_options(struct archive *a, const struct codec_options *o)
{
	const struct codec_info *c = &codecs[o->codec];
	int level = o->level ? o->level : c->normal;

	if (level < c->min)
		level = c->min;
	if (level > c->max)
		level = c->max;
	if (set_number(a, c->name, "compression-level", level) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	if (c->has_threads && o->threads > 1)
		return set_number(a, c->name, "threads", o->threads);
	/* The same bytes in make the same bytes out. */
	if (o->codec == CODEC_GZIP)
		return archive_write_set_filter_option(a, c->name, "timestamp", NULL);
	return ARCHIVE_OK;
}

/* A raw stream is one entry without a size. Without the last-block size the library would fill it up
 * with NULs, which readers of zstd refuse. */
static int open_archive(struct encoder *s)
{
	const struct codec_options *o = &s->options;
	struct archive_entry *entry;
	int r;

	s->a = archive_write_new();
	if (!s->a)
		abort();
	if (archive_write_set_format_raw(s->a) != ARCHIVE_OK ||
		codecs[o->codec].add_filter(s->a) != ARCHIVE_OK ||
		set_options(s->a, o) != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(s->a, 0) != ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(s->a, 1) != ARCHIVE_OK ||
		archive_write_open2(s->a, s, NULL, to_next, NULL, NULL) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	entry = archive_entry_new();
	if (!entry)
		abort();
	archive_entry_set_filetype(entry, AE_IFREG);
	r = archive_write_header(s->a, entry);
	archive_entry_free(entry);
	return r;
}

static int encoder_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct encoder *s = (struct encoder *)sink;
	const char *p = data;

	if (s->options.codec == CODEC_NONE)
		return sink_write(s->next, data, n, e);
	if (!s->a && n > 0 && open_archive(s) != ARCHIVE_OK)
		return encoder_error(s, e);
	while (n > 0) {
		la_ssize_t done = archive_write_data(s->a, p, n);

		if (done <= 0)
			return encoder_error(s, e);
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int encoder_finish(struct sink *sink, struct err *e)
{
	struct encoder *s = (struct encoder *)sink;

	if (s->options.codec == CODEC_LZ4 && !s->a) {
		int r = sink_write(s->next, empty_lz4, sizeof(empty_lz4), e);

		if (r < 0)
			return r;
	} else if (s->a && archive_write_close(s->a) != ARCHIVE_OK) {
		return encoder_error(s, e);
	}
	s->is_finished = true;
	return 0;
}

/* archive_write_free() ends the stream properly, and a shorter, valid one would be left: so what the library still
 * writes is refused. Not archive_write_fail(), after which it does not free what the codec allocated. */
static void encoder_free(struct sink *sink)
{
	struct encoder *s = (struct encoder *)sink;

	s->is_aborted = !s->is_finished;
	if (s->a)
		(void)archive_write_free(s->a);
	free(s);
}

static const struct sink_ops encoder_ops = {encoder_write, encoder_finish, encoder_free};

int codec_encoder_new(
	const struct codec_options *o, struct sink *next, struct sink **out, struct err *e)
{
	struct encoder *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	s->sink.ops = &encoder_ops;
	s->next = next;
	s->options = *o;
	if (o->codec != CODEC_NONE && o->codec != CODEC_LZ4 && open_archive(s) != ARCHIVE_OK) {
		r = encoder_error(s, e);
		encoder_free(&s->sink);
		return r;
	}
	*out = &s->sink;
	return 0;
}
