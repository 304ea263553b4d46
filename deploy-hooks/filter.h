/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a push is deployed. Patterns: `*` within one part of a path, `**` over parts, of which there may be none, `?`
 * one character but no slash; a slash at the end stands for all below; a leading `!` takes back; the last that matches
 * decides; only takings-back: all the rest matches.
 */
#ifndef DEPLOY_HOOKS_FILTER_H
#define DEPLOY_HOOKS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy-hooks/delivery.h"

struct filter {
	const char *const *branches; /* patterns of names; n_branches 0: none */
	size_t n_branches;
	const char *const *tags; /* of git, or of an image */
	size_t n_tags;
	const char *const
		*paths; /* 0: all; not asked of tags and images, which somebody made on purpose */
	size_t n_paths;
	bool skip_ci; /* [skip ci] is heeded */
};

enum filter_verdict {
	FILTER_DEPLOY,
	FILTER_ASK_GIT, /* paths matter and are not known: after the fetch */
	FILTER_REF, /* not one of the branches or tags */
	FILTER_PATHS,
	FILTER_SKIP_CI,
	FILTER_NOTHING, /* ping, deletion, other */
};
/* One known file that matches is enough, whether or not all are known. A push without a ref is of the app's branch. */
enum filter_verdict filter_judge(const struct filter *f, const struct delivery_change *c);
/* As above; no pattern: false. Time grows with the length of the text times that of the patterns, never faster. */
bool filter_matches(const char *const *patterns, size_t n, const char *text);
/* "the branch or tag is not one that is deployed", for the answer and the list of refused deliveries. */
const char *filter_verdict_text(enum filter_verdict v);

#endif
