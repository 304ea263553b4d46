/* SPDX-License-Identifier: Apache-2.0
 *
 * One operation of a store (backup/store.h), for tests that look at a real server meanwhile:
 *
 *   store_driver SETTINGS.json put KEY [EXPECTED_BYTES]     stdin
 *                              get KEY [OFFSET [BYTES]]     to stdout
 *                              list PREFIX | unfinished PREFIX | remove KEY | abandon KEY TOKEN | check
 *
 * The journal's notes go to stderr, results as JSON lines to stdout. Exit status 0, or 1 with "ERRNO: message" on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/secret.h"
#include "backup/journal.h"
#include "backup/stop.h"
#include "backup/store.h"

enum { PIECE_BYTES = 65536 };

/* Instead of the real one: the tests read here what is noted, and when. */
int journal_note(
	struct journal *j, const char *store, const char *key, const char *token, struct err *e)
{
	(void)j, (void)e;
	(void)fprintf(stderr, "note %s %s %s\n", store, key, token);
	return 0;
}

static int show(void *user, const struct store_object *o)
{
	json_t *j = json_pack("{s:s, s:I, s:I, s:s}", "key", o->key, "bytes", (json_int_t)o->bytes,
		"modified_ms", (json_int_t)o->modified_ms, "etag", o->etag);

	(void)user;
	(void)json_dumpf(j, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(j);
	return 0;
}

static void show_check(void *user, const char *what, bool ok, const char *text, const char *cure)
{
	json_t *j = json_pack(
		"{s:s, s:b, s:s, s:s?}", "what", what, "ok", ok, "text", text, "cure", cure);

	(void)user;
	(void)json_dumpf(j, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(j);
}

/* As a run does it: the uploads move on while the dump is waited for. */
static int pump(struct net *net, struct upload *u, struct err *e)
{
	char piece[PIECE_BYTES];
	ssize_t n;
	int r;

	for (;;) {
		r = net_wait(net, STDIN_FILENO, -1, e);
		if (r < 0)
			return r;
		n = read(STDIN_FILENO, piece, sizeof(piece));
		if (n < 0)
			return err_sys(e, "stdin");
		if (n == 0)
			return sink_finish(&u->sink, e);
		r = sink_write(&u->sink, piece, (size_t)n, e);
		if (r < 0)
			return r;
	}
}

static int put(struct net *net, struct store *s, char **argv, struct err *e)
{
	struct upload_options o = {.expected_bytes = argv[1] ? atoll(argv[1]) : 0};
	struct store_object made;
	struct upload *u;
	int r = s->ops->upload(s, argv[0], &o, &u, e);

	if (r < 0)
		return r;
	(void)fprintf(stderr, "room %" PRId64 "\n", u->room);
	r = pump(net, u, e);
	if (r == 0)
		r = upload_commit(u, &made, e);
	upload_free(u);
	return r < 0 ? r : show(NULL, &made);
}

static int get(struct store *s, char **argv, struct err *e)
{
	int64_t offset = argv[1] ? atoll(argv[1]) : 0;
	int64_t bytes = argv[1] && argv[2] ? atoll(argv[2]) : -1;
	char piece[PIECE_BYTES];
	struct reader *reader;
	ssize_t n = s->ops->read(s, argv[0], offset, bytes, &reader, e);

	if (n < 0)
		return (int)n;
	while ((n = reader_read(reader, piece, sizeof(piece), e)) > 0)
		(void)fwrite(piece, 1, (size_t)n, stdout);
	reader_free(reader);
	return (int)n;
}

static int run(struct net *net, struct store *s, char **argv, struct err *e)
{
	const char *what = argv[0];

	if (strcmp(what, "put") == 0)
		return put(net, s, argv + 1, e);
	if (strcmp(what, "get") == 0)
		return get(s, argv + 1, e);
	if (strcmp(what, "list") == 0)
		return s->ops->list(s, argv[1], show, NULL, e);
	if (strcmp(what, "unfinished") == 0)
		return s->ops->unfinished(s, argv[1], show, NULL, e);
	if (strcmp(what, "remove") == 0)
		return s->ops->remove(s, argv[1], e);
	if (strcmp(what, "abandon") == 0)
		return s->ops->abandon(s, argv[1], argv[2], e);
	if (strcmp(what, "check") == 0)
		return s->ops->check(s, show_check, NULL, e);
	return err_set(e, EINVAL, "%s?", what);
}

int main(int argc, char **argv)
{
	json_t *settings = argc > 2 ? json_load_file(argv[1], 0, NULL) : NULL;
	struct err e = {.msg = ""};
	struct store_context c = {.secret_read = secret_read_text,
		.journal = getenv("NO_JOURNAL") ? NULL : (struct journal *)(void *)argv};
	struct store *s = NULL;
	int r;

	if (!settings)
		return 2;
	c.bandwidth_bytes = json_integer_value(json_object_get(settings, "bandwidth"));
	stop_install();
	r = net_new(&c.net, &e);
	if (r == 0)
		r = store_open(settings, &c, &s, &e);
	if (r == 0)
		r = run(c.net, s, argv + 2, &e);
	if (r < 0)
		(void)fprintf(stderr, "%d: %s\n", -r, e.msg);
	store_free(s);
	net_free(c.net);
	json_decref(settings);
	return r < 0 ? 1 : 0;
}
