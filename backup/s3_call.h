/* SPDX-License-Identifier: Apache-2.0
 *
 * One operation on S3 with all its attempts: signed anew each time, repeated as s3_retry.h says, ended after its budget. It
 * moves on while anything waits on the net. Embedded in its owner; texts are borrowed until its end.
 */
#ifndef BACKUP_S3_CALL_H
#define BACKUP_S3_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/net_internal.h"
#include "backup/s3_answer.h"
#include "backup/s3_client.h"
#include "backup/s3_payload.h"
#include "backup/sigv4.h"

enum { S3_QUERY_MAX = 8, S3_HEADERS_MAX = 16 };

struct s3_call {
	struct s3 *s3;
	const char *method;
	const char *key; /* below the prefix; NULL: the bucket */
	struct sigv4_pair query[S3_QUERY_MAX];
	size_t n_query;
	struct sigv4_pair headers[S3_HEADERS_MAX]; /* all signed */
	size_t n_headers;
	const struct s3_payload *payload; /* NULL: none */
	/* Root of the XML that an answer of 2xx must be; one that is not has been cut, or is an error in disguise. NULL: any. */
	const char *root;
	/* Asks first whether the store wants the body (100-continue), and so hears a refusal before it has sent much. Later attempts always
	 * do. */
	bool expects;
	int timeout_s; /* instead of the limit on idleness: for what takes the server long */
	int64_t budget_ms; /* 0: that of the settings */
	/* Before each attempt. */
	void (*prepare)(struct s3_call *c);
	/* Looks at an answer of 2xx. -EAGAIN: it cannot be right, another try may be. Other negative errno: it has failed. */
	int (*check)(struct s3_call *c, struct err *e);
	/* Gets the body; as net_request's, with the call as its user. */
	enum net_taken (*on_data)(
		void *user, const struct net_transfer *t, const char *data, size_t n);
	void *user;

	/* The outcome. */
	bool done;
	int result; /* 0, or a negative errno (s3_error_number()) */
	struct err error;
	unsigned attempts;
	struct net_answer answer; /* the last one */
	struct s3_error said; /* in its body */
	int64_t began_ms; /* of the budget; the owner may set it later when something was achieved */

	/* s3_call.c's. */
	struct net_transfer *transfer;
	struct net_timer timer;
	int64_t signed_s;
	unsigned waits;
	bool has_set_clock;
};

void s3_call_init(struct s3_call *c, struct s3 *s, const char *method, const char *key);
/* Ends it if need be, and frees. It may be used again after s3_call_init(). */
void s3_call_done(struct s3_call *c);
void s3_call_query(struct s3_call *c, const char *name, const char *value);
/* NULL or "" as value: not sent. */
void s3_call_header(struct s3_call *c, const char *name, const char *value);

void s3_call_start(struct s3_call *c);
/* Its result. -ECANCELED when stopped, but not when it `cleans_up`. */
int s3_call_wait(struct s3_call *c, bool cleans_up, struct err *e);
/* Both. What cleans up, or runs while stops are held, is not tried for longer than 20 s. When stopped, a change that is
 * on its way is waited for a little: what is removed afterwards is all there is. */
int s3_call_run(struct s3_call *c, bool cleans_up, struct err *e);

/* A header of the answer; "" when there is none. */
void s3_call_answer(const struct s3_call *c, const char *name, char *to, size_t size);
/* Without the quotes. */
void s3_call_etag(const struct s3_call *c, char *to, size_t size);

#endif
