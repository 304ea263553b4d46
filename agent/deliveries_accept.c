/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/deliveries_internal.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "deploy-hooks/delivery.h"

/* A push that does not say of what is of the branch the app deploys. */
static void fill_ref(struct deploy *d, const struct deploy_app *a)
{
	const char *kind = deliveries_text(d->document, "kind");

	if (!*d->ref && a->branch && strcmp(kind, delivery_kind_name(DELIVERY_PUSH)) == 0)
		(void)snprintf(d->ref, sizeof(d->ref), "refs/heads/%s", a->branch);
}

/* Whether the image is the one that was pushed: "registry:5000/me/shop" is "me/shop" of its registry, or of the one it mirrors. */
static bool is_image_of(const char *image, const char *repository)
{
	size_t n = strlen(image), m = strlen(repository);

	return m == 0 || (n == m && strcasecmp(image, repository) == 0) ||
	       (n > m && image[n - m - 1] == '/' && strcasecmp(image + n - m, repository) == 0);
}

/* Only the tag is taken from the delivery: which image it is of is the owner's to say. 1: it is of another. */
static int fill_image(struct deploy *d, const struct deploy_app *a, struct err *e)
{
	const char *image = json_string_value(json_object_get(a->options, "image"));
	const char *slash = image ? strrchr(image, '/') : NULL;
	size_t folder = slash ? (size_t)(slash - image) : 0;
	_cleanup_(free_p) char *name = NULL;

	if (strcmp(deliveries_text(d->document, "kind"), delivery_kind_name(DELIVERY_IMAGE)) != 0)
		return 0;
	if (!image)
		return err_set(
			e, EINVAL, "app %s has no image: set apps.%s.image", a->name, a->name);
	name = str_ndup(image, folder + strcspn(image + folder, ":@"));
	if (!is_image_of(name, deliveries_text(d->document, "repository")))
		return 1;
	if (snprintf(d->new.image, sizeof(d->new.image), "%s:%s", name,
		    deliveries_text(d->document, "tag")) >= (int)sizeof(d->new.image))
		return err_set(e, EINVAL, "the name of the image is too long");
	return 0;
}

static int make_deploy(
	const struct deploy_app *a, const json_t *change, struct deploy **out, struct err *e)
{
	_cleanup_(deploy_free_p) struct deploy *d = deploy_new(a->name);
	int r = delivery_change_from_json(change, d, e);

	if (r < 0)
		return r;
	(void)str_copy(d->trigger, sizeof(d->trigger), "webhook");
	(void)str_copy(d->provider, sizeof(d->provider), a->webhook.provider->name);
	if (!*d->by)
		(void)str_copy(d->by, sizeof(d->by), d->provider);
	fill_ref(d, a);
	*out = TAKE_PTR(d);
	return 0;
}

/* With the words the web process answers by. */
static json_t *not_taken(
	struct deliveries *s, const json_t *request, const char *ref, int r, const struct err *e)
{
	bool is_full = r == -EAGAIN, is_wrong = r == -EINVAL || r == -ENOENT;

	if (!is_full && !is_wrong)
		log_error("deploys: what was delivered could not be queued: %s", e->msg);
	deliveries_note(s, request, is_full ? 429 : is_wrong ? 400 : 503, e->msg);
	return json_pack("{s:s, s:s, s:s}", "ref", ref, "outcome",
		is_full    ? "full"
		: is_wrong ? "refused"
			   : "failed",
		"why", e->msg);
}

/* What became of one change. */
static json_t *outcome(struct deliveries *s, const json_t *request, const struct deploy_app *a,
	const char *ref, struct deploy *deploy)
{
	_cleanup_(deploy_free_p) struct deploy *d = deploy;
	struct deploys_accepted got = {DEPLOYS_QUEUED, 0, 0};
	struct err e = {""};
	int r = fill_image(d, a, &e);

	if (r == 1)
		return json_pack("{s:s, s:s, s:s}", "ref", ref, "outcome", "skipped", "why",
			"it is another image");
	if (r == 0)
		r = s->o.accept(s->o.user, TAKE_PTR(d), &got, &e);
	if (r < 0)
		return not_taken(s, request, ref, r, &e);
	return json_pack("{s:s, s:I, s:s, s:I}", "ref", ref, "deploy", (json_int_t)got.id,
		"outcome", got.what == DEPLOYS_DUPLICATE ? "duplicate" : "queued", "superseded",
		(json_int_t)got.superseded);
}

int deliveries_accept(struct deliveries *s, const json_t *request, json_t **out, struct err *e)
{
	const json_t *changes = json_object_get(request, "changes");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const struct deploy_app *a = deliveries_app(s, deliveries_text(request, "app"));
		const json_t *change = json_array_get(changes, i);
		struct deploy *d = NULL;
		int r = a ? make_deploy(a, change, &d, e)
			  : err_set(e, EACCES, "there is no such app any more");

		if (r < 0) {
			json_decref(list);
			return r;
		}
		json_array_append_new(
			list, outcome(s, request, a, deliveries_text(change, "ref"), d));
	}
	*out = list;
	return 0;
}

static json_t *patterns(const char *const *list, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(j, json_string(list[i]));
	return j;
}

int deliveries_target(struct deliveries *s, const char *app, json_t **out, struct err *e)
{
	const struct deploy_app *a = deliveries_app(s, app);
	const struct filter *f = a ? &a->webhook.filter : NULL;

	if (!a)
		return err_set(e, ENOENT, "no app of that name takes deliveries");
	*out = json_pack("{s:s, s:o, s:o, s:o, s:b, s:s}", "provider", a->webhook.provider->name,
		"branches", patterns(f->branches, f->n_branches), "tags",
		patterns(f->tags, f->n_tags), "paths", patterns(f->paths, f->n_paths), "skip_ci",
		(int)f->skip_ci, "branch", a->branch ? a->branch : "");
	return 0;
}
