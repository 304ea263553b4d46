/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON that a stranger sent, value by value, in memory that does not grow with it (libyajl behind json_gate.h). Each
 * value comes with the path to it: "commits[].author.name", "" for the whole. An object and an array are told when
 * they begin and when they end.
 *
 * Refused with -EBADMSG: what is not JSON (RFC 8259) in UTF-8, more than one document, deeper than JSON_PULL_DEPTH_MAX, a key
 * twice in one object, a key longer than JSON_PULL_KEY_MAX, more than JSON_PULL_KEYS_MAX keys in one object or in all
 * that are open, and what json_gate.h refuses. Texts longer than JSON_GATE_TEXT_MAX are cut.
 */
#ifndef DEPLOY_HOOKS_JSON_PULL_H
#define DEPLOY_HOOKS_JSON_PULL_H

#include "deploy-hooks/body.h"

enum {
	JSON_PULL_DEPTH_MAX = 64,
	JSON_PULL_KEY_MAX = 256,
	JSON_PULL_KEYS_MAX =
		512, /* GitHub's repository object has 80; each new key is compared with all */
	JSON_PULL_PATH_MAX = 1024,
};

enum json_pull_kind {
	JSON_PULL_TEXT,
	JSON_PULL_NUMBER,
	JSON_PULL_TRUE,
	JSON_PULL_FALSE,
	JSON_PULL_NULL,
	JSON_PULL_BEGIN,
	JSON_PULL_END,
};

struct json_pull_value {
	/* A key that is empty or has one of ".[]" or a control character is "?" in it, so that no key looks like a path. A
	 * path that gets longer than JSON_PULL_PATH_MAX ends before that. */
	const char *path;
	enum json_pull_kind kind;
	const char *
		text; /* of texts and numbers, as written but for escapes; NUL-terminated; else "" */
	size_t n;
};

/* Not 0: ends the reading with this result. */
typedef int (*json_pull_fn)(void *user, const struct json_pull_value *v, struct err *e);

/* Reads to the end of the body. -EBADMSG; what `fn` or the reader returned. */
int json_pull(const struct body_reader *body, json_pull_fn fn, void *user, struct err *e);

const char *json_pull_library_version(void); /* "2.1.0" */

#endif
