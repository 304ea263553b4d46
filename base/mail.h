/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends one mail over SMTP, with the HTTP client's curl on the loop: STARTTLS, TLS, AUTH. The
 * message is the caller's, whole, with its headers and CRLF line ends (RFC 5322); leading dots are
 * doubled here.
 */
#ifndef BASE_MAIL_H
#define BASE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http_client.h"

struct mail_options {
	const char *url; /* "smtp://host:587", "smtps://host:465" */
	const char *user, *password; /* NULL: no AUTH */
	bool require_tls; /* STARTTLS or nothing; never falls back to clear text */
	const char *ca_file; /* NULL: the system's */
	const char *helo; /* name of this server; NULL: curl's choice */
	const char *from; /* addresses without <> */
	const char *const *to; /* NULL-terminated; all are accepted or none is sent */
	const void *data; /* copied */
	size_t len;
	int64_t timeout_ms; /* the whole exchange */
};

/* Like http_client_start(). The response's status is the code of the server's last reply (250, 550;
 * 0: none came), its body the lines of that reply. `error` is 0 only when the server took the mail;
 * -EACCES: it refused the login; -EPROTO: TLS was required and is not offered, or the certificate is
 * wrong. -EINVAL here: an address or header value with a control character. */
int mail_start(struct http_client *c, const struct mail_options *o, http_done_fn done, void *user,
	struct http_request **out, struct err *e);

#endif
