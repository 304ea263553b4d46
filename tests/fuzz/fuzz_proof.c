/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers of a stranger: a line "PROVIDER PATH", then a header a line. What the web process finds in them the daemon must
 * hear as it was, and never as more.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "deploy-hooks/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 32 };

struct input {
	char *names[HEADERS_MAX], *values[HEADERS_MAX];
	size_t n;
};

static const char *header(void *user, const char *name, bool *twice)
{
	const struct input *in = user;
	const char *first = NULL;

	*twice = false;
	for (size_t i = 0; i < in->n; i++) {
		if (strcasecmp(in->names[i], name) != 0)
			continue;
		*twice = first != NULL;
		first = first ? first : in->values[i];
	}
	return first;
}

static void split(char *text, struct input *in)
{
	char *rest = text, *line;

	while (in->n < HEADERS_MAX && (line = strsep(&rest, "\n"))) {
		char *colon = strstr(line, ": ");

		if (!colon)
			continue;
		*colon = '\0';
		in->names[in->n] = line;
		in->values[in->n++] = colon + 2;
	}
}

static void check(const struct provider *p, const struct headers *h, const char *path)
{
	struct proof found = {.kind = PROOF_NONE}, told;
	json_t *j;
	int r;

	p->proof(h, path, &found);
	j = proof_to_json(&found);
	r = proof_from_json(j, &told, NULL);
	json_decref(j);
	assert(r == 0);
	if (told.kind == PROOF_NONE)
		return;
	assert(told.kind == found.kind && strcmp(told.value, found.value) == 0);
	assert(strcmp(told.id, found.id) == 0 && told.timestamp_s == found.timestamp_s);
	assert(told.signs_field == found.signs_field);
	assert(*told.value || told.kind == PROOF_HMAC_SHA1); /* which nobody takes */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size), *rest = text;
	char *line = strsep(&rest, "\n");
	char *path = strchr(line, ' ');
	struct input in = {.n = 0};
	const struct headers h = {header, &in};
	const struct provider *p;

	if (path)
		*path++ = '\0';
	p = provider_find(line);
	if (rest)
		split(rest, &in);
	if (p)
		check(p, &h, path);
	free(text);
	return 0;
}
