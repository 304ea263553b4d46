/* SPDX-License-Identifier: Apache-2.0
 *
 * GitHub's container registry: the events `registry_package` and `package` of docs.github.com, "Webhook events and
 * payloads". Both may come for one push; they say the same.
 */
#include <string.h>
#include <strings.h>

#include "deploy-hooks/provider_github.h"
#include "deploy-hooks/reading.h"

#define PACKAGE(object)                                                                            \
	READING(object ".package_type", reading_shown, type),                                      \
		READING(object ".namespace", reading_shown, owner),                                \
		READING(object ".name", reading_shown, name),                                      \
		READING(object ".package_version.container_metadata.tag.name", reading_exact,      \
			ref),                                                                      \
		READING(object ".package_version.container_metadata.tag.digest", reading_exact,    \
			digest)

static const struct reading_field fields[] = {
	READING("action", reading_shown, old_type),
	PACKAGE("registry_package"),
	PACKAGE("package"),
	READING("sender.login", reading_shown, actor),
	READING_CALL(NULL, NULL),
};

/* An image, and one with a tag: a manifest of a single platform has none. */
static bool is_image(const struct reading *r)
{
	bool is_new = strcmp(r->old_type, "published") == 0 || strcmp(r->old_type, "updated") == 0;

	return is_new && strcasecmp(r->type, "container") == 0 && *r->ref;
}

static int parse(
	const struct headers *h, const struct body_reader *body, struct delivery *d, struct err *e)
{
	struct reading r = {.fields = fields, .d = d};
	const char *event = github_event(h, d);
	int n;

	if (strcmp(event, "registry_package") != 0 && strcmp(event, "package") != 0) {
		reading_nothing(d, strcmp(event, "ping") == 0 ? DELIVERY_PING : DELIVERY_OTHER);
		return 0;
	}
	n = reading_run(&r, h, body, e);
	if (n < 0)
		return reading_end(&r, n);
	reading_repository(&r);
	if (is_image(&r))
		n = reading_image(&r, e);
	else
		reading_nothing(d, DELIVERY_OTHER);
	return reading_end(&r, n);
}

const struct provider provider_ghcr = {
	.name = "ghcr",
	.doc = "GitHub's container registry: X-Hub-Signature-256",
	.sent_by = github_sent_by,
	.proof = github_proof,
	.parse = parse,
};
