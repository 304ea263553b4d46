/* SPDX-License-Identifier: Apache-2.0
 *
 * What a hook prints, into the log whole and in small pieces: the same must come of both, text without control characters and
 * without the secret. The same bytes as its results.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "deploy-hooks/deploy_log.h"
#include "deploy-hooks/hook.h"

enum { IN_MAX = 1 << 16, OUT_MAX = 1 << 22 };
static const char secret[] = "hunter2-secret";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	char path[64];
	struct deploy_log *l = NULL;
	uint64_t next;

	(void)snprintf(path, sizeof(path), "/dev/shm/agent-fuzz-hook-output-%d", (int)getpid());
	(void)unlink(path);
	if (deploy_log_open(path, &l, NULL) < 0)
		abort();
	deploy_log_hide(l, secret);
	for (size_t at = 0; at < size; at += piece)
		deploy_log_add(l, "build", data + at, size - at < piece ? size - at : piece, 0);
	deploy_log_flush(l, 0);
	if (deploy_log_read(path, 0, out, &next, NULL) < 0 || next != deploy_log_size(l))
		abort();
	deploy_log_close(l);
	(void)unlink(path);
}

static void expect_text(const struct buf *b)
{
	const char *s = buf_str(b);

	if (strlen(s) != b->len || strstr(s, secret))
		abort();
	for (size_t n; *s; s += n) {
		n = str_utf8_char(s);
		if (n == 0 || ((unsigned char)*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f)
			abort();
	}
}

static void answer(const uint8_t *data, size_t size)
{
	static struct deploy d, before;
	enum recovery_seen seen;

	for (const struct hook_stage *s = hook_stages; s->name; s++)
		if (hook_results(s, (const char *)data, size, &d, NULL) < 0 &&
			memcmp(&d, &before, sizeof(d)) != 0)
			abort();
		else
			before = d;
	(void)hook_status((const char *)data, size, &seen, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(OUT_MAX), pieces = BUF_INIT(OUT_MAX);

	if (size > IN_MAX)
		return 0;
	print(data, size, size + 1, &whole);
	print(data, size, 7, &pieces);
	if (whole.len != pieces.len || memcmp(buf_str(&whole), buf_str(&pieces), whole.len) != 0)
		abort();
	expect_text(&whole);
	answer(data, size);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
