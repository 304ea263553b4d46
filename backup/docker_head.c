/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker_http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { CHUNK_LINE_MAX = 1024, CHUNK_DIGITS_MAX = 12 };

static int parse_status(const char *line, size_t n, int *status, struct err *e)
{
	/* "HTTP/1.1 200 OK" */
	if (n < 12 || strncmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return err_set(e, EBADMSG, "container engine: its answer is no HTTP");
	*status = 0;
	for (int i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return err_set(e, EBADMSG, "container engine: its answer has no status");
		*status = *status * 10 + (line[i] - '0');
	}
	if (*status < 100 || (n > 12 && line[12] != ' '))
		return err_set(e, EBADMSG, "container engine: its answer has no status");
	return 0;
}

/* The value when the line is this field, else NULL. Not terminated. */
static const char *field(const char *line, size_t n, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	const char *value;

	if (n <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return NULL;
	value = line + name_len + 1;
	n -= name_len + 1;
	while (n && (*value == ' ' || *value == '\t')) {
		value++;
		n--;
	}
	while (n && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		n--;
	*len = n;
	return value;
}

static int parse_length(const char *value, size_t n, int64_t *out, struct err *e)
{
	int64_t length = 0;

	if (n == 0 || n > 18)
		return err_set(e, EBADMSG, "container engine: an answer of unbelievable length");
	for (size_t i = 0; i < n; i++) {
		if (value[i] < '0' || value[i] > '9')
			return err_set(e, EBADMSG, "container engine: a length that is no number");
		length = length * 10 + (value[i] - '0');
	}
	if (*out >= 0 && *out != length)
		return err_set(e, EBADMSG, "container engine: an answer of two lengths");
	*out = length;
	return 0;
}

static int parse_field(const char *line, size_t n, struct docker_head *h, struct err *e)
{
	size_t len = 0;
	const char *value = field(line, n, "Content-Length", &len);

	if (value)
		return parse_length(value, len, &h->length, e);
	value = field(line, n, "Transfer-Encoding", &len);
	if (!value)
		return 0;
	if (len != 7 || strncasecmp(value, "chunked", 7) != 0)
		return err_set(e, EBADMSG, "container engine: an encoding that was not asked for");
	h->chunked = true;
	return 0;
}

int docker_head_parse(const char *text, size_t n, struct docker_head *out, struct err *e)
{
	struct docker_head h = {.length = -1};
	size_t at = 0;

	for (unsigned number = 0;; number++) {
		const char *line = text + at;
		const char *newline = n > at ? memchr(line, '\n', n - at) : NULL;
		size_t len;
		int r;

		if (!newline && n >= DOCKER_HEAD_MAX)
			return err_set(e, EBADMSG,
				"container engine: the head of its answer does not end");
		if (!newline)
			return 0;
		len = (size_t)(newline - line);
		at += len + 1;
		if (len && line[len - 1] == '\r')
			len--;
		if (number && len == 0)
			break;
		r = number ? parse_field(line, len, &h, e) : parse_status(line, len, &h.status, e);
		if (r < 0)
			return r;
	}
	h.bytes = at;
	*out = h;
	return 1;
}

/* --- chunks (RFC 9112, 7.1) */

enum { SIZE, EXTENSION, DATA, DATA_END, TRAILER };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool size_line(struct docker_chunks *c, char byte)
{
	int digit = hex(byte);

	if (byte == '\n') {
		if (!c->digits)
			return false;
		c->state = c->left ? DATA : TRAILER;
		c->line = 0;
		return true;
	}
	if (++c->line > CHUNK_LINE_MAX)
		return false;
	if (c->state == EXTENSION || byte == '\r')
		return true;
	if (digit < 0) {
		c->state = EXTENSION;
		return byte == ';' || byte == ' ';
	}
	c->left = c->left << 4 | (uint64_t)digit;
	return ++c->digits <= CHUNK_DIGITS_MAX;
}

/* Lines up to an empty one. */
static bool trailer_line(struct docker_chunks *c, char byte)
{
	if (byte == '\n') {
		c->done = c->line == 0;
		c->line = 0;
	} else if (byte != '\r' && ++c->line > CHUNK_LINE_MAX)
		return false;
	return true;
}

static bool chunk_byte(struct docker_chunks *c, char byte)
{
	if (c->state == TRAILER)
		return trailer_line(c, byte);
	if (c->state != DATA_END)
		return size_line(c, byte);
	if (byte == '\n') {
		c->state = SIZE;
		c->digits = c->line = 0;
	}
	return byte == '\n' || byte == '\r';
}

int docker_chunks_add(
	struct docker_chunks *c, const char *data, size_t n, struct buf *out, struct err *e)
{
	while (n && !c->done) {
		if (c->state == DATA) {
			size_t now = c->left < n ? (size_t)c->left : n;

			buf_add(out, data, now);
			data += now;
			n -= now;
			c->left -= now;
			if (!c->left)
				c->state = DATA_END;
			continue;
		}
		if (!chunk_byte(c, *data))
			return err_set(
				e, EBADMSG, "container engine: its answer is in broken chunks");
		data++;
		n--;
	}
	return 0;
}
