/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends one mail over SMTP: STARTTLS, TLS, AUTH. The message is the caller's, whole, with its
 * headers and CRLF line ends (RFC 5322); leading dots are doubled here.
 *
 * Each mail has a child process of its own, which gets everything on stdin (mail_worker.h): curl
 * waits for the server inside its calls after DATA and before it closes a connection, even in its
 * multi interface, so on the loop a slow mail server would stop the sampling.
 */
#ifndef BASE_MAIL_H
#define BASE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"

enum { MAIL_RECIPIENTS_MAX = 100, MAIL_ADDRESS_MAX = 254 };

struct mail_call;

struct mail_options {
	const char *url; /* "smtp://host:587", "smtps://host:465" */
	const char *user, *password; /* NULL: no AUTH */
	bool require_tls; /* STARTTLS or nothing; never falls back to clear text */
	const char *ca_file; /* certificates trusted instead of the system's; NULL: those */
	const char *helo; /* name of this server; NULL: curl's choice */
	const char *from; /* addresses without <> */
	/* NULL-terminated. A recipient who is refused for good (5xx, or a full mailbox: 4xx
	 * 4.2.2) does not keep the others from getting it; any other 4xx stops it for all. */
	const char *const *to;
	const void *data; /* copied */
	size_t len;
	int64_t timeout_ms; /* the whole exchange */
};

/* `done` is called once, later, from the loop; the handle is gone after it. The response's status is
 * the code of the server's last reply (250, 550; 0: none came), its body the lines of that reply.
 * `error` is 0 only when the server took the mail; `message` then names the recipients who were
 * refused, and is "" when there were none. Besides the errors of the HTTP client:
 * -EACCES: it refused the login; -EPROTO: TLS was required and is not offered, or the certificate
 * is wrong; -EPERM: it refused this client, the sender or all recipients; -EBADMSG: it refused the
 * message; -EAGAIN: it said to try later (4xx); the command it answered is in `message`.
 * -EINVAL here: the address of the server, a sender or recipient that is none, or a control
 * character in any of the texts. */
int mail_start(struct loop *l, const struct mail_options *o, http_done_fn done, void *user,
	struct mail_call **out, struct err *e);
/* Ends it without calling `done`. The mail may have gone out all the same. NULL is fine. */
void mail_cancel(struct mail_call *m);

/* Whether a text can be the address of a sender or recipient: something@something, no spaces, no
 * control characters, no <> or quotes, at most MAIL_ADDRESS_MAX bytes. */
bool mail_is_address(const char *s);

#endif
