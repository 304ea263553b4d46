/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as values. A function that can fail takes a `struct err *` last and returns 0 or a
 * positive outcome its header names, or a negative errno value with the message filled in. The
 * struct is of fixed size and lives in the caller, so there is nothing to free and it works without
 * memory. Callers add context in front with err_wrap(): "agent.conf:12: store "offsite": bucket is
 * missing".
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char msg[512];
};

/* Fills the message and returns -code. `code` is a positive errno value. `e` may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with the current errno: appends ": " and its text, returns -errno (never 0). */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the message already there; without an error (r not negative) there is
 * none and nothing happens. Returns r unchanged. */
int err_wrap(struct err *e, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Text of a negative errno value, such as a function here returns. */
const char *err_text(int r);

#endif
