/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mail_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A session as lines, those that begin with '>' sent, the others received. Whatever a server says: a
 * mail it took is sent, one it did not take is not, and what may hold the password is not kept. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;
	struct mail_session s;
	char text[256];
	int r;

	mail_session_init(&s);
	while (p < end) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		size_t n = line_end ? (size_t)(line_end - p) : (size_t)(end - p);

		if (*p == '>')
			mail_session_command(&s, p + 1, n - 1);
		else if (!mail_session_reply(&s, p, n))
			assert(s.stopped && s.status >= 400 && s.status < 500);
		assert(strncmp(s.command, "AUTH", 4) != 0);
		p += n + (line_end ? 1 : 0);
	}
	assert(s.status == 0 || (s.status >= 200 && s.status < 600));
	r = mail_session_outcome(&s, EIO, "broken", text, sizeof(text));
	assert((r == 0) == s.taken && memchr(text, '\0', sizeof(text)));
	if (s.taken)
		assert(s.status < 400);
	mail_session_done(&s);
	return 0;
}
