/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/deliveries_internal.h"
#include "agent/secret.h"

struct secrets {
	struct buf texts[VERIFY_SECRETS_MAX];
	const char *list[VERIFY_SECRETS_MAX];
	size_t n;
};

static void secrets_done(struct secrets *s)
{
	for (size_t i = 0; i < VERIFY_SECRETS_MAX; i++) {
		if (s->texts[i].data)
			explicit_bzero(s->texts[i].data, s->texts[i].cap);
		buf_done(&s->texts[i]);
	}
}

/* Read for each delivery, so that a new one counts at once. One that cannot be read does not spoil the other: it may just be
 * replaced. */
static void read_secrets(struct deliveries *s, const struct deploy_app *a, struct secrets *out)
{
	struct err e = {""}, why = {""};
	char key[64];

	(void)snprintf(key, sizeof(key), "deploys.secret.%.40s", a->name);
	for (size_t i = 0; i < VERIFY_SECRETS_MAX; i++) {
		struct buf *b = &out->texts[i];

		buf_init(b, SECRET_MAX);
		if (!a->webhook.secret_files[i])
			continue;
		if (secret_read(a->webhook.secret_files[i], b, &e) < 0)
			why = e;
		else
			out->list[out->n++] = buf_str(b);
	}
	if (*why.msg)
		problem_set(s->o.problems, key,
			"app %s: a secret of its webhook cannot be read: %s", a->name, why.msg);
	else
		problem_clear(s->o.problems, key);
}

int deliveries_verify(struct deliveries *s, const char *app, const struct proof *proof, int body_fd,
	struct verify **out, bool *is_known, struct err *e)
{
	const struct deploy_app *a = deliveries_app(s, app);
	struct secrets secrets = {.n = 0};
	const char *const nobodys[] = {s->nobodys};
	int r;

	if (a)
		read_secrets(s, a, &secrets);
	*is_known = secrets.n > 0;
	if (*is_known)
		r = verify_new(proof, body_fd, secrets.list, secrets.n, out, e);
	else
		r = verify_new(proof, body_fd, nobodys, 1, out, e);
	secrets_done(&secrets);
	return r;
}
