/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP requests of the S3 store over the transfers of net.h. A request knows nothing of S3: no retries, no
 * redirects, no signatures. All callbacks come from within net_wait() and net_run().
 */
#ifndef BACKUP_NET_INTERNAL_H
#define BACKUP_NET_INTERNAL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/net.h"
#include "base/buf.h"
#include "base/err.h"

struct net_answer {
	/* 0: an answer came, whatever its status. Negative errno: none, or not all of it; -EBADE: the certificate is not to be trusted, -ENOKEY:
	 * ca_file cannot be used, -ECONNABORTED: no TLS came about, -EHOSTUNREACH: no such name. */
	int error;
	bool can_pass; /* the error is of a kind that may be gone later */
	char message[256]; /* of the error */
	long status;
	struct buf headers; /* the lines as they came; net_header() */
	struct buf body; /* what on_data did not get; may be taken by on_done */
	int64_t date_s; /* the server's clock; 0: it did not say */
	int64_t retry_after_ms; /* -1: it did not say */
	int64_t length; /* of the body as announced; -1: it did not say */
};

enum net_taken {
	NET_TAKEN,
	NET_LATER, /* the same piece comes again after net_transfer_go_on() */
	NET_STOP, /* ends the transfer: error is -ECANCELED */
};

struct net_transfer;

struct net_request {
	const char *method;
	const char *url; /* sent as it is */
	const char *const *headers; /* "Name: value" each, NULL-terminated */
	const void *body; /* borrowed until the end; NULL: none */
	size_t body_len;
	const char *ca_file; /* NULL: the system's */
	int64_t send_rate_bytes, receive_rate_bytes; /* a second; 0: any */
	size_t max_body; /* of an answer in memory */
	bool is_fresh; /* over a new connection */
	bool expects; /* 100 Continue before a large body; else nobody is asked */
	int idle_s; /* fewer than 1 KiB/s for so long is an error; 0: never */
	int timeout_s; /* for all of it; 0: any */
	/* Gets the body of an answer of 2xx. NULL: it goes into the answer. */
	enum net_taken (*on_data)(
		void *user, const struct net_transfer *t, const char *data, size_t n);
	/* Once, at the end. It may start others. */
	void (*on_done)(void *user, struct net_answer *a);
	void *user;
};

/* Text is copied, the body not. Aborts without memory. */
struct net_transfer *net_transfer_start(struct net *n, const struct net_request *r);
/* Ends it without on_done; not from within its own on_data. NULL is fine. */
void net_transfer_cancel(struct net_transfer *t);
void net_transfer_go_on(struct net_transfer *t);
/* From within on_data: what came before the body. */
const struct net_answer *net_transfer_answer(const struct net_transfer *t);

/* Copies the value of a header into `to`; "" and false when there is none or it does not fit. */
bool net_header(const struct net_answer *a, const char *name, char *to, size_t size);

/* Embedded in the owner. */
struct net_timer {
	struct net_timer *next;
	int64_t at_ms; /* CLOCK_MONOTONIC */
	void (*fn)(void *user);
	void *user;
	bool is_set;
};
void net_timer_set(
	struct net *n, struct net_timer *t, int64_t delay_ms, void (*fn)(void *user), void *user);
void net_timer_clear(struct net *n, struct net_timer *t);

/* Moves all transfers on without waiting. */
void net_turn(struct net *n);
/* Waits until something moves. -ECANCELED when a stop was requested. */
int net_step(struct net *n, struct err *e);
/* For so long, while transfers move on. */
int net_pause(struct net *n, int64_t ms, bool cleans_up, struct err *e);
/* Until *done. A stop request ends it with -ECANCELED, but not when `cleans_up`: the end of something, which has a deadline of its
 * own. */
int net_run(struct net *n, const bool *done, bool cleans_up, struct err *e);

/* net_transfer.c for net.c. */
struct net {
	CURLM *multi;
	struct net_transfer *transfers;
	struct net_timer *timers;
};
void net_transfer_finish(struct net_transfer *t, CURLcode code);
void net_transfer_free(struct net_transfer *t);

#endif
