/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores that only know Signature Version 2, by Debian's libs3 2.0. It is loaded when such a store is used, so that nobody else has its
 * thirty libraries in memory; libs3_*.c have what needs none of it. What has to be done around it:
 *
 * It has no uploads in parts and must know the length first: an object is what fits into memory (part_size), and a stream is as
 * many of them as it needs. A download that is cut is a success to it: lengths are compared here. It tries nothing twice. It
 * does not check certificates: the doctor says so.
 */
#include "backup/libs3.h"

#include <errno.h>

#ifdef HAVE_LIBS3
#include <dlfcn.h>
#include <libs3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

#define LIBRARY "libs3.so.2"

/* One for the process: the library has its own state for all. */
static struct {
	void *library;
	unsigned users;
	__typeof__(&S3_initialize) initialize;
	__typeof__(&S3_deinitialize) deinitialize;
	__typeof__(&S3_put_object) put_object;
	__typeof__(&S3_get_object) get_object;
	__typeof__(&S3_head_object) head_object;
	__typeof__(&S3_delete_object) delete_object;
	__typeof__(&S3_list_bucket) list_bucket;
	__typeof__(&S3_get_status_name) get_status_name;
} api;

static bool find(const char *name, void *to)
{
	void *found = dlsym(api.library, name);

	memcpy(to, &found, sizeof(found));
	return found != NULL;
}

static int load(struct err *e)
{
	api.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!api.library)
		return err_set(e, ENOENT,
			"type: the library %s is not there; install the package libs3-2", LIBRARY);
	if (find("S3_initialize", &api.initialize) && find("S3_deinitialize", &api.deinitialize) &&
		find("S3_put_object", &api.put_object) && find("S3_get_object", &api.get_object) &&
		find("S3_head_object", &api.head_object) &&
		find("S3_delete_object", &api.delete_object) &&
		find("S3_list_bucket", &api.list_bucket) &&
		find("S3_get_status_name", &api.get_status_name))
		return 0;
	(void)dlclose(api.library);
	return err_set(e, ENOENT, "type: the library %s is not the one it should be", LIBRARY);
}

int libs3_begin(const char *host, struct err *e)
{
	S3Status status;
	int r = api.users ? 0 : load(e);

	if (r < 0)
		return r;
	if (api.users == 0) {
		status = api.initialize("agent", S3_INIT_ALL, host);
		if (status != S3StatusOK) {
			r = err_set(
				e, EIO, "libs3 does not start: %s", api.get_status_name(status));
			(void)dlclose(api.library);
			return r;
		}
	}
	api.users++;
	return 0;
}

void libs3_end(void)
{
	if (--api.users)
		return;
	api.deinitialize();
	(void)dlclose(api.library);
}

/* --- one request */

struct request {
	struct libs3_answer *answer;
	S3Status status;
	/* What is sent, or where to what comes goes. */
	const char *from;
	size_t left;
	struct buf *to;
	struct libs3_page *page;
};

static S3Status on_properties(const S3ResponseProperties *p, void *user)
{
	struct libs3_answer *a = ((struct request *)user)->answer;
	const char *etag = p->eTag ? p->eTag : "";

	a->bytes = (int64_t)p->contentLength;
	a->modified_ms = p->lastModified > 0 ? p->lastModified * 1000 : 0;
	etag += *etag == '"';
	(void)str_copy(a->etag, sizeof(a->etag), etag);
	a->etag[strcspn(a->etag, "\"")] = '\0';
	return S3StatusOK;
}

static void on_complete(S3Status status, const S3ErrorDetails *details, void *user)
{
	struct request *r = user;

	r->status = status;
	(void)snprintf(r->answer->words, sizeof(r->answer->words), "%.60s%s%.200s",
		api.get_status_name(status), details && details->message ? ": " : "",
		details && details->message ? details->message : "");
}

static bool is_stopped(void)
{
	return stop_requested() && !stop_is_held();
}

static int on_send(int size, char *to, void *user)
{
	struct request *r = user;
	size_t n = (size_t)size < r->left ? (size_t)size : r->left;

	if (is_stopped())
		return -1;
	memcpy(to, r->from, n);
	r->from += n;
	r->left -= n;
	return (int)n;
}

static S3Status on_receive(int size, const char *data, void *user)
{
	struct request *r = user;

	if (is_stopped())
		return S3StatusAbortedByCallback;
	buf_add(r->to, data, (size_t)size);
	return r->to->overflow ? S3StatusAbortedByCallback : S3StatusOK;
}

static S3Status on_list(int is_truncated, const char *next, int n,
	const S3ListBucketContent *contents, int n_prefixes, const char **prefixes, void *user)
{
	struct libs3_page *page = ((struct request *)user)->page;

	(void)next;
	(void)n_prefixes;
	(void)prefixes;
	page->is_truncated = is_truncated != 0;
	for (int i = 0; i < n && page->n < LIBS3_PAGE_MAX; i++) {
		struct store_object *o = &page->objects[page->n++];

		memset(o, 0, sizeof(*o));
		page->too_long |= !str_copy(o->key, sizeof(o->key), contents[i].key);
		o->bytes = (int64_t)contents[i].size;
		o->modified_ms = contents[i].lastModified * 1000;
	}
	return S3StatusOK;
}

/* In the order of enum libs3_outcome's tests: what it means for who asked. */
static enum libs3_outcome outcome(S3Status status)
{
	switch (status) {
	case S3StatusOK:
		return LIBS3_OK;
	case S3StatusErrorNoSuchKey:
	case S3StatusHttpErrorNotFound:
		return LIBS3_NO_KEY;
	case S3StatusErrorNoSuchBucket:
		return LIBS3_NO_BUCKET;
	case S3StatusErrorAccessDenied:
	case S3StatusHttpErrorForbidden:
		return LIBS3_DENIED;
	case S3StatusErrorInvalidAccessKeyId:
	case S3StatusErrorSignatureDoesNotMatch:
	case S3StatusErrorRequestTimeTooSkewed:
		return LIBS3_WRONG_KEYS;
	/* A connection that broke has no status of its own. */
	case S3StatusInternalError:
	case S3StatusNameLookupError:
	case S3StatusFailedToConnect:
	case S3StatusConnectionFailed:
	case S3StatusErrorInternalError:
	case S3StatusErrorOperationAborted:
	case S3StatusErrorRequestTimeout:
	case S3StatusErrorSlowDown:
	case S3StatusHttpErrorUnknown:
		return LIBS3_AGAIN;
	default:
		return LIBS3_FAILED;
	}
}

static S3BucketContext context(const struct libs3 *s)
{
	return (S3BucketContext){.hostName = s->settings.host,
		.bucketName = s->settings.bucket,
		.protocol = strcmp(s->settings.scheme, "http://") == 0 ? S3ProtocolHTTP
								       : S3ProtocolHTTPS,
		.uriStyle = s->settings.is_virtual ? S3UriStyleVirtualHost : S3UriStylePath,
		.accessKeyId = s->keys.access_key_id,
		.secretAccessKey = s->keys.secret_access_key};
}

enum libs3_outcome libs3_put(const struct libs3 *s, const char *key, const void *data, size_t n,
	const char *md5, struct libs3_answer *a)
{
	const S3PutObjectHandler handler = {{on_properties, on_complete}, on_send};
	const S3PutProperties properties = {
		.contentType = "application/octet-stream", .md5 = md5, .expires = -1};
	const S3BucketContext c = context(s);
	struct request r = {.answer = a, .from = data, .left = n};

	api.put_object(&c, key, n, &properties, NULL, &handler, &r);
	return outcome(r.status);
}

enum libs3_outcome libs3_get(const struct libs3 *s, const char *key, int64_t offset, int64_t n,
	struct buf *to, struct libs3_answer *a)
{
	const S3GetObjectHandler handler = {{on_properties, on_complete}, on_receive};
	const S3BucketContext c = context(s);
	struct request r = {.answer = a, .to = to};

	buf_clear(to);
	api.get_object(&c, key, NULL, (uint64_t)offset, (uint64_t)n, NULL, &handler, &r);
	return r.status == S3StatusOK && (int64_t)to->len != n ? LIBS3_AGAIN : outcome(r.status);
}

enum libs3_outcome libs3_head(const struct libs3 *s, const char *key, struct libs3_answer *a)
{
	const S3ResponseHandler handler = {on_properties, on_complete};
	const S3BucketContext c = context(s);
	struct request r = {.answer = a};

	api.head_object(&c, key, NULL, &handler, &r);
	return outcome(r.status);
}

enum libs3_outcome libs3_delete(const struct libs3 *s, const char *key, struct libs3_answer *a)
{
	const S3ResponseHandler handler = {on_properties, on_complete};
	const S3BucketContext c = context(s);
	struct request r = {.answer = a};

	api.delete_object(&c, key, NULL, &handler, &r);
	return outcome(r.status);
}

enum libs3_outcome libs3_list_page(const struct libs3 *s, const char *prefix, const char *after,
	struct libs3_page *page, struct libs3_answer *a)
{
	const S3ListBucketHandler handler = {{on_properties, on_complete}, on_list};
	const S3BucketContext c = context(s);
	struct request r = {.answer = a, .page = page};

	page->n = 0;
	page->is_truncated = page->too_long = false;
	api.list_bucket(&c, prefix, after, NULL, LIBS3_PAGE_MAX, NULL, &handler, &r);
	return outcome(r.status);
}

const struct store_type store_libs3 = {
	.name = "libs3", .open = libs3_open, .check_settings = libs3_check_settings};

#else

static int no_library(const json_t *settings, struct err *e)
{
	(void)settings;
	return err_set(e, ENOTSUP,
		"type: this build has no libs3; install the package libs3-dev and build again, or "
		"use type = \"s3\"");
}

static int no_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e)
{
	(void)c;
	(void)out;
	return no_library(settings, e);
}

const struct store_type store_libs3 = {
	.name = "libs3", .open = no_open, .check_settings = no_library};

#endif
