/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/replay_entities.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/client.h"
#include "agent/json_view.h"
#include "base/fs.h"
#include "base/str.h"
#include "collectors/rrd_layout.h"

static const char suffix[] = ".rrd";

struct walk {
	struct replay_entities *out;
	const struct entity_class *class;
	const char *folder; /* STATE/rrd */
};

static void add(const struct walk *w, const char *key, const char *file_name, const json_t *labels)
{
	struct entity *e = registry_get(w->out->registry, w->class, key);
	const char *name;
	json_t *value;

	if (!e)
		return;
	free(e->owner);
	e->owner = str_format("%s/%s", w->folder, file_name);
	/* The names live as long as the reply. */
	json_object_foreach((json_t *)(uintptr_t)labels, name, value)
		entity_label(e, name, json_string_value(value));
}

static void add_from_agent(struct replay_entities *out, const char *folder)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(out->reply, "entities"), i, e)
	{
		struct walk w = {out, entity_class_find(json_view_text(e, "class")), folder};
		char file_name[RRD_NAME_MAX];

		if (!w.class)
			continue;
		rrd_file_name(file_name, sizeof(file_name), w.class, json_view_text(e, "key"));
		add(&w, json_view_text(e, "key"), file_name, json_object_get(e, "labels"));
	}
}

static bool ask_agent(const char *state_dir, struct replay_entities *out)
{
	_cleanup_(client_close_p) struct client *client = NULL;

	if (client_open(state_dir, &client, NULL) < 0)
		return false;
	return client_call(client, json_pack("{s:s, s:b}", "op", "latest", "gone", 1), &out->reply,
		       NULL) == 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The key that a file is named after; of a very long one just the beginning. */
static void decode(char *name)
{
	char *to = name;

	for (const char *p = name; *p; p++) {
		int high = p[0] == '%' ? hex_digit(p[1]) : -1;
		int low = high >= 0 ? hex_digit(p[2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high * 16 + low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static int add_file(void *user, int dirfd, const char *name)
{
	const struct walk *w = user;
	_cleanup_(free_p) char *key = NULL;
	_cleanup_(free_p) char *file_name = NULL;

	(void)dirfd;
	if (!str_ends(name, suffix) || *name == '.')
		return 0;
	file_name = str_format("%s/%s", w->class->name, name);
	key = str_ndup(name, strlen(name) - strlen(suffix));
	decode(key);
	add(w, key, file_name, NULL);
	return 0;
}

static int add_from_files(struct replay_entities *out, const char *folder, struct err *e)
{
	int found = 0, r = 0;

	for (size_t i = 0; entity_classes[i]; i++) {
		struct walk w = {out, entity_classes[i], folder};
		_cleanup_(free_p) char *path = str_format("%s/%s", folder, w.class->name);

		r = fs_list(AT_FDCWD, path, add_file, &w, e);
		found += r >= 0;
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return found ? 0 : r;
}

int replay_entities_find(const char *state_dir, struct replay_entities *out, struct err *e)
{
	_cleanup_(free_p) char *folder = str_format("%s/rrd", state_dir);
	int r = 0;

	*out = (struct replay_entities){.registry = registry_new()};
	registry_begin(out->registry);
	out->from_agent = ask_agent(state_dir, out);
	if (out->from_agent)
		add_from_agent(out, folder);
	else
		r = add_from_files(out, folder, e);
	if (r < 0)
		replay_entities_done(out);
	return r;
}

void replay_entities_done(struct replay_entities *r)
{
	if (!r->registry)
		return;
	for (struct entity *e = registry_first(r->registry); e; e = e->next) {
		free(e->owner);
		e->owner = NULL;
	}
	registry_free(r->registry);
	json_decref(r->reply);
	*r = (struct replay_entities){.registry = NULL};
}
