/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/email_mime.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "notify/text.h"

enum {
	LINE_MAX_COLUMNS = 76, /* RFC 2045 */
	DISPLAY_MAX_CHARS = 100,
};

static bool is_plain(char c)
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

static void add_quoted(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	const char text[] = {'=', hex[c >> 4], hex[c & 15]};

	buf_add(b, text, sizeof(text));
}

void mime_quoted_printable(struct buf *b, const char *text)
{
	size_t column = 0;

	for (const char *p = text; *p; p++) {
		/* Blanks at the end of a line get lost on the way. */
		bool last = p[1] == '\n' || p[1] == '\0';
		bool plain = is_plain(*p) && !((*p == ' ' || *p == '\t') && last);
		size_t width = plain ? 1 : 3;

		if (*p == '\n') {
			buf_adds(b, "\r\n");
			column = 0;
			continue;
		}
		if (column + width >= LINE_MAX_COLUMNS) {
			buf_adds(b, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_addc(b, *p);
		else
			add_quoted(b, (unsigned char)*p);
		column += width;
	}
	buf_adds(b, "\r\n");
}

void mime_header(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "%s: ", name);
	text_add_mail_header(b, text, strlen(name) + 2);
	buf_adds(b, "\r\n");
}

/* A name before an address: as it is, or quoted, or encoded, whichever is the least. */
static void add_display(struct buf *b, const char *display, size_t used)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	bool word = true, ascii = true;

	for (const char *p = display; *p; p++) {
		word = word && (strchr(letters, *p) || strchr("!#$%&'*+-/=?^_`{|}~ ", *p));
		ascii = ascii && *p >= ' ' && *p <= '~';
	}
	if (!ascii || (word && strstr(display, "=?"))) {
		text_add_mail_header(b, display, used);
		return;
	}
	if (!word)
		buf_addc(b, '"');
	for (const char *p = display; *p; p++) {
		if (!word && (*p == '"' || *p == '\\'))
			buf_addc(b, '\\');
		buf_addc(b, *p);
	}
	if (!word)
		buf_addc(b, '"');
}

void mime_address_header(struct buf *b, const char *name, const char *display, const char *address)
{
	_cleanup_(buf_done) struct buf cut = BUF_INIT(4 * DISPLAY_MAX_CHARS);

	text_cut_chars(&cut, display, DISPLAY_MAX_CHARS);
	buf_addf(b, "%s: ", name);
	if (cut.len > 0) {
		add_display(b, buf_str(&cut), strlen(name) + 2);
		buf_adds(b, "\r\n ");
	}
	buf_addf(b, "<%s>\r\n", address);
}

void mime_addresses_header(struct buf *b, const char *name, const char *const *addresses, size_t n)
{
	buf_addf(b, "%s: ", name);
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s", i > 0 ? ",\r\n " : "", addresses[i]);
	buf_adds(b, "\r\n");
}

void mime_date_header(struct buf *b, int64_t time_ms)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)(time_ms / 1000);
	struct tm tm;
	long minutes;

	if (!localtime_r(&t, &tm))
		return;
	minutes = tm.tm_gmtoff / 60;
	buf_addf(b, "Date: %s, %02d %s %04d %02d:%02d:%02d %c%02ld%02ld\r\n", days[tm.tm_wday],
		tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
		minutes < 0 ? '-' : '+', labs(minutes) / 60, labs(minutes) % 60);
}

void mime_multipart(struct buf *b, const char *kind, int level)
{
	buf_addf(b, "Content-Type: multipart/%s;\r\n boundary=\"" MIME_BOUNDARY "%d\"\r\n", kind,
		level);
}

void mime_next_part(struct buf *b, int level)
{
	buf_addf(b, "\r\n--" MIME_BOUNDARY "%d\r\n", level);
}

void mime_last_part(struct buf *b, int level)
{
	buf_addf(b, "\r\n--" MIME_BOUNDARY "%d--\r\n", level);
}

void mime_text_part(struct buf *b, const char *kind, const char *text)
{
	buf_addf(b,
		"Content-Type: text/%s; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		kind);
	mime_quoted_printable(b, text);
}

void mime_png_part(struct buf *b, const char *id, const void *png, size_t len)
{
	buf_addf(b,
		"Content-Type: image/png; name=\"chart.png\"\r\n"
		"Content-Disposition: inline; filename=\"chart.png\"\r\n"
		"Content-ID: <%s>\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		id);
	base64_encode(b, png, len, LINE_MAX_COLUMNS);
	buf_adds(b, "\r\n");
}
