/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/pax.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum { BLOCK = 512, SIZE_AT = 124, SIZE_LEN = 12, SUM_AT = 148, SUM_LEN = 8, TYPE_AT = 156 };

#define BYTES_MAX ((int64_t)1 << 60) /* more is no file but an attack on the sums */

struct pax {
	struct sink base;
	unsigned char block[BLOCK];
	size_t have; /* of a header */
	int64_t left, padding; /* of an entry's data, and behind it */
	bool collects; /* the data are attributes of the next entry */
	struct buf attributes;
	int64_t size, real_size; /* from attributes; -1: not told */
	unsigned empty_blocks;
	bool any;
	int64_t files, folders, links, bytes;
};

static int broken(struct err *e, const char *what)
{
	return err_set(e, EBADMSG, "this is no whole archive: %s", what);
}

/* Octal digits, or with the first bit set a number in base 256 (GNU). -1: neither. */
static int64_t number(const unsigned char *field, size_t n)
{
	int64_t v = 0;
	size_t i = 0;

	if (field[0] & 0x80) {
		for (v = field[0] & 0x3f, i = 1; i < n; i++)
			if ((v = v << 8 | field[i]) > BYTES_MAX)
				return -1;
		return v;
	}
	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (field[i] - '0');
	return i == n || field[i] == ' ' || field[i] == '\0' ? v : -1;
}

static bool is_sum_right(const unsigned char *block)
{
	int64_t sum = 0;

	for (int i = 0; i < BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : block[i];
	return sum == number(block + SUM_AT, SUM_LEN);
}

static bool is_empty(const unsigned char *block)
{
	for (int i = 0; i < BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

/* --- attributes: "LENGTH NAME=VALUE\n" each */

static void set_attribute(struct pax *p, const char *name, size_t n, const char *value)
{
	int64_t *to = NULL;

	if (n == 4 && memcmp(name, "size", 4) == 0)
		to = &p->size;
	else if ((n == 19 && memcmp(name, "GNU.sparse.realsize", 19) == 0) ||
		 (n == 15 && memcmp(name, "GNU.sparse.size", 15) == 0))
		to = &p->real_size;
	if (!to)
		return;
	for (*to = 0; *value >= '0' && *value <= '9' && *to < BYTES_MAX; value++)
		*to = *to * 10 + (*value - '0');
	if (*value != '\n')
		*to = BYTES_MAX + 1;
}

static int read_attributes(struct pax *p, struct err *e)
{
	const char *at = buf_str(&p->attributes);
	const char *end = at + p->attributes.len;

	while (at < end) {
		size_t len = 0;
		const char *name = at, *equals;

		while (name < end && *name >= '0' && *name <= '9' && len < PAX_ATTRIBUTES_MAX)
			len = len * 10 + (size_t)(*name++ - '0');
		if (name == end || *name != ' ' || len > (size_t)(end - at) ||
			len < (size_t)(name - at) + 3 || at[len - 1] != '\n')
			return broken(e, "attributes of a file are broken");
		name++;
		equals = memchr(name, '=', len - (size_t)(name - at));
		if (!equals)
			return broken(e, "attributes of a file are broken");
		set_attribute(p, name, (size_t)(equals - name), equals + 1);
		at += len;
	}
	return p->size > BYTES_MAX || p->real_size > BYTES_MAX ? broken(e, "a file has no size")
							       : 0;
}

/* --- entries */

static void count(struct pax *p, char type, int64_t size)
{
	if (type == '0' || type == '\0' || type == '7') {
		p->files++;
		p->bytes += p->real_size >= 0 ? p->real_size : size;
	} else if (type == '1' || type == '2')
		p->links++;
	else if (type == '5')
		p->folders++;
}

static int header(struct pax *p, struct err *e)
{
	char type = (char)p->block[TYPE_AT];
	int64_t size = number(p->block + SIZE_AT, SIZE_LEN);
	bool is_attributes = type == 'x' || type == 'g' || type == 'L' || type == 'K';

	if (is_empty(p->block)) {
		p->empty_blocks++;
		return 0;
	}
	if (p->empty_blocks >= 2)
		return broken(e, "something is behind its end");
	p->empty_blocks = 0;
	if (!is_sum_right(p->block))
		return broken(e, "the checksum of a file's header is wrong");
	if (!is_attributes && p->size >= 0)
		size = p->size;
	if (size < 0 || (is_attributes && size > PAX_ATTRIBUTES_MAX))
		return broken(e, "a file has no size that can be right");
	/* Links and folders have none, whatever the header says. */
	p->left = type == '1' || type == '2' || type == '5' ? 0 : size;
	p->padding = (BLOCK - p->left % BLOCK) % BLOCK;
	p->collects = type == 'x';
	p->any = true;
	buf_clear(&p->attributes);
	if (is_attributes)
		return 0;
	count(p, type, size);
	p->size = p->real_size = -1;
	return 0;
}

static size_t lesser(int64_t a, size_t b)
{
	return a < (int64_t)b ? (size_t)a : b;
}

/* Takes some of it, at least one byte. */
static size_t take(struct pax *p, const unsigned char *data, size_t n, struct err *e, int *r)
{
	size_t now;

	if (p->left) {
		now = lesser(p->left, n);
		if (p->collects)
			buf_add(&p->attributes, data, now);
		p->left -= (int64_t)now;
		if (!p->left && p->collects)
			*r = read_attributes(p, e);
		return now;
	}
	if (p->padding) {
		now = lesser(p->padding, n);
		p->padding -= (int64_t)now;
		return now;
	}
	now = lesser((int64_t)(BLOCK - p->have), n);
	memcpy(p->block + p->have, data, now);
	p->have += now;
	if (p->have == BLOCK) {
		p->have = 0;
		*r = header(p, e);
	}
	return now;
}

static int pax_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct pax *p = (struct pax *)(void *)s;
	const unsigned char *bytes = data;
	int r = 0;

	while (n && r == 0) {
		size_t now = take(p, bytes, n, e, &r);

		bytes += now;
		n -= now;
	}
	return r;
}

static int pax_finish(struct sink *s, struct err *e)
{
	const struct pax *p = (const struct pax *)(const void *)s;

	if (!p->any && !p->empty_blocks)
		return broken(e, "it is empty");
	if (p->left || p->padding || p->have || p->empty_blocks < 2)
		return broken(e, "it was cut short");
	return 0;
}

static void pax_free(struct sink *s)
{
	struct pax *p = (struct pax *)(void *)s;

	buf_done(&p->attributes);
	free(p);
}

int pax_check_new(struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {pax_write, pax_finish, pax_free};
	struct pax *p = calloc(1, sizeof(*p));

	(void)e;
	if (!p)
		abort();
	p->base.ops = &ops;
	p->size = p->real_size = -1;
	buf_init(&p->attributes, PAX_ATTRIBUTES_MAX);
	*out = &p->base;
	return 0;
}

void pax_check_counts(const struct sink *s, struct counts *out)
{
	const struct pax *p = (const struct pax *)(const void *)s;

	counts_set(out, "files", p->files, false);
	counts_set(out, "folders", p->folders, false);
	counts_set(out, "links", p->links, false);
	counts_set(out, "bytes", p->bytes, false);
}
