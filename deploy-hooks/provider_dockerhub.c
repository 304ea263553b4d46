/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker Hub: docs.docker.com, "Webhooks". Nothing is signed, so the secret is the end of the path, and nothing in the body
 * is used but the names: its callback_url and repo_url are never asked, and which image that tag is, the registry says.
 */
#include <string.h>

#include "deploy-hooks/proof.h"
#include "deploy-hooks/reading.h"

static const struct reading_field fields[] = {
	READING("push_data.tag", reading_exact, ref),
	READING("push_data.pusher", reading_shown, actor),
	READING("repository.repo_name", reading_shown, repository),
	READING_CALL(NULL, NULL),
};

/* It sends no header of its own; whoever does is another. */
static bool sent_by(const struct headers *h)
{
	return !provider_guess(h);
}

static void proof(const struct headers *h, const char *path_rest, struct proof *out)
{
	(void)h;
	proof_path(path_rest, out);
}

static int parse(
	const struct headers *h, const struct body_reader *body, struct delivery *d, struct err *e)
{
	struct reading r = {.fields = fields, .d = d};
	int n = reading_run(&r, h, body, e);

	if (n == 0)
		n = reading_image(&r, e);
	return reading_end(&r, n);
}

const struct provider provider_dockerhub = {
	.name = "dockerhub",
	.doc = "Docker Hub: the secret at the end of the address",
	.sent_by = sent_by,
	.proof = proof,
	.parse = parse,
};
