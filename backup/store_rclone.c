/* SPDX-License-Identifier: Apache-2.0
 *
 * Any remote that rclone knows as a store; its parts live in rclone_*.c.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/rclone.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum { PAUSE_MS = 500 };
#define PROBE_KEY ".agent-probe-"

/* On remotes with folders the last object of one leaves it empty. */
static void tidy(struct rclone *s, const char *key)
{
	static const char *const words[] = {"rmdir", NULL};
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	_cleanup_(free_p) char *folder = str_dup(key);
	char *slash = strrchr(folder, '/');

	if (!slash || rclone_ask_features(s, NULL) < 0 || !s->has_folders)
		return;
	*slash = '\0';
	rclone_path(s, folder, &path);
	(void)rclone_run(s, words, buf_str(&path), NULL, NULL);
}

int rclone_remove(struct store *store, const char *key, struct err *e)
{
	static const char *const words[] = {"deletefile", NULL};
	struct rclone *s = (struct rclone *)store;
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	struct rclone_object there;
	struct err why = {""};
	int r;

	rclone_path(s, key, &path);
	r = rclone_run(s, words, buf_str(&path), NULL, &why);
	/* What it says of an object that is not there differs from one version to the next. */
	if (r < 0 && rclone_stat(s, key, false, &there, NULL) == -ENOENT)
		r = 0;
	if (r < 0)
		return err_set(e, -r, "%s: %.400s", key, why.msg);
	tidy(s, key);
	return 0;
}

/* On S3 and its like: an upload in parts that was begun and not ended, as a killed program leaves it. Its age is told by two clocks,
 * which may differ; nobody else uses the key. Kinds that know no such command have no such parts. */
static int remove_parts(struct rclone *s, const char *key, struct err *e)
{
	static const char *const words[] = {"backend", "cleanup", "--option=max-age=-24h", NULL};
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	struct err why = {""};
	int r = rclone_ask_features(s, e);

	if (r < 0 || !s->has_parts)
		return r;
	rclone_path(s, key, &path);
	r = rclone_run(s, words, buf_str(&path), NULL, &why);
	if (r < 0 && strstr(why.msg, "command not found"))
		return 0;
	return r < 0 ? err_set(e, -r, "%s: %.400s", key, why.msg) : 0;
}

int rclone_abandon(struct store *store, const char *key, const char *token, struct err *e)
{
	int r = remove_parts((struct rclone *)store, key, e);

	(void)token;
	return r < 0 ? r : rclone_remove(store, key, e);
}

/* --- the doctor */

static bool check_program(struct rclone *s, store_check_fn fn, void *user)
{
	static const char *const words[] = {"version", NULL};
	_cleanup_(buf_done) struct buf text = BUF_INIT(16 * 1024);
	struct err why = {""};
	int r = place_has(s->place, "rclone")
			? rclone_run(s, words, NULL, &text, &why)
			: err_set(&why, ENOENT, "the program rclone is not there");

	if (r == 0 && text.data)
		text.data[strcspn(text.data, "\n")] = '\0';
	fn(user, "program", r == 0, r == 0 ? buf_str(&text) : why.msg,
		r == 0 ? NULL : "install the package rclone");
	return r == 0;
}

static bool check_kind(struct rclone *s, store_check_fn fn, void *user)
{
	struct err why = {""};

	if (rclone_ask_features(s, &why) < 0) {
		fn(user, "remote", false, why.msg, "look at it with rclone config");
		return false;
	}
	fn(user, "remote", s->takes_streams, s->remote,
		s->takes_streams ? NULL
				 : "choose another kind: this one takes no object of unknown size");
	fn(user, "checksums", true, s->hash ? s->hash : "this kind keeps none: sizes are compared",
		NULL);
	return s->takes_streams;
}

static int check_probe(struct rclone *s, const char *key, struct err *e)
{
	static const char text[] = "a test of the agent; it can be removed\n";
	_cleanup_(buf_done) struct buf back = BUF_INIT(1024);
	int r = store_put(&s->store, key, text, sizeof(text) - 1, NULL, e);

	if (r == 0)
		r = store_get(&s->store, key, &back, e);
	if (r == 0 && strcmp(buf_str(&back), text) != 0)
		r = err_set(e, EBADMSG, "what was read is not what was written");
	return r;
}

int rclone_check(struct store *store, store_check_fn fn, void *user, struct err *e)
{
	struct rclone *s = (struct rclone *)store;
	struct journal *journal = s->journal;
	struct err why = {""};
	char hex[7], key[40];
	int r;

	(void)e;
	if (!check_program(s, fn, user) || !check_kind(s, fn, user))
		return 0;
	args_random_hex(hex);
	(void)snprintf(key, sizeof(key), PROBE_KEY "%s", hex);
	s->journal = NULL;
	r = check_probe(s, key, &why);
	s->journal = journal;
	fn(user, "write and read", r == 0, r == 0 ? "an object came back as it was" : why.msg,
		r == 0 ? NULL : "let the remote's user write and read there");
	if (r < 0)
		return 0;
	r = rclone_remove(store, key, &why);
	fn(user, "delete", r == 0 || !store->may_delete, r == 0 ? "it could be removed" : why.msg,
		r == 0 ? NULL
		       : "let the remote's user delete there, or set delete = \"lifecycle\"");
	return 0;
}

/* --- settings */

static const char *text_of(const json_t *settings, const char *name)
{
	return json_string_value(json_object_get(settings, name));
}

/* Of the configuration file: what stands in the arguments can be read by anybody on this host, so no remote is described there. */
int rclone_check_remote(const char *remote, struct err *e)
{
	size_t name = strcspn(remote, ":");

	if (remote[name] != ':' || name == 0)
		return err_set(e, EINVAL,
			"remote: must be REMOTE:PATH, with a remote of rclone's "
			"configuration");
	if (strlen(remote) > 1024)
		return err_set(e, EINVAL, "remote: it is longer than 1024 characters");
	for (size_t i = 0; i < name; i++)
		if (!isalnum((unsigned char)remote[i]) && !strchr("_-. +@", remote[i]))
			return err_set(e, EINVAL,
				"remote: the name of a remote has letters, digits and _-.+@ only; "
				"options belong into rclone's configuration");
	if (remote[0] == '-' || remote[0] == ' ')
		return err_set(e, EINVAL, "remote: a name does not begin so");
	if (strstr(remote + name, "/../") || str_ends(remote, "/.."))
		return err_set(e, EINVAL, "remote: a path without \"..\"");
	return 0;
}

static int rclone_check_settings(const json_t *settings, struct err *e)
{
	const char *remote = text_of(settings, "remote"), *prefix = text_of(settings, "prefix");

	if (!remote || !*remote)
		return err_set(e, EINVAL, "remote: is missing");
	if (prefix && (*prefix == '/' || strstr(prefix, "..") || strlen(prefix) > 256))
		return err_set(
			e, EINVAL, "prefix: at most 256 characters, no slash in front, no \"..\"");
	return rclone_check_remote(remote, e);
}

static void rclone_free(struct store *store)
{
	struct rclone *s = (struct rclone *)store;

	place_free(s->place);
	free(s);
}

static int rclone_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e)
{
	static const struct store_ops ops = {.upload = rclone_upload,
		.read = rclone_read,
		.list = rclone_list,
		.remove = rclone_remove,
		.abandon = rclone_abandon,
		.check = rclone_check,
		.free = rclone_free};
	const char *delete = text_of(settings, "delete"),
		   *config = text_of(settings, "config_file");
	const json_t *pause;
	struct rclone *s;
	int r = rclone_check_settings(settings, e);

	if (r == 0 && config)
		r = err_wrap(e, fs_check_secret(AT_FDCWD, config, e), "config_file");
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->store.ops = &ops;
	s->store.name = text_of(settings, "name");
	s->store.may_delete = !delete || strcmp(delete, "lifecycle") != 0;
	s->remote = text_of(settings, "remote");
	s->prefix = text_of(settings, "prefix");
	s->prefix = s->prefix ? s->prefix : "";
	s->config_file = config;
	s->journal = c->journal;
	pause = json_object_get(settings, "retry_base_ms");
	s->pause_ms = pause ? (int)json_integer_value(pause) : PAUSE_MS;
	r = place_host(&s->place, e);
	if (r < 0)
		free(s);
	else
		*out = &s->store;
	return r;
}

const struct store_type store_rclone = {
	.name = "rclone", .open = rclone_open, .check_settings = rclone_check_settings};
