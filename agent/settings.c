/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n, size);
	if (!p)
		abort();
	return p;
}

static void clear_values(struct setting *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->values[i]);
	free(s->values);
	free(s->numbers);
	free(s->origin);
	s->values = NULL;
	s->numbers = NULL;
	s->origin = NULL;
	s->n = 0;
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		clear_values(&s->list[i]);
		free(s->list[i].name);
	}
	free(s->list);
	*s = (struct settings){NULL, 0, 0};
}

size_t settings_position(const struct settings *s, const char *name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(s->list[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct setting *settings_find(const struct settings *s, const char *name)
{
	size_t i = settings_position(s, name);

	return i < s->n && strcmp(s->list[i].name, name) == 0 ? &s->list[i] : NULL;
}

struct setting *settings_put(struct settings *s, const char *name, const struct option *option,
	const char *origin, bool chosen)
{
	size_t i = settings_position(s, name);
	struct setting *found;

	if (i == s->n || strcmp(s->list[i].name, name) != 0) {
		if (s->n == s->max) {
			s->max = s->max ? s->max * 2 : 32;
			s->list = grow(s->list, s->max, sizeof(*s->list));
		}
		memmove(&s->list[i + 1], &s->list[i], (s->n - i) * sizeof(*s->list));
		s->n++;
		s->list[i] = (struct setting){.name = str_dup(name)};
	}
	found = &s->list[i];
	clear_values(found);
	found->option = option;
	found->origin = str_dup(origin);
	found->chosen = chosen;
	return found;
}

void setting_add(struct setting *s, const char *value, int64_t number)
{
	s->values = grow(s->values, s->n + 1, sizeof(*s->values));
	s->numbers = grow(s->numbers, s->n + 1, sizeof(*s->numbers));
	s->values[s->n] = str_dup(value);
	s->numbers[s->n++] = number;
}

bool setting_equal(const struct setting *a, const struct setting *b)
{
	if (a->option != b->option || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->values[i], b->values[i]) != 0)
			return false;
	return true;
}
