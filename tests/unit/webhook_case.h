/* SPDX-License-Identifier: Apache-2.0
 *
 * One delivery as a sender would make it: headers, and a body that comes in pieces.
 */
#ifndef TESTS_UNIT_WEBHOOK_CASE_H
#define TESTS_UNIT_WEBHOOK_CASE_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "deploy-hooks/filter.h"
#include "deploy-hooks/provider.h"

static struct delivery delivery;
static struct err delivery_error;

/* "Name: value" each; ended by NULL. */
static inline const char *webhook_header(void *user, const char *name, bool *twice)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (const char *const *h = user; h && *h; h++)
		if (strncasecmp(*h, name, n) == 0 && (*h)[n] == ':') {
			*twice = found != NULL;
			found = found ? found : *h + n + 1 + ((*h)[n + 1] == ' ');
		}
	return found;
}

#define HEADERS(...)                                                                               \
	(struct headers)                                                                           \
	{                                                                                          \
		webhook_header, (const char *[])                                                   \
		{                                                                                  \
			__VA_ARGS__, NULL                                                          \
		}                                                                                  \
	}

struct webhook_body {
	const char *data;
	size_t n, piece;
};

static inline ssize_t webhook_read(void *user, void *to, size_t n, struct err *e)
{
	struct webhook_body *b = user;
	size_t take = b->n < n ? b->n : n;

	(void)e;
	if (b->piece && take > b->piece)
		take = b->piece;
	memcpy(to, b->data, take);
	b->data += take;
	b->n -= take;
	return (ssize_t)take;
}

/* In pieces of so many bytes; 0: at once. */
static inline int webhook_pieces(
	const struct provider *p, struct headers h, const char *body, size_t n, size_t piece)
{
	struct webhook_body b = {body, n, piece};
	struct body_reader reader = {webhook_read, &b};

	delivery_done(&delivery);
	delivery_error.msg[0] = '\0';
	return p->parse(&h, &reader, &delivery, &delivery_error);
}

static inline int webhook_text(const struct provider *p, struct headers h, const char *body)
{
	return webhook_pieces(p, h, body, strlen(body), 0);
}

static inline char *webhook_fixture(const char *name, size_t *n)
{
	static char data[65536];
	char path[200];
	FILE *f;

	(void)snprintf(path, sizeof(path), "tests/fixtures/webhooks/%s", name);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s is missing", path);
	*n = fread(data, 1, sizeof(data) - 1, f);
	data[*n] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	return data;
}

/* A recorded one, whole and byte by byte: nothing may depend on how it comes. */
static inline void webhook_recorded(const struct provider *p, struct headers h, const char *name)
{
	size_t n;
	const char *data = webhook_fixture(name, &n);

	ck_assert_msg(webhook_pieces(p, h, data, n, 1) == 0, "%s", delivery_error.msg);
	ck_assert_msg(webhook_pieces(p, h, data, n, 0) == 0, "%s", delivery_error.msg);
}

static inline void webhook_accepted(const struct provider *p, struct headers h, const char *body)
{
	int r = webhook_text(p, h, body);

	ck_assert_msg(r == 0, "%s", delivery_error.msg);
	ck_assert_uint_ge(delivery.n_changes, 1);
}

/* Refused, with a reason, and with nothing left to free. */
static inline void webhook_refused(
	const struct provider *p, struct headers h, const char *body, const char *why)
{
	ck_assert_int_eq(webhook_text(p, h, body), -EBADMSG);
	ck_assert_msg(strstr(delivery_error.msg, why), "\"%s\"", delivery_error.msg);
	ck_assert_uint_eq(delivery.n_changes, 0);
}

static inline struct proof webhook_proof(
	const struct provider *p, struct headers h, const char *path_rest)
{
	struct proof proof = {0};

	p->proof(&h, path_rest, &proof);
	return proof;
}

#define CHANGE (delivery.changes[0])
#define COMMIT_A "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
#define COMMIT_B "95790bf891e76fee5e1747ab589903a6a1f80f22"
#define ZERO_40 "0000000000000000000000000000000000000000"
#define ZERO_64 ZERO_40 "000000000000000000000000"
#define GITHUB                                                                                     \
	HEADERS("X-GitHub-Event: push", "X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958")
#define GITLAB HEADERS("X-Gitlab-Event: Push Hook")
#define BITBUCKET HEADERS("X-Event-Key: repo:push")

/* Runs the cases of one table. */
static inline int webhook_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *sr = srunner_create(s);
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	delivery_done(&delivery);
	return failed ? 1 : 0;
}

#define RUN_TESTS(name, ...)                                                                       \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = {__VA_ARGS__};                                        \
		return webhook_run(name, tests, sizeof(tests) / sizeof(*tests));                   \
	}

#endif
