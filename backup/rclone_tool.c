/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backup/rclone.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

void rclone_path(const struct rclone *s, const char *key, struct buf *out)
{
	size_t n = strlen(s->remote);

	buf_adds(out, s->remote);
	if (s->remote[n - 1] != ':' && s->remote[n - 1] != '/' && (*s->prefix || *key))
		buf_addc(out, '/');
	buf_addf(out, "%s%s", s->prefix, key);
}

void rclone_command(const struct rclone *s, struct args *a, const char *const *words)
{
	/* One try of the whole: what can be tried again is tried by rclone call by call, and by us. */
	static const char *const always[] = {"--ask-password=false", "--retries=1",
		"--low-level-retries=20", "--contimeout=30s", "--timeout=5m", "--log-level=ERROR",
		"--use-server-modtime", NULL};

	args_add(a, "rclone");
	args_add_all(a, words);
	args_add_all(a, always);
	if (s->config_file)
		args_addf(a, "--config=%s", s->config_file);
}

static int translate_words(const char *msg, int r, const char **cure)
{
	static const struct {
		const char *words;
		int code;
		const char *cure;
	} rows[] = {
		{"didn't find section in config file", EINVAL,
			"the configuration has no remote of that name: rclone listremotes shows "
			"those there are"},
		{"couldn't decrypt configuration", EINVAL,
			"the configuration file is encrypted: remove its password, and close the "
			"file to others"},
		{"unable to decrypt configuration", EINVAL,
			"the configuration file is encrypted: remove its password, and close the "
			"file to others"},
		{"AccessDenied", EPERM, "the remote does not let us"},
		{"ermission denied", EPERM, "the remote does not let us"},
		{"403 Forbidden", EPERM, "the remote does not let us"},
		{"InvalidAccessKeyId", EACCES, "check the keys in rclone's configuration"},
		{"SignatureDoesNotMatch", EACCES, "check the keys in rclone's configuration"},
		{"no space left on device", ENOSPC, "keep fewer backups, or make room"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strstr(msg, rows[i].words)) {
			*cure = rows[i].cure;
			return -rows[i].code;
		}
	}
	return r;
}

/* The documented ones: 3 no such folder, 4 no such file, 5 worth another try, 7 fatal. */
int rclone_translate(int r, struct err *e)
{
	const char *cure = NULL;
	int status = 0;
	struct err was;

	if (!e || (r != -EREMOTEIO && r != -EPIPE))
		return r;
	if (sscanf(e->msg, "rclone: exit status %d", &status) == 1 && (status == 3 || status == 4))
		return -ENOENT;
	r = translate_words(e->msg, r, &cure);
	if (!cure)
		return r;
	was = *e;
	return err_set(e, -r, "%.*s; %s", (int)(sizeof(was.msg) - strlen(cure) - 3), was.msg, cure);
}

int rclone_run(const struct rclone *s, const char *const *words, const char *path, struct buf *out,
	struct err *e)
{
	struct args argv = {NULL, 0};
	struct place_command command = {.cwd = "/"};
	struct err why = {""};
	int r;

	rclone_command(s, &argv, words);
	if (path)
		args_add(&argv, path);
	command.argv = args_list(&argv);
	r = place_run(s->place, &command, stop_is_held() ? RCLONE_CLEAN_UP_MS : RCLONE_DEADLINE_MS,
		out, &why);
	args_done(&argv);
	r = rclone_translate(r, &why);
	if (r < 0 && e)
		*e = why;
	return r;
}

/* --- what the remote can */

static bool has_hash(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(
		list, i, item) if (json_string_value(item) &&
				   strcmp(json_string_value(item), name) == 0) return true;
	return false;
}

int rclone_read_features(const char *text, struct rclone *s, struct err *e)
{
	/* The one that costs least first. */
	static const char *const hashes[] = {"sha256", "sha1", "md5"};
	json_t *j = json_loads(text, 0, NULL);
	const json_t *features = json_object_get(j, "Features");

	if (!json_is_object(features)) {
		json_decref(j);
		return err_set(e, EBADMSG, "rclone does not say what the remote can");
	}
	s->takes_streams = json_is_true(json_object_get(features, "PutStream"));
	s->has_folders = json_is_true(json_object_get(features, "CanHaveEmptyDirectories"));
	s->has_parts = json_is_true(json_object_get(features, "CleanUp"));
	s->hash = NULL;
	for (size_t i = 0; i < ARRAY_LEN(hashes) && !s->hash; i++)
		if (has_hash(json_object_get(j, "Hashes"), hashes[i]))
			s->hash = hashes[i];
	s->is_known = true;
	json_decref(j);
	return 0;
}

int rclone_ask_features(struct rclone *s, struct err *e)
{
	static const char *const words[] = {"backend", "features", NULL};
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024 * 1024);
	int r;

	if (s->is_known)
		return 0;
	if (!place_has(s->place, "rclone"))
		return err_set(e, ENOENT,
			"the program rclone is not there; install the package "
			"rclone");
	r = rclone_run(s, words, s->remote, &text, e);
	return r < 0 ? r : rclone_read_features(buf_str(&text), s, e);
}

/* --- one object */

/* "2026-11-21T15:42:09.908462045Z", or with +01:00 for the Z; 0 when it is none. */
static int64_t read_time(const char *text)
{
	struct tm tm = {.tm_isdst = 0};
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0, minutes = 0;
	char sign = '+';

	if (!p)
		return 0;
	p += *p == '.' ? 1 + strspn(p + 1, "0123456789") : 0;
	if (*p != 'Z' && sscanf(p, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
		return 0;
	return ((int64_t)timegm(&tm) -
		       (sign == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60)) *
	       1000;
}

int rclone_read_object(const json_t *j, const char *hash, struct rclone_object *out, struct err *e)
{
	const json_t *size = json_object_get(j, "Size");
	const char *time = json_string_value(json_object_get(j, "ModTime"));
	const char *sum =
		hash ? json_string_value(json_object_get(json_object_get(j, "Hashes"), hash))
		     : NULL;

	if (!json_is_integer(size) || json_is_true(json_object_get(j, "IsDir")))
		return err_set(e, ENOENT, "it is no object");
	if (json_integer_value(size) < 0)
		return err_set(e, EBADMSG, "the remote does not know its size");
	memset(out, 0, sizeof(*out));
	out->bytes = json_integer_value(size);
	out->modified_ms = time ? read_time(time) : 0;
	if (sum)
		(void)str_copy(out->hash, sizeof(out->hash), sum);
	return 0;
}

int rclone_stat(
	struct rclone *s, const char *key, bool with_hash, struct rclone_object *out, struct err *e)
{
	const char *plain[] = {"lsjson", "--stat", "--no-mimetype", NULL};
	const char *hashed[] = {
		"lsjson", "--stat", "--no-mimetype", "--hash", "--hash-type", s->hash, NULL};
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 * 1024), path = BUF_INIT(4096);
	bool hash = with_hash && s->hash;
	json_t *j;
	int r;

	rclone_path(s, key, &path);
	r = rclone_run(s, hash ? hashed : plain, buf_str(&path), &text, e);
	if (r < 0)
		return err_wrap(e, r, "%s", key);
	/* Of what is not there some remotes say "null". */
	j = json_loads(buf_str(&text), JSON_DECODE_ANY, NULL);
	r = rclone_read_object(j, hash ? s->hash : NULL, out, e);
	json_decref(j);
	return err_wrap(e, r, "%s", key);
}
