/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliveries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/deliveries_internal.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

/* One that is being checked. */
struct job {
	struct verify *verify;
	json_t *request;
	bool is_known; /* else it is refused in the end, whatever comes out */
	deliveries_done_fn done;
	void *user;
	struct job *next;
};

static void job_free(struct job *j)
{
	if (!j)
		return;
	verify_free(j->verify);
	json_decref(j->request);
	free(j);
}

const char *deliveries_text(const json_t *request, const char *name)
{
	const char *s = json_string_value(json_object_get(request, name));

	return s ? s : "";
}

const struct deploy_app *deliveries_app(const struct deliveries *s, const char *name)
{
	const struct deploy_config *c = s->o.config(s->o.user);
	const struct deploy_app *a = c ? deploy_config_app(c, name) : NULL;

	return a && a->webhook.provider && a->webhook.secret_files[0] ? a : NULL;
}

void deliveries_note(struct deliveries *s, const json_t *request, unsigned status, const char *why)
{
	const struct deploy_app *a = deliveries_app(s, deliveries_text(request, "app"));
	const struct delivery_refusal r = {.app = deliveries_text(request, "app"),
		.is_known = a != NULL,
		.peer = deliveries_text(request, "peer"),
		.provider = a ? a->webhook.provider->name : "",
		.event = deliveries_text(request, "event"),
		.status = status,
		.why = a ? why : "no app of that name takes deliveries"};

	delivery_refusals_note(s->refusals, &r, clock_wall_ms());
}

/* The same words for whoever has no proof. */
static int refuse(struct err *e)
{
	return err_set(e, EACCES, "the delivery could not be verified");
}

static int refuse_and_note(
	struct deliveries *s, const json_t *request, const struct err *why, struct err *e)
{
	deliveries_note(s, request, 401, why->msg);
	return refuse(e);
}

/* It was sent by who knows the secret. */
static void proved(struct deliveries *s, struct job *j)
{
	const char *why = deliveries_text(j->request, "why");
	json_int_t status = json_integer_value(json_object_get(j->request, "status"));
	struct err e = {""};
	json_t *deploys = NULL;
	int r;

	if (*why)
		deliveries_note(s, j->request, (unsigned)status, why);
	r = deliveries_accept(s, j->request, &deploys, &e);
	j->done(j->user, r, &e, deploys);
	json_decref(deploys);
}

static void judged(struct deliveries *s, struct job *j, int r, const struct err *why)
{
	struct err e = *why;

	if (r == 0 && j->is_known && deliveries_app(s, deliveries_text(j->request, "app"))) {
		proved(s, j);
		return;
	}
	if (r == 0 || r == -EACCES || r == -ETIME || r == -E2BIG)
		r = refuse_and_note(s, j->request, why, &e);
	else
		log_error("deploys: a delivery could not be checked: %s", why->msg);
	j->done(j->user, r, &e, NULL);
}

static struct job *take_first(struct deliveries *s)
{
	struct job *j = s->first;

	s->first = j->next;
	if (!s->first)
		s->last = NULL;
	j->next = NULL;
	return j;
}

static void add_last(struct deliveries *s, struct job *j)
{
	if (s->last)
		s->last->next = j;
	else
		s->first = j;
	s->last = j;
	loop_timer_after(s->turn, 0);
}

/* One slice of the one that waits longest. */
static void on_turn(void *user)
{
	struct deliveries *s = user;
	struct job *j = take_first(s);
	struct err e = {""};
	int r = verify_step(j->verify, time(NULL), &e);

	if (r == 1) {
		add_last(s, j);
		return;
	}
	if (s->first)
		loop_timer_after(s->turn, 0);
	s->n--;
	judged(s, j, r, &e);
	job_free(j);
}

/* Reading another kind of file could block the daemon, and a web process that was taken over sends what it likes. */
static int check_body(int fd, struct err *e)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EBADMSG, "there is no body, or it is no file");
	return 0;
}

int deliveries_take(struct deliveries *s, const json_t *request, int body_fd,
	deliveries_done_fn done, void *user, struct err *e)
{
	_cleanup_(close_p) int fd = body_fd;
	struct proof proof = {.kind = PROOF_NONE};
	struct verify *v = NULL;
	struct err why = {""};
	bool is_known;
	struct job *j;
	int r = proof_from_json(json_object_get(request, "proof"), &proof, e);

	if (r == 0)
		r = check_body(fd, e);
	if (r == 0 && s->n == DELIVERIES_AT_ONCE)
		r = err_set(e, EAGAIN, "too many deliveries are being checked");
	if (r < 0)
		return r;
	r = deliveries_verify(
		s, deliveries_text(request, "app"), &proof, take_fd(&fd), &v, &is_known, &why);
	explicit_bzero(&proof, sizeof(proof));
	if (r < 0)
		return refuse_and_note(s, request, &why, e);
	j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	*j = (struct job){v, json_deep_copy(request), is_known, done, user, NULL};
	/* Not needed any more, and may be a secret. */
	(void)json_object_del(j->request, "proof");
	s->n++;
	add_last(s, j);
	return 0;
}

int deliveries_new(const struct deliveries_options *o, struct deliveries **out, struct err *e)
{
	struct deliveries *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	s->o = *o;
	s->turn = loop_timer_new(o->loop, on_turn, s);
	random_hex(s->nobodys, (sizeof(s->nobodys) - 1) / 2);
	r = delivery_refusals_open(o->loop, o->db, &s->refusals, e);
	if (r < 0) {
		deliveries_free(s);
		return r;
	}
	*out = s;
	return 0;
}

void deliveries_free(struct deliveries *s)
{
	if (!s)
		return;
	while (s->first)
		job_free(take_first(s));
	delivery_refusals_free(s->refusals);
	loop_timer_free(s->turn);
	free(s);
}

void deliveries_turned_away(struct deliveries *s, const json_t *request)
{
	json_int_t status = json_integer_value(json_object_get(request, "status"));

	deliveries_note(s, request, (unsigned)status, deliveries_text(request, "why"));
}

int deliveries_refused(struct deliveries *s, size_t limit, json_t **out, struct err *e)
{
	return delivery_refusals_list(s->refusals, limit, out, e);
}
