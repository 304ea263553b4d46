/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backup/s3_xml.h"
#include "base/str.h"

static int on_error(void *user, const char *path, const char *text)
{
	struct s3_error *out = user;

	if (strcmp(path, "Error/Code") == 0)
		(void)str_copy(out->code, sizeof(out->code), text);
	else if (strcmp(path, "Error/Message") == 0)
		(void)str_copy(out->message, sizeof(out->message), text);
	else if (strcmp(path, "Error/Region") == 0)
		(void)str_copy(out->region, sizeof(out->region), text);
	else if (strcmp(path, "Error/Endpoint") == 0)
		(void)str_copy(out->endpoint, sizeof(out->endpoint), text);
	return 0;
}

void s3_error_parse(const char *body, size_t n, struct s3_error *out)
{
	*out = (struct s3_error){.code = ""};
	(void)s3_xml_parse(body, n, on_error, out, NULL);
}

struct find {
	const char *path;
	char *to;
	size_t size;
	size_t found;
};

static int on_find(void *user, const char *path, const char *text)
{
	struct find *f = user;

	if (strcmp(path, f->path) != 0)
		return 0;
	f->found++;
	if (f->to && strlen(text) < f->size)
		(void)str_copy(f->to, f->size, text);
	return 0;
}

bool s3_answer_is(const char *body, size_t n, const char *root)
{
	struct find f = {.path = root};

	return s3_xml_parse(body, n, on_find, &f, NULL) == 0 && f.found == 1;
}

int s3_answer_text(
	const char *body, size_t n, const char *path, char *to, size_t size, struct err *e)
{
	struct find f = {.path = path, .to = to, .size = size};

	*to = '\0';
	return s3_xml_parse(body, n, on_find, &f, e);
}

int s3_answer_count(const char *body, size_t n, const char *path, size_t *out, struct err *e)
{
	struct find f = {.path = path};
	int r = s3_xml_parse(body, n, on_find, &f, e);

	if (r == 0)
		*out = f.found;
	return r;
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

void s3_url_decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		int high = *s == '%' ? hex(s[1]) : -1, low = high < 0 ? -1 : hex(s[2]);

		if (low < 0 || high * 16 + low == 0) {
			*to++ = *s == '+' ? ' ' : *s;
			continue;
		}
		*to++ = (char)(high * 16 + low);
		s += 2;
	}
	*to = '\0';
}

int64_t s3_time_ms(const char *text)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int ms = 0;

	if (!rest)
		return 0;
	if (*rest == '.' && sscanf(rest, ".%3d", &ms) != 1)
		ms = 0;
	return (int64_t)timegm(&tm) * 1000 + ms;
}

struct listing {
	const char *root;
	bool uploads;
	s3_item_fn fn;
	void *user;
	struct s3_page *page;
	struct store_object o;
	char id[S3_UPLOAD_ID_MAX];
	char key[3 * sizeof(((struct store_object *)0)->key)]; /* as it came, maybe encoded */
	bool is_skipped; /* longer than any of ours */
	bool is_encoded;
};

static int give(struct listing *l)
{
	int r = 0;

	if (l->is_encoded)
		s3_url_decode(l->key);
	if (!l->is_skipped && *l->key && str_copy(l->o.key, sizeof(l->o.key), l->key))
		r = l->fn(l->user, &l->o, l->uploads ? l->id : NULL);
	l->o = (struct store_object){.key = ""};
	*l->key = *l->id = '\0';
	l->is_skipped = false;
	return r;
}

/* Without its quotes. */
static void take_etag(struct store_object *o, const char *text)
{
	size_t n;

	(void)str_copy(o->etag, sizeof(o->etag), text + (*text == '"'));
	n = strlen(o->etag);
	if (n && o->etag[n - 1] == '"')
		o->etag[n - 1] = '\0';
}

static void take_item(struct listing *l, const char *name, const char *text)
{
	int64_t bytes;

	if (strcmp(name, "Key") == 0)
		l->is_skipped = !str_copy(l->key, sizeof(l->key), text);
	else if (strcmp(name, "Size") == 0 && str_to_i64(text, &bytes, NULL) == 0)
		l->o.bytes = bytes;
	else if (strcmp(name, "LastModified") == 0 || strcmp(name, "Initiated") == 0)
		l->o.modified_ms = s3_time_ms(text);
	else if (strcmp(name, "ETag") == 0)
		take_etag(&l->o, text);
	else if (strcmp(name, "UploadId") == 0 && strlen(text) < sizeof(l->id))
		(void)str_copy(l->id, sizeof(l->id), text);
}

static void take_page(struct listing *l, const char *name, const char *text)
{
	struct s3_page *p = l->page;

	if (strcmp(name, "IsTruncated") == 0)
		p->is_truncated = strcmp(text, "true") == 0;
	else if (strcmp(name, l->uploads ? "NextKeyMarker" : "NextContinuationToken") == 0)
		(void)str_copy(p->next, sizeof(p->next), text);
	else if (strcmp(name, "NextUploadIdMarker") == 0)
		(void)str_copy(p->next_id, sizeof(p->next_id), text);
}

static int on_page(void *user, const char *path, const char *text)
{
	struct listing *l = user;
	const char *item = l->uploads ? "Upload" : "Contents", *name = path + strlen(l->root);
	size_t n = strlen(item);

	if (!str_starts(path, l->root) || *name != '/')
		return 0;
	name++;
	if (strcmp(name, item) == 0)
		return give(l);
	if (str_starts(name, item) && name[n] == '/')
		take_item(l, name + n + 1, text);
	else if (!strchr(name, '/'))
		take_page(l, name, text);
	return 0;
}

/* Some servers say it behind the items. */
static int read_encoding(struct listing *l, const char *body, size_t n, struct err *e)
{
	char path[64], encoding[16];
	int r;

	(void)snprintf(path, sizeof(path), "%s/EncodingType", l->root);
	r = s3_answer_text(body, n, path, encoding, sizeof(encoding), e);
	l->is_encoded = strcmp(encoding, "url") == 0;
	return r;
}

int s3_page_parse(const char *body, size_t n, bool uploads, s3_item_fn fn, void *user,
	struct s3_page *out, struct err *e)
{
	struct listing l = {.root = uploads ? "ListMultipartUploadsResult" : "ListBucketResult",
		.uploads = uploads,
		.fn = fn,
		.user = user,
		.page = out};
	int r;

	*out = (struct s3_page){.next = ""};
	r = read_encoding(&l, body, n, e);
	if (r < 0)
		return r;
	r = s3_xml_parse(body, n, on_page, &l, e);
	if (uploads && l.is_encoded)
		s3_url_decode(out->next);
	if (r == 0 && out->is_truncated && !*out->next && !*out->next_id)
		return err_set(e, EBADMSG, "the list does not say where it goes on");
	if (!out->is_truncated)
		*out->next = *out->next_id = '\0';
	return r;
}
