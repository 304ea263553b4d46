/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of single options, named in options.def. Each takes one value and says what is wrong
 * with it and what was expected.
 */
#ifndef AGENT_OPTION_CHECK_H
#define AGENT_OPTION_CHECK_H

#include "base/err.h"

int check_any_pattern(const char *text, struct err *e); /* not empty; '!' in front is fine */
int check_cron(const char *text, struct err *e); /* "0 3 * * *" */
int check_host(const char *text, struct err *e); /* a host name or address as in "Host:" */
int check_hostname(const char *text, struct err *e); /* RFC 1123: letters, digits, '-', '.' */
int check_label_pattern(const char *text, struct err *e); /* "image=shop*", "!project=test" */
int check_metric(const char *text, struct err *e); /* "CLASS.METRIC"; METRIC may have wildcards */
int check_pattern(const char *text, struct err *e); /* not empty, no '!' in front */
int check_quiet(const char *text, struct err *e); /* "22:00-07:00", "sat,sun 00:00-24:00" */
int check_retention(const char *text, struct err *e); /* "20s for 2d" */
int check_seconds(const char *text, struct err *e); /* a duration of whole seconds */
int check_server(const char *text, struct err *e); /* HOST or HOST:PORT */
int check_text_line(const char *text, struct err *e); /* not empty, no control characters */
int check_timezone(const char *text, struct err *e); /* a name below /usr/share/zoneinfo */
int check_url(const char *text, struct err *e); /* http:// or https:// and a host */

#endif
