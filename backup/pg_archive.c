/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/pg_archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MAGIC "PGDMP"
enum { FORMAT_CUSTOM = 1, BLOCK_DATA = 1, BLOCK_BLOBS = 3, OFFSET_NO_DATA = 3 };
enum { VERSION_FIRST = 12, VERSION_LAST = 16 }; /* 1.x */

/* What comes next. A layout is a text with one letter per field:
 *   m the magic   b one byte   i integer   s text   l list of texts, ended by an absent one   o offset
 * Fields that are looked at are in capitals: V major, N minor, I size of integers, O size of offsets, F format,
 * E number of entries, T tag, C description, D definition, W owner, X offset of the data. */
static const char HEAD[] = "mVNbIOF";
static const char HEAD_TO_14[] = "iiiiiiiisssE";
static const char HEAD_FROM_15[] = "biiiiiiisssE";
static const char ENTRY_TO_13[] = "iissTCiDssssWslX";
static const char ENTRY_14[] = "iissTCiDsssssWslX";
static const char ENTRY_FROM_16[] = "iissTCiDsssssiWslX";

enum where { IN_HEAD, IN_HEAD_REST, IN_ENTRY, IN_BLOCK, IN_DATA, IN_BLOB_ID, IN_BLOB, NOT_WALKED };

struct pg_archive {
	struct sink sink;
	pg_archive_entry_fn entry;
	void *user;
	struct pg_archive_entry now;
	enum where where;
	const char *layout; /* the field that is being read; NULL in data */
	unsigned minor, int_size, offset_size;
	int64_t entries_left, blocks_left;
	/* The field so far. */
	unsigned char small[16];
	size_t have;
	uint64_t text_left; /* of a text whose length is known */
	bool in_text;
	char *to;
	size_t to_size, to_len;
	uint64_t chunk_left;
};

static int damaged(struct err *e, const char *what)
{
	return err_set(e, EBADMSG, "not a sound PostgreSQL archive: %s", what);
}

/* A sign byte, then the value, least byte first. */
static int64_t integer(const struct pg_archive *a)
{
	uint64_t v = 0;

	for (unsigned i = a->int_size; i > 0; i--)
		v = v << 8 | a->small[i];
	return a->small[0] ? -(int64_t)v : (int64_t)v;
}

static const char *entry_layout(const struct pg_archive *a)
{
	if (a->minor >= 16)
		return ENTRY_FROM_16;
	return a->minor >= 14 ? ENTRY_14 : ENTRY_TO_13;
}

static void next_entry(struct pg_archive *a)
{
	memset(&a->now, 0, sizeof(a->now));
	a->layout = a->entries_left > 0 ? entry_layout(a) : NULL;
	a->where = a->entries_left > 0 ? IN_ENTRY : IN_BLOCK;
}

/* The layout is at its end. */
static void next_layout(struct pg_archive *a)
{
	if (a->where == IN_HEAD) {
		a->where = IN_HEAD_REST;
		a->layout = a->minor >= 15 ? HEAD_FROM_15 : HEAD_TO_14;
		if (a->minor < VERSION_FIRST || a->minor > VERSION_LAST)
			a->where = NOT_WALKED;
		return;
	}
	if (a->where == IN_ENTRY) {
		if (a->entry)
			a->entry(a->user, &a->now);
		a->entries_left--;
	}
	next_entry(a);
}

static void next_field(struct pg_archive *a)
{
	a->have = 0;
	a->in_text = false;
	if (*++a->layout == '\0')
		next_layout(a);
}

static size_t field_size(const struct pg_archive *a, char field)
{
	switch (field) {
	case 'm':
		return strlen(MAGIC);
	case 'V':
	case 'N':
	case 'b':
	case 'I':
	case 'O':
	case 'F':
		return 1;
	case 'X':
		return 1 + a->offset_size;
	default: /* an integer, or the length of a text */
		return 1 + a->int_size;
	}
}

static bool is_text(char field)
{
	return strchr("slTCDW", field) != NULL;
}

static void text_begins(struct pg_archive *a, char field, int64_t len)
{
	struct {
		char field;
		char *to;
		size_t size;
	} kept[] = {
		{'T', a->now.tag, sizeof(a->now.tag)},
		{'C', a->now.description, sizeof(a->now.description)},
		{'D', a->now.definition, sizeof(a->now.definition)},
		{'W', a->now.owner, sizeof(a->now.owner)},
	};

	a->in_text = true;
	a->text_left = (uint64_t)len;
	a->to = NULL;
	a->to_len = 0;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (kept[i].field == field) {
			a->to = kept[i].to;
			a->to_size = kept[i].size;
		}
}

/* The end of a text: of a list only an absent text is the end. */
static void text_ends(struct pg_archive *a)
{
	if (*a->layout == 'l') {
		a->have = 0;
		a->in_text = false;
		return;
	}
	next_field(a);
}

static int text_length(struct pg_archive *a, char field, struct err *e)
{
	int64_t len = integer(a);

	if (len > INT32_MAX)
		return damaged(e, "a text is too long");
	if (len < 0) {
		next_field(a);
		return 0;
	}
	text_begins(a, field, len);
	if (len == 0)
		text_ends(a);
	return 0;
}

static int number_of_entries(struct pg_archive *a, struct err *e)
{
	a->entries_left = integer(a);
	if (a->entries_left < 0 || a->entries_left > PG_ARCHIVE_ENTRIES_MAX)
		return damaged(e, "its table of contents is too long");
	return 0;
}

static int head_byte(struct pg_archive *a, char field, struct err *e)
{
	unsigned char v = a->small[0];

	if (field == 'V' && v != 1)
		return damaged(e, "its version is not known");
	if (field == 'N')
		a->minor = v;
	if (field == 'F' && v != FORMAT_CUSTOM)
		return damaged(e, "it is not in the custom format");
	if (field == 'I')
		a->int_size = v;
	if (field == 'O')
		a->offset_size = v;
	if ((field == 'I' || field == 'O') && (v == 0 || v > 8))
		return damaged(e, "its numbers have an impossible size");
	return 0;
}

/* All bytes of the field's fixed part are in `small`. */
static int field_read(struct pg_archive *a, struct err *e)
{
	char field = *a->layout;
	int r = 0;

	if (is_text(field))
		return text_length(a, field, e);
	if (field == 'm' && memcmp(a->small, MAGIC, strlen(MAGIC)) != 0)
		return damaged(e, "it does not begin with " MAGIC);
	if (field == 'E')
		r = number_of_entries(a, e);
	else if (field == 'X')
		a->blocks_left += a->small[0] != OFFSET_NO_DATA;
	else
		r = head_byte(a, field, e);
	if (r == 0)
		next_field(a);
	return r;
}

static size_t text_read(struct pg_archive *a, const unsigned char *data, size_t n)
{
	size_t take = n < a->text_left ? n : (size_t)a->text_left;
	size_t room = a->to ? a->to_size - 1 - a->to_len : 0;

	if (room > take)
		room = take;
	if (room > 0)
		memcpy(a->to + a->to_len, data, room);
	a->to_len += room;
	a->text_left -= take;
	if (a->text_left == 0)
		text_ends(a);
	return take;
}

/* Fills `small` up to `size`; how many bytes were taken. */
static size_t gather(struct pg_archive *a, size_t size, const unsigned char *data, size_t n)
{
	size_t take = size - a->have < n ? size - a->have : n;

	memcpy(a->small + a->have, data, take);
	a->have += take;
	return take;
}

static size_t block_head_size(const struct pg_archive *a)
{
	return 1 + 1 + a->int_size; /* its kind, the entry's number */
}

static int block_begins(struct pg_archive *a, struct err *e)
{
	unsigned char kind = a->small[0];

	if (kind != BLOCK_DATA && kind != BLOCK_BLOBS)
		return damaged(e, "a data block has an unknown kind");
	if (a->blocks_left == 0)
		return damaged(e, "there is more data than its table of contents says");
	a->where = kind == BLOCK_DATA ? IN_DATA : IN_BLOB_ID;
	a->have = 0;
	return 0;
}

static void block_ends(struct pg_archive *a)
{
	a->blocks_left--;
	a->where = IN_BLOCK;
}

/* An integer within a data block: the length of a chunk, the number of a large object. 0 ends either. */
static int data_number(struct pg_archive *a, struct err *e)
{
	int64_t v = integer(a);

	a->have = 0;
	if (v < 0 && a->where != IN_BLOB_ID)
		return damaged(e, "a data block has an impossible length");
	if (a->where == IN_BLOB_ID) {
		if (v == 0)
			block_ends(a);
		else
			a->where = IN_BLOB;
	} else if (v > 0) {
		a->chunk_left = (uint64_t)v;
	} else if (a->where == IN_BLOB) {
		a->where = IN_BLOB_ID;
	} else {
		block_ends(a);
	}
	return 0;
}

static int data_read(
	struct pg_archive *a, const unsigned char *data, size_t n, size_t *taken, struct err *e)
{
	size_t size = a->where == IN_BLOCK ? block_head_size(a) : 1 + a->int_size;

	if (a->chunk_left > 0) {
		*taken = n < a->chunk_left ? n : (size_t)a->chunk_left;
		a->chunk_left -= *taken;
		return 0;
	}
	*taken = gather(a, size, data, n);
	if (a->have < size)
		return 0;
	return a->where == IN_BLOCK ? block_begins(a, e) : data_number(a, e);
}

static int layout_read(
	struct pg_archive *a, const unsigned char *data, size_t n, size_t *taken, struct err *e)
{
	size_t size = field_size(a, *a->layout);

	if (a->in_text) {
		*taken = text_read(a, data, n);
		return 0;
	}
	*taken = gather(a, size, data, n);
	return a->have < size ? 0 : field_read(a, e);
}

static int archive_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct pg_archive *a = (struct pg_archive *)s;
	const unsigned char *p = data;
	size_t taken;
	int r = 0;

	while (n > 0 && r == 0 && a->where != NOT_WALKED) {
		if (a->where == IN_HEAD || a->where == IN_HEAD_REST || a->where == IN_ENTRY)
			r = layout_read(a, p, n, &taken, e);
		else
			r = data_read(a, p, n, &taken, e);
		p += taken;
		n -= taken;
	}
	return r;
}

bool pg_archive_toc_is_done(const struct pg_archive *a)
{
	return a->where > IN_ENTRY;
}

static int archive_finish(struct sink *s, struct err *e)
{
	const struct pg_archive *a = (struct pg_archive *)s;

	if (a->where == NOT_WALKED)
		return 0;
	if (!pg_archive_toc_is_done(a))
		return damaged(e, "it ends within its table of contents");
	if (a->where != IN_BLOCK || a->have > 0)
		return damaged(e, "it ends in the middle of a data block");
	if (a->blocks_left > 0)
		return err_set(e, EBADMSG,
			"not a sound PostgreSQL archive: %lld data blocks are missing at its end",
			(long long)a->blocks_left);
	return 0;
}

static void archive_free(struct sink *s)
{
	free(s);
}

struct pg_archive *pg_archive_new(pg_archive_entry_fn entry, void *user)
{
	static const struct sink_ops ops = {archive_write, archive_finish, archive_free};
	struct pg_archive *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->sink.ops = &ops;
	a->entry = entry;
	a->user = user;
	a->where = IN_HEAD;
	a->layout = HEAD;
	return a;
}

struct sink *pg_archive_sink(struct pg_archive *a)
{
	return &a->sink;
}
