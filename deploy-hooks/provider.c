/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/provider.h"

#include <string.h>

#include "base/str.h"

const struct provider *const providers[] = {
	&provider_bitbucket,
	&provider_dockerhub,
	&provider_forgejo,
	&provider_generic,
	&provider_ghcr,
	&provider_gitea,
	&provider_github,
	&provider_gitlab,
	&provider_gogs,
	NULL,
};

const struct provider *provider_find(const char *name)
{
	for (size_t i = 0; providers[i]; i++)
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	return NULL;
}

const struct provider *provider_guess(const struct headers *h)
{
	/* The event header that only this one sends, and those it resembles do not. */
	static const struct {
		const char *header;
		const struct provider *provider;
	} rows[] = {
		{"X-Forgejo-Event", &provider_forgejo},
		{"X-Gitea-Event", &provider_gitea},
		{"X-Gogs-Event", &provider_gogs},
		{"X-Gitlab-Event", &provider_gitlab},
		{"X-Event-Key", &provider_bitbucket},
		{"X-GitHub-Event", &provider_github},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (headers_one(h, rows[i].header))
			return rows[i].provider;
	return NULL;
}

const char *headers_one(const struct headers *h, const char *name)
{
	bool twice = false;
	const char *value = h->get(h->user, name, &twice);

	return twice ? NULL : value;
}

void provider_delivery_id(
	struct delivery *d, const struct headers *h, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *id = headers_one(h, names[i]);

		if (!id)
			continue;
		if (delivery_id_is_valid(id))
			(void)str_copy(d->id, sizeof(d->id), id);
		return;
	}
}
