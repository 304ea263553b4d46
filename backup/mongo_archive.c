/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/mongo_archive.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backup/bson.h"
#include "backup/crc.h"
#include "base/buf.h"
#include "base/str.h"

enum { NAMESPACE_MAX = 1024, LENGTH_SIZE = 4 };
static const uint32_t magic = 0x8199e26d, terminator = 0xffffffff;

enum where {
	AT_MAGIC,
	AT_HEADER,
	AT_ANNOUNCED, /* documents about collections, until a terminator */
	BETWEEN_BLOCKS,
	IN_BLOCK,
};

struct namespace
{
	bool announced, ended;
	uint64_t crc;
};

struct mongo_archive {
	struct sink sink;
	enum where where;
	unsigned char length[LENGTH_SIZE];
	size_t n_length;
	uint32_t left; /* of the document under way */
	unsigned char last; /* its last byte so far */
	bool keeps; /* it is one that is looked into */
	struct buf document;
	struct namespace *all;
	size_t n, room;
	json_t *index; /* "db.collection": its number in `all` */
	struct namespace *current; /* NULL: none, so no document may come */
	bool has_oplog;
	int64_t collections, documents, timeseries;
	struct crc_table table;
};

static int damaged(const char *what, struct err *e)
{
	return err_set(e, EBADMSG, "the archive is damaged: %s", what);
}

static bool is_text(struct bson_text t, const char *text)
{
	return t.p && t.len == strlen(text) && memcmp(t.p, text, t.len) == 0;
}

/* That of the name, made when it is new. NULL: too many, or no name. */
static struct namespace *find(
	struct mongo_archive *a, struct bson_text db, struct bson_text collection)
{
	char name[NAMESPACE_MAX];
	const json_t *known;
	struct namespace *ns;

	if (!db.p || !collection.p || collection.len == 0 ||
		db.len + collection.len + 2 > sizeof(name))
		return NULL;
	memcpy(name, db.p, db.len);
	name[db.len] = '.';
	memcpy(name + db.len + 1, collection.p, collection.len);
	name[db.len + 1 + collection.len] = '\0';
	known = json_object_get(a->index, name);
	if (known)
		return &a->all[json_integer_value(known)];
	if (a->n == MONGO_COLLECTIONS_MAX)
		return NULL;
	if (a->n == a->room) {
		a->room = a->room ? 2 * a->room : 64;
		a->all = realloc(a->all, a->room * sizeof(*a->all));
		if (!a->all)
			abort();
	}
	ns = &a->all[a->n];
	*ns = (struct namespace){.crc = UINT64_MAX};
	if (json_object_set_new_nocheck(a->index, name, json_integer((json_int_t)a->n++)) < 0)
		abort();
	return ns;
}

static int take_announcement(struct mongo_archive *a, const struct bson *b, struct err *e)
{
	struct bson_text db = bson_get_text(b, "db"), name = bson_get_text(b, "collection");
	struct namespace *ns;

	/* Its documents are those of another collection, which mongorestore finds by the server's version. */
	if (is_text(bson_get_text(b, "type"), "timeseries")) {
		a->collections++;
		a->timeseries++;
		return 0;
	}
	ns = find(a, db, name);
	if (!ns)
		return damaged("a collection has no name, or there are too many", e);
	ns->announced = true;
	if (db.len == 0 && is_text(name, "oplog"))
		a->has_oplog = true;
	else
		a->collections++;
	return 0;
}

static int take_block_header(struct mongo_archive *a, const struct bson *b, struct err *e)
{
	struct namespace *ns = find(a, bson_get_text(b, "db"), bson_get_text(b, "collection"));
	int64_t crc = 0;

	if (!ns)
		return damaged("a block has no collection", e);
	if (ns->ended)
		return damaged("a collection goes on after its end", e);
	a->current = ns;
	if (!bson_get_bool(b, "EOF"))
		return 0;
	if (!bson_get_int64(b, "CRC", &crc) || (uint64_t)crc != ~ns->crc)
		return damaged("the check sum of a collection is wrong", e);
	ns->ended = true;
	a->current = NULL;
	return 0;
}

static int take_kept(struct mongo_archive *a, struct err *e)
{
	struct bson b;

	if (!bson_open(&b, buf_str(&a->document), a->document.len))
		return damaged("a document is no BSON", e);
	if (a->where == AT_HEADER) {
		a->where = AT_ANNOUNCED;
		return 0;
	}
	if (a->where == AT_ANNOUNCED)
		return take_announcement(a, &b, e);
	a->where = IN_BLOCK;
	return take_block_header(a, &b, e);
}

static int end_document(struct mongo_archive *a, struct err *e)
{
	bool was_kept = a->keeps;

	a->n_length = 0;
	if (a->last != 0)
		return damaged("a document does not end as BSON does", e);
	if (!was_kept) {
		a->documents++;
		return 0;
	}
	return take_kept(a, e);
}

static void take_bytes(struct mongo_archive *a, const unsigned char *p, size_t n)
{
	if (n == 0)
		return;
	if (a->keeps)
		buf_add(&a->document, p, n);
	else
		a->current->crc = crc_update(&a->table, a->current->crc, p, n);
	a->last = p[n - 1];
}

static int take_terminator(struct mongo_archive *a, struct err *e)
{
	a->n_length = 0;
	if (a->where != AT_ANNOUNCED && a->where != IN_BLOCK)
		return damaged("an end without a beginning", e);
	a->where = BETWEEN_BLOCKS;
	a->current = NULL;
	return 0;
}

static int begin_document(struct mongo_archive *a, uint32_t size, struct err *e)
{
	if (size < BSON_SIZE_MIN || size > MONGO_DOCUMENT_MAX)
		return damaged("neither a document nor the end of a block", e);
	a->keeps = a->where != IN_BLOCK;
	if (!a->keeps && !a->current)
		return damaged("documents without a collection", e);
	buf_clear(&a->document);
	a->left = size - LENGTH_SIZE;
	take_bytes(a, a->length, LENGTH_SIZE);
	return 0;
}

/* Four bytes that stand between documents. */
static int take_length(struct mongo_archive *a, struct err *e)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < LENGTH_SIZE; i++)
		v |= (uint32_t)a->length[i] << 8 * i;
	if (a->where == AT_MAGIC) {
		if (v != magic)
			return err_set(e, EBADMSG,
				"this is no archive of mongodump: it begins with something else");
		a->where = AT_HEADER;
		a->n_length = 0;
		return 0;
	}
	return v == terminator ? take_terminator(a, e) : begin_document(a, v, e);
}

static int archive_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct mongo_archive *a = (struct mongo_archive *)s;
	const unsigned char *p = data;
	int r = 0;

	while (n > 0 && r == 0) {
		size_t take;

		if (a->n_length < LENGTH_SIZE) {
			a->length[a->n_length++] = *p++;
			n--;
			r = a->n_length == LENGTH_SIZE ? take_length(a, e) : 0;
			continue;
		}
		take = n < a->left ? n : a->left;
		take_bytes(a, p, take);
		a->left -= (uint32_t)take;
		p += take;
		n -= take;
		r = a->left == 0 ? end_document(a, e) : 0;
	}
	return r;
}

static int archive_finish(struct sink *s, struct err *e)
{
	const struct mongo_archive *a = (struct mongo_archive *)s;
	size_t missing = 0;
	int64_t others = 0;

	if (a->where != BETWEEN_BLOCKS || a->n_length != 0)
		return err_set(e, EBADMSG, "the archive ends in the middle");
	for (size_t i = 0; i < a->n; i++) {
		missing += !a->all[i].ended;
		others += !a->all[i].announced;
	}
	missing += others < a->timeseries ? (size_t)(a->timeseries - others) : 0;
	if (missing > 0)
		return err_set(e, EBADMSG, "the archive ends before %zu of its %zu collections do",
			missing, (size_t)a->collections + a->has_oplog);
	return 0;
}

bool mongo_archive_is_announced(const struct mongo_archive *a)
{
	return a->where == BETWEEN_BLOCKS || a->where == IN_BLOCK;
}

bool mongo_archive_has_oplog(const struct mongo_archive *a)
{
	return a->has_oplog;
}

int64_t mongo_archive_collections(const struct mongo_archive *a)
{
	return a->collections;
}

int64_t mongo_archive_documents(const struct mongo_archive *a)
{
	return a->documents;
}

static void archive_free(struct sink *s)
{
	struct mongo_archive *a = (struct mongo_archive *)s;

	buf_done(&a->document);
	json_decref(a->index);
	free(a->all);
	free(a);
}

struct mongo_archive *mongo_archive_new(void)
{
	static const struct sink_ops ops = {archive_write, archive_finish, archive_free};
	struct mongo_archive *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->sink.ops = &ops;
	crc_table_init(&a->table, CRC64_ECMA);
	buf_init(&a->document, MONGO_DOCUMENT_MAX);
	a->index = json_object();
	return a;
}

struct sink *mongo_archive_sink(struct mongo_archive *a)
{
	return &a->sink;
}
