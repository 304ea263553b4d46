/* SPDX-License-Identifier: Apache-2.0
 *
 * The process that sends one mail with libcurl and ends: `agent worker mail`. May wait as long as it likes;
 * mail.c ends it at its deadline. In a file of its own because it is the only part that must not
 * run on the loop.
 *
 * stdin: a JSON object on one line {"url","user","password","require_tls","ca_file","helo","from",
 * "to":[],"timeout_ms"}, absent: not set; then the message to the end.
 * stdout, last line: {"error": errno, "message": "...", "status": 250, "reply": "..."}, the members
 * as in struct http_response.
 */
#ifndef BASE_MAIL_WORKER_H
#define BASE_MAIL_WORKER_H

/* Its arguments: a program that sends mail must call mail_worker_main() when it has them. */
#define MAIL_WORKER_ARGUMENTS "worker", "mail"

/* Exit status: 0 when a result was printed, else 1. */
int mail_worker_main(void);

#endif
