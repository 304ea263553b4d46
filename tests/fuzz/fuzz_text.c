/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "notify/channel.h"
#include "notify/event.h"
#include "notify/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of how many characters it is. */
static size_t assert_valid(const char *s)
{
	size_t chars = 0;

	for (size_t n; *s; s += n, chars++) {
		n = str_utf8_char(s);
		assert(n > 0);
	}
	return chars;
}

/* The first byte is the limit, the rest the text. */
static void cut_it(const char *text, size_t max)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);

	text_cut_bytes(&b, text, max);
	assert(b.len <= max);
	assert_valid(buf_str(&b));
	buf_clear(&b);
	text_cut_chars(&b, text, max);
	assert(assert_valid(buf_str(&b)) <= max);
	buf_clear(&b);
	text_cut_utf16(&b, text, max);
	assert(text_utf16_len(buf_str(&b)) <= max);
	assert_valid(buf_str(&b));
	buf_clear(&b);
	text_cut_lines_utf16(&b, text, max);
	assert(text_utf16_len(buf_str(&b)) <= max);
	assert_valid(buf_str(&b));
}

static void escape_it(const char *text, size_t max)
{
	static const text_escape_fn escapes[] = {
		text_add_html, text_add_mrkdwn, text_add_markdown, text_add_percent};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		buf_clear(&b);
		text_cut_escaped(&b, text, max, escapes[i]);
		assert(text_utf16_len(buf_str(&b)) <= max);
		assert_valid(buf_str(&b));
		assert(escapes[i] == text_add_markdown || !strpbrk(buf_str(&b), "<>"));
	}
	buf_clear(&b);
	text_add_mail_header(&b, text, max);
	for (const char *p = buf_str(&b); *p; p++) {
		assert((unsigned char)*p < 0x80 && *p != 0x7f);
		if (*p == '\r')
			assert(p[1] == '\n' && p[2] == ' ');
		assert((unsigned char)*p >= 0x20 || *p == '\r' || (*p == '\n' && p[-1] == '\r'));
	}
}

/* A secret that stands in a text is not in it afterwards. */
static void redact_it(const char *text)
{
	_cleanup_(free_p) char *copy = str_dup(text), *both = NULL;
	struct channel c = {.name = "x", .secret = "s3cr/t:&x", .url = text};
	struct verdict_of v;

	channel_redact(&c, copy, strlen(copy) + 1);
	c.url = NULL;
	both = str_format("%s%s%.20s", text, c.secret, text);
	channel_why(&c, &v, "%s", both);
	assert(!strstr(v.why, c.secret));
	assert_valid(v.why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(free_p) char *raw = NULL;
	struct event *ev;
	size_t max;

	if (size < 1 || size > 4096)
		return 0;
	max = data[0];
	raw = str_ndup((const char *)data + 1, size - 1);
	ev = event_new(EVENT_MESSAGE, SEVERITY_INFO, "");
	event_text(ev, "%s", raw);
	cut_it(ev->text, max);
	escape_it(ev->text, max);
	redact_it(ev->text);
	event_free(ev);
	return 0;
}
