/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of single options of apps, named in options.def. Each takes one value and says what is wrong with it and what was
 * expected. Much of it ends up as an argument of a program, or in a file of a router.
 */
#ifndef AGENT_OPTION_CHECK_APPS_H
#define AGENT_OPTION_CHECK_APPS_H

#include "base/err.h"

int check_assignment(const char *text, struct err *e); /* NAME=value in one line */
int check_branch(const char *text, struct err *e); /* "main", not "refs/heads/main" */
int check_cpus(const char *text, struct err *e); /* "1.5" */
int check_domain(
	const char *text, struct err *e); /* "shop.example.com", "*.example.com", "http://..." */
int check_hook_name(
	const char *text, struct err *e); /* of a file in a stage's folder: a-z, 0-9, '-' */
int check_hook_unit(const char *text, struct err *e); /* of systemd, without its type */
int check_image(const char *text, struct err *e); /* "registry.example.com/me/shop:stable" */
int check_inside(const char *text, struct err *e); /* a path within the source */
int check_path_pattern(const char *text, struct err *e); /* of paths in the repository, "!docs/" */
int check_ref_pattern(const char *text, struct err *e); /* of names of branches or tags, "v*" */
int check_registry(const char *text, struct err *e); /* HOST[:PORT][/PATH], no scheme */
int check_source(const char *text, struct err *e); /* of a git repository */
int check_tag(const char *text, struct err *e); /* of an image */
int check_text(const char *text, struct err *e); /* no control characters; may be empty */
int check_url_path(const char *text, struct err *e); /* "/healthz?full=1" */
int check_variable(const char *text, struct err *e); /* [A-Za-z_][A-Za-z0-9_]* */

#endif
