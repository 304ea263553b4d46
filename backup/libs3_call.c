/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backup/libs3.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

enum { CLEAN_UP_MS = 20 * 1000 };

static int need_keys(struct libs3 *s, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 * 1024);
	int r;

	if (s->has_keys)
		return 0;
	r = s->secret_read(s->settings.credentials_file, &text, e);
	if (r == 0)
		r = s3_credentials_parse(buf_str(&text), &s->keys, e);
	if (r == 0 && *s->keys.session_token)
		r = err_set(e, EINVAL, "Signature V2 has no session tokens; use type = \"s3\"");
	if (text.data)
		explicit_bzero(text.data, text.cap);
	s->has_keys = r == 0;
	return err_wrap(e, r, "credentials_file");
}

static enum libs3_outcome try(
	struct libs3 *s, const struct libs3_request *r, const char *key, struct libs3_answer *a)
{
	memset(a, 0, sizeof(*a));
	switch (r->what) {
	case LIBS3_PUT:
		return libs3_put(s, key, r->data, r->n, r->md5, a);
	case LIBS3_GET:
		return libs3_get(s, key, r->offset, r->bytes, r->to, a);
	case LIBS3_HEAD:
		return libs3_head(s, key, a);
	case LIBS3_DELETE:
		return libs3_delete(s, key, a);
	case LIBS3_LIST:
		break;
	}
	return libs3_list_page(s, key, r->after, r->page, a);
}

static int describe(const struct libs3 *s, enum libs3_outcome o, const char *key,
	const struct libs3_answer *a, struct err *e)
{
	switch (o) {
	case LIBS3_OK:
		return 0;
	case LIBS3_NO_KEY:
		return err_set(e, ENOENT, "%s: there is no such object", key);
	case LIBS3_NO_BUCKET:
		return err_set(
			e, ENXIO, "there is no bucket \"%s\"; make it first", s->settings.bucket);
	case LIBS3_DENIED:
		return err_set(e, EPERM, "%s: the store does not let us (%s)", key, a->words);
	case LIBS3_WRONG_KEYS:
		return err_set(e, EACCES,
			"the store does not accept the keys in credentials_file (%s)", a->words);
	case LIBS3_AGAIN:
	case LIBS3_FAILED:
		break;
	}
	return err_set(e, EREMOTEIO, "%s: %s", key, a->words);
}

/* -ECANCELED when stopped meanwhile. */
static int wait_before(const struct libs3 *s, unsigned n, struct err *e)
{
	struct pollfd p = {.fd = stop_fd(), .events = POLLIN};
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	(void)poll(&p, 1,
		(int)s3_retry_wait_ms(
			&s->settings.retry, n, (double)random / (double)UINT32_MAX, -1));
	return stop_check(e);
}

int libs3_do(struct libs3 *s, const struct libs3_request *r, struct libs3_answer *a, struct err *e)
{
	_cleanup_(free_p) char *key = str_format("%s%s", s->settings.prefix, r->key);
	int64_t budget = s->settings.retry.budget_ms, end;
	enum libs3_outcome o;
	int x = need_keys(s, e);

	if (x < 0)
		return x;
	if (stop_is_held() && budget > CLEAN_UP_MS)
		budget = CLEAN_UP_MS;
	end = clock_mono_ms() + budget;
	for (unsigned n = 0;; n++) {
		x = stop_check(e);
		if (x < 0)
			return x;
		o = try(s, r, key, a);
		if (o != LIBS3_AGAIN || clock_mono_ms() > end)
			break;
		x = wait_before(s, n, e);
		if (x < 0)
			return x;
	}
	x = stop_check(e);
	return x < 0 && o != LIBS3_OK ? x : describe(s, o, r->key, a, e);
}

int libs3_look(struct libs3 *s, const char *key, struct libs3_answer *a, struct err *e)
{
	const struct libs3_request head = {.what = LIBS3_HEAD, .key = key};
	struct libs3_page *page;
	struct libs3_request list = {.what = LIBS3_LIST, .key = key};
	struct err why = {""};
	int r = libs3_do(s, &head, a, &why), there = 0;

	if (r == -ENOENT) {
		page = calloc(1, sizeof(*page));
		if (!page)
			abort();
		list.page = page;
		there = libs3_do(s, &list, a, &why);
		free(page);
		if (there == -ENXIO)
			r = there;
		else
			(void)err_set(&why, ENOENT, "%s: there is no such object", key);
	}
	if (r < 0)
		(void)err_set(e, -r, "%s", why.msg);
	return r;
}
