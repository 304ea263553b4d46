/* SPDX-License-Identifier: Apache-2.0
 *
 * What to do after an attempt, and when: 500 and 503 are normal operation of an object store. Pure.
 */
#ifndef BACKUP_S3_RETRY_H
#define BACKUP_S3_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct s3_retry_limits {
	int64_t base_ms; /* the longest first wait; doubles each time */
	int64_t cap_ms; /* the longest wait */
	int64_t budget_ms; /* from the first attempt; after that it has failed */
	int64_t notice_ms; /* after trying for so long it is told that it is tried again */
	int idle_s; /* a connection on which nothing moves for so long is cut */
};
/* 0.5 s, 5 min, 30 min, 20 s, 60 s. */
extern const struct s3_retry_limits s3_retry_usual;

struct s3_outcome {
	int error; /* 0, or a negative errno: no answer */
	bool can_pass; /* the error may be gone later */
	long status;
	const char *code; /* of the error in the body; "" */
	int64_t clock_off_s; /* the server's clock less ours as corrected so far; 0 when not known */
};

enum s3_verdict {
	S3_DONE,
	S3_FAILED,
	S3_AGAIN, /* after a wait, over a new connection */
	S3_CLOCK, /* signed with a clock that is wrong: again with the server's, once */
	S3_KEYS, /* the keys may have been renewed: read again, and again if they were */
	S3_EXPIRED, /* they have expired: read again, and again in any case, later if they are the same */
};
enum s3_verdict s3_judge(const struct s3_outcome *o);

/* Full jitter: evenly between 0 and min(cap, base * 2^n) before attempt n + 2; not before what the server asked for (-1: nothing).
 * `random` from 0 to 1. */
int64_t s3_retry_wait_ms(
	const struct s3_retry_limits *l, unsigned n, double random, int64_t retry_after_ms);

/* A negative errno for an answer that is a failure: -ENOENT (no such key, no such upload), -ENXIO (no such bucket), -EACCES, -EKEYREJECTED (not these keys),
 * -EKEYEXPIRED (no longer), -EREMOTEIO (the service is not well), -EINVAL (it does not take what it is asked for), ... */
int s3_error_number(long status, const char *code);

#endif
