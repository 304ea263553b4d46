/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/columns.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { GAP = 2, NOTE_MAX = 2000 };

struct row {
	char *cells[COLUMNS_MAX];
	char *notes; /* with line ends between; NULL: none */
	size_t styled;
	enum term_style style;
};

struct columns {
	const char *const *heads;
	size_t n_columns;
	struct row *rows;
	size_t n_rows;
};

struct columns *columns_new(const char *const *heads)
{
	struct columns *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->heads = heads;
	while (heads[c->n_columns])
		c->n_columns++;
	assert(c->n_columns && c->n_columns <= COLUMNS_MAX);
	return c;
}

void columns_free(struct columns *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_rows; i++) {
		for (size_t j = 0; j < COLUMNS_MAX; j++)
			free(c->rows[i].cells[j]);
		free(c->rows[i].notes);
	}
	free(c->rows);
	free(c);
}

void columns_row(
	struct columns *c, const char *const *cells, size_t n, size_t styled, enum term_style style)
{
	struct row *r;

	assert(n <= c->n_columns);
	c->rows = reallocarray(c->rows, c->n_rows + 1, sizeof(*c->rows));
	if (!c->rows)
		abort();
	r = &c->rows[c->n_rows++];
	*r = (struct row){.styled = styled, .style = style};
	for (size_t i = 0; i < c->n_columns; i++)
		r->cells[i] = str_dup(i < n && cells[i] ? cells[i] : "");
}

void columns_note(struct columns *c, const char *fmt, ...)
{
	struct row *r = &c->rows[c->n_rows - 1];
	char text[NOTE_MAX], *before = r->notes;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->notes = str_format("%s%s%s", before ? before : "", before ? "\n" : "", text);
	free(before);
}

static bool is_right(const struct columns *c, size_t column)
{
	return c->heads[column][0] == '>';
}

static const char *head_of(const struct columns *c, size_t column)
{
	return c->heads[column] + is_right(c, column);
}

static size_t width_of(const struct columns *c, size_t column)
{
	size_t width = term_width_of(head_of(c, column));

	for (size_t i = 0; i < c->n_rows; i++) {
		size_t n = term_width_of(c->rows[i].cells[column]);

		width = n > width ? n : width;
	}
	return width < COLUMNS_WIDTH_MAX ? width : COLUMNS_WIDTH_MAX;
}

static void add_cell(
	const struct columns *c, size_t column, const char *text, size_t width, struct buf *out)
{
	if (is_right(c, column))
		term_add_right(out, text, width);
	else
		term_add(out, text, width);
	buf_addf(out, "%*s", GAP, "");
}

/* Where the last column begins and how wide it may be. */
struct last {
	size_t at, width;
};

static void add_notes(
	const struct term *t, const char *notes, const struct last *l, struct buf *out)
{
	for (const char *p = notes; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		_cleanup_(free_p) char *line = str_ndup(p, strcspn(p, "\n"));

		buf_addf(out, "%*s", (int)l->at, "");
		term_style(t, TERM_DIM, out);
		term_add_wrapped(out, line, l->width, l->at);
		term_style(t, TERM_PLAIN, out);
		buf_addc(out, '\n');
	}
}

static void print_row(const struct columns *c, const struct row *r, const size_t *widths,
	const struct last *l, const struct term *t, struct buf *out)
{
	size_t last = c->n_columns - 1;

	for (size_t i = 0; i < last; i++) {
		if (i == r->styled)
			term_style(t, r->style, out);
		add_cell(c, i, r->cells[i], widths[i], out);
		if (i == r->styled)
			term_style(t, TERM_PLAIN, out);
	}
	term_add_wrapped(out, r->cells[last], l->width, l->at);
	buf_addc(out, '\n');
	add_notes(t, r->notes, l, out);
}

void columns_print(const struct columns *c, const struct term *t, struct buf *out)
{
	size_t widths[COLUMNS_MAX], last = c->n_columns - 1;
	struct last l = {0, COLUMNS_LAST_MIN};

	for (size_t i = 0; i < last; i++) {
		widths[i] = width_of(c, i);
		l.at += widths[i] + GAP;
	}
	if (t->columns > l.at + COLUMNS_LAST_MIN)
		l.width = t->columns - l.at;
	term_style(t, TERM_BOLD, out);
	for (size_t i = 0; i < last; i++)
		add_cell(c, i, head_of(c, i), widths[i], out);
	buf_adds(out, head_of(c, last));
	term_style(t, TERM_PLAIN, out);
	buf_addc(out, '\n');
	for (size_t i = 0; i < c->n_rows; i++)
		print_row(c, &c->rows[i], widths, &l, t, out);
}
