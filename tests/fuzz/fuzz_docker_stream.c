/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container engine answers: a head, then a body in chunks and, of the same bytes, the frames of an exec's stream.
 */
#include <stdint.h>
#include <stdlib.h>

#include "backup/docker_frames.h"
#include "backup/docker_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_chunks(const char *text, size_t n, size_t piece)
{
	struct buf out = BUF_INIT(1 << 20);
	struct docker_chunks c = {0};

	for (size_t i = 0; i < n; i += piece)
		if (docker_chunks_add(&c, text + i, n - i < piece ? n - i : piece, &out, NULL) < 0)
			break;
	if (out.len > n)
		abort();
	buf_done(&out);
}

static void read_frames(const char *text, size_t n)
{
	struct docker_frames f = {0};
	size_t at = 0;

	while (at < n) {
		size_t want = docker_frames_header(&f);
		size_t have = n - at;

		if (!want)
			want = f.left;
		if (have > want)
			have = want;
		if (docker_frames_header(&f)) {
			if (docker_frames_add_header(&f, text + at, have, NULL) < 0)
				return;
		} else
			docker_frames_took(&f, have);
		at += have;
	}
	(void)docker_frames_at_border(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct docker_head head = {0};
	size_t at = 0;

	if (docker_head_parse(text, size, &head, NULL) > 0) {
		if (head.bytes > size || head.status < 100 || head.length < -1)
			abort();
		at = head.bytes;
	}
	read_chunks(text + at, size - at, size + 1);
	read_chunks(text + at, size - at, 1);
	read_frames(text + at, size - at);
	return 0;
}
