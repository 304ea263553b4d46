/* SPDX-License-Identifier: Apache-2.0
 *
 * The real server becomes a replica of the throw-away one, gets all its data, and is made a master again. Three traps:
 *
 * A dump holds the replication id and offset of the server it was made on. The throw-away server offers those as its past,
 * and a server that has not written since then is told to go on where it was, without getting any data (PSYNC answered with
 * +CONTINUE). Becoming a replica and a master again takes that past away; that the whole was sent is checked as well.
 *
 * masterauth, masteruser and tls-replication are the running server's own: set for as long as this takes, and set back.
 *
 * What is only in memory is not restored: a server that keeps a file on disk has written it when this ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_redis.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	VALUE_MAX = 8192,
	CONNECT_MS = 60 * 1000, /* without anything that moves */
	TRIES_MAX = 3, /* a replica that cannot load what it got asks again, for ever */
};

struct setting {
	const char *name;
	bool changed;
	char was[VALUE_MAX];
};

static int set(const struct engine_call *c, struct setting *s, const char *value, struct err *e)
{
	int r = redis_config_get(c, s->name, s->was, sizeof(s->was), e);

	if (r == -ENOENT)
		return 0;
	if (r < 0 || strcmp(s->was, value) == 0)
		return r;
	r = redis_config_set(c, s->name, value, e);
	s->changed = r == 0;
	return r;
}

static void warn(const struct engine_call *c, const char *what, const struct err *why)
{
	struct err text;

	(void)err_set(&text, EINVAL, "%s: %.400s", what, why->msg);
	if (c->warn)
		c->warn(c->user, text.msg);
}

static void set_back(const struct engine_call *c, struct setting *s, size_t n)
{
	struct err why;

	for (size_t i = 0; i < n; i++) {
		if (s[i].changed && redis_config_set(c, s[i].name, s[i].was, &why) < 0)
			warn(c, "a setting could not be set back", &why);
		explicit_bzero(s[i].was, sizeof(s[i].was));
	}
}

/* --- the data */

static int forget_past(const struct redis_server *from, struct err *e)
{
	int r = redis_do(&from->call, "REPLICAOF 127.0.0.1 1", NULL, e);

	return r < 0 ? r : redis_do(&from->call, "REPLICAOF NO ONE", NULL, e);
}

static int64_t times_sent(const struct redis_server *from)
{
	struct redis_info i;
	int64_t n;

	if (redis_info_ask(&from->call, &i, NULL) < 0)
		return -1;
	n = redis_info_number(&i, "sync_full");
	redis_info_done(&i);
	return n;
}

/* 1: it has all; 0: not yet. *moves: something happens. */
static int look(const struct engine_call *c, bool *moves, struct err *e)
{
	struct redis_info i;
	int r = redis_info_ask(c, &i, e);

	/* A server that loads, and a worker that is in a hurry: asked again. */
	if (r < 0)
		return r == -ECANCELED ? r : 0;
	*moves = redis_info_number(&i, "loading") == 1 ||
		 redis_info_number(&i, "master_sync_in_progress") == 1;
	if (redis_info_is(&i, "role", "master"))
		r = err_set(e, EPROTO, "somebody made the server a master meanwhile");
	else
		r = redis_info_is(&i, "master_link_status", "up") && !*moves;
	redis_info_done(&i);
	return r;
}

static int wait_synchronised(
	const struct engine_call *c, const struct redis_server *from, struct err *e)
{
	int64_t moved_ms = clock_mono_ms();
	bool moves = false;
	int r;

	while ((r = look(c, &moves, e)) == 0) {
		if (moves)
			moved_ms = clock_mono_ms();
		if (clock_mono_ms() - moved_ms > CONNECT_MS)
			return err_set(e, ETIMEDOUT,
				"the server could not connect to the throw-away one beside it; is "
				"it really on %s?",
				place_title(c->place));
		if (times_sent(from) > TRIES_MAX)
			return err_set(e, EREMOTEIO,
				"the server could not load what the throw-away one sent; its log "
				"says why");
		r = redis_step(e);
		if (r < 0)
			return r;
	}
	if (r > 0 && times_sent(from) < 1)
		return err_set(e, EPROTO, "the server did not take the data");
	return r < 0 ? r : 0;
}

static int ask_keys(const struct engine_call *c, struct redis_keys *out, struct err *e)
{
	struct redis_info i;
	int r = redis_info_ask(c, &i, e);

	if (r < 0)
		return r;
	redis_info_keys(&i, out);
	redis_info_done(&i);
	return 0;
}

static int compare(const struct engine_call *c, const struct redis_server *from, struct err *e)
{
	struct redis_keys want, have;
	int r = ask_keys(&from->call, &want, e);

	if (r == 0)
		r = ask_keys(c, &have, e);
	if (r == 0 && want.lasting != have.lasting)
		r = err_set(e, EBADMSG, "%" PRId64 " lasting keys were sent, %" PRId64 " are there",
			want.lasting, have.lasting);
	return r;
}

static int follow(const struct engine_call *c, const struct redis_server *from, struct err *e)
{
	_cleanup_(free_p) char *command = str_format("REPLICAOF 127.0.0.1 %d", from->call.port);
	int r = redis_do(c, command, NULL, e);

	if (r == 0)
		r = wait_synchronised(c, from, e);
	return r < 0 ? r : compare(c, from, e);
}

/* After something went wrong on the way. */
static int state_now(const struct engine_call *c, const struct redis_server *from,
	const struct redis_keys *before, int r, const struct err *why, struct err *e)
{
	struct redis_keys now;
	struct err text;

	if (times_sent(from) == 0)
		return err_set(e, -r, "%.400s; what was in the server still is", why->msg);
	if (ask_keys(c, &now, &text) < 0)
		return err_set(e, EUCLEAN, "partial: %.300s; the server had %" PRId64 " keys",
			why->msg, before->keys);
	return err_set(e, EUCLEAN,
		"partial: %.300s; the server had %" PRId64 " keys, now it has %" PRId64, why->msg,
		before->keys, now.keys);
}

/* --- the disk */

static int wait_written(const struct engine_call *c, const char *busy, const char *scheduled,
	const char *status, struct err *e)
{
	int64_t until = clock_mono_ms() + REDIS_LONG_MS;
	struct redis_info i;
	bool ends = false, is_ok;
	int r;

	while (!ends) {
		r = redis_info_ask(c, &i, e);
		if (r < 0)
			return r;
		ends = redis_info_number(&i, busy) <= 0 && redis_info_number(&i, scheduled) <= 0;
		is_ok = redis_info_is(&i, status, "ok");
		redis_info_done(&i);
		if (ends)
			break;
		if (clock_mono_ms() > until)
			return err_set(e, ETIMEDOUT, "the server does not end writing its file");
		r = redis_step(e);
		if (r < 0)
			return r;
	}
	return is_ok ? 0 : err_set(e, EIO, "%s is not ok; the server's log says why", status);
}

/* One that is under way began with the old data, or without knowing of the new: only one begun now counts. */
static int save_snapshot(const struct engine_call *c, struct err *e)
{
	int r;

	(void)wait_written(c, "rdb_bgsave_in_progress", "", "rdb_last_bgsave_status", NULL);
	r = redis_do(c, "BGSAVE SCHEDULE", "Background saving ", e);
	if (r == 0)
		r = wait_written(c, "rdb_bgsave_in_progress", "", "rdb_last_bgsave_status", e);
	return err_wrap(e, r, "BGSAVE");
}

static int write_to_disk(const struct engine_call *c, struct err *e)
{
	char save[256] = "";
	struct redis_info i;
	bool has_aof;
	int r = redis_info_ask(c, &i, e);

	if (r < 0)
		return r;
	has_aof = redis_info_number(&i, "aof_enabled") == 1;
	redis_info_done(&i);
	r = redis_config_get(c, "save", save, sizeof(save), e);
	if (r < 0 && r != -EFBIG)
		return r;
	r = 0;
	if (has_aof)
		r = wait_written(c, "aof_rewrite_in_progress", "aof_rewrite_scheduled",
			"aof_last_bgrewrite_status", e);
	if (r == 0 && *save)
		r = save_snapshot(c, e);
	if (r == 0 && !has_aof && !*save && c->warn)
		c->warn(c->user,
			"this server keeps nothing on disk (save and appendonly are off): what was "
			"restored is gone when it restarts");
	return r;
}

/* --- all of it */

static int hand_over(const struct engine_call *c, struct redis_server *from,
	const struct redis_keys *before, struct err *e)
{
	struct err why = {""}, no_one;
	int r = follow(c, from, &why), back = redis_do(c, "REPLICAOF NO ONE", NULL, &no_one);

	if (back < 0)
		return err_set(e, EUCLEAN,
			"partial: the server is still a replica of the throw-away one: %.200s; run "
			"REPLICAOF NO ONE on it",
			no_one.msg);
	return r < 0 ? state_now(c, from, before, r, &why, e) : 0;
}

int redis_handover(const struct engine_call *c, struct redis_server *from, struct err *e)
{
	struct setting *s = calloc(3, sizeof(*s));
	struct redis_keys before;
	struct err why;
	int r;

	if (!s)
		abort();
	s[0].name = "masterauth";
	s[1].name = "masteruser";
	s[2].name = "tls-replication";
	r = forget_past(from, e);
	if (r == 0)
		r = ask_keys(c, &before, e);
	if (r == 0)
		r = set(c, &s[0], from->password, e);
	if (r == 0)
		r = set(c, &s[1], "", e);
	if (r == 0)
		r = set(c, &s[2], "no", e);
	if (r == 0)
		r = hand_over(c, from, &before, e);
	set_back(c, s, 3);
	free(s);
	if (r < 0)
		return r;
	r = write_to_disk(c, &why);
	if (r < 0)
		return err_set(e, EUCLEAN,
			"partial: all keys are in the server's memory, but not on its disk: %.300s",
			why.msg);
	return 0;
}

int redis_heal(const struct engine_call *c, struct err *e)
{
	char password[VALUE_MAX] = "";
	struct redis_info i;
	bool is_left;
	int r = redis_info_ask(c, &i, e);

	if (r < 0)
		return r;
	is_left = redis_info_is(&i, "role", "slave") &&
		  redis_info_is(&i, "master_host", "127.0.0.1") &&
		  redis_info_is(&i, "master_link_status", "down");
	redis_info_done(&i);
	if (!is_left || redis_config_get(c, "masterauth", password, sizeof(password), NULL) < 0 ||
		!str_starts(password, REDIS_MARK))
		return 0;
	r = redis_do(c, "REPLICAOF NO ONE", NULL, e);
	if (r == 0)
		r = redis_config_set(c, "masterauth", "", e);
	if (r == 0 && c->warn)
		c->warn(c->user, "a restore that was killed had left this server a replica of "
				 "nothing: it is "
				 "a master again; its masterauth is empty now until it restarts");
	return r;
}
