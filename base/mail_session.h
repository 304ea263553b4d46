/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said in one SMTP session (RFC 5321), as far as it explains the outcome: which command
 * got which reply, and which recipients were refused. Pure; fed by mail_worker.c with the lines
 * that curl sends and gets.
 */
#ifndef BASE_MAIL_SESSION_H
#define BASE_MAIL_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct mail_session {
	char command[300]; /* last one sent; "" before the first, and for those of AUTH */
	int status; /* of the last reply; 0: none */
	struct buf reply; /* its lines, joined by \n */
	bool reply_whole;
	bool taken; /* the message was, at its end */
	bool stopped; /* by mail_session_reply() */
	bool over; /* QUIT was sent: what follows is no part of it */
	int accepted; /* recipients */
	struct buf refused; /* "a@b: 550 no such user; c@d: ..." */
};

void mail_session_init(struct mail_session *s);
void mail_session_done(struct mail_session *s);

/* A line sent, with or without its CRLF. */
void mail_session_command(struct mail_session *s, const char *line, size_t len);
/* A line received. Returns false when the session is to be ended: a recipient was refused for now,
 * so all are tried again later. */
bool mail_session_reply(struct mail_session *s, const char *line, size_t len);

/* The outcome, as mail.h has it: from curl's error (positive errno, 0 none) and words. Returns the
 * error as a positive errno. */
int mail_session_outcome(
	const struct mail_session *s, int error, const char *message, char *to, size_t size);

#endif
