/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker_frames.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

size_t docker_frames_header(const struct docker_frames *f)
{
	return f->left ? 0 : sizeof(f->header) - f->header_have;
}

int docker_frames_add_header(struct docker_frames *f, const void *data, size_t n, struct err *e)
{
	const unsigned char *h = f->header;

	assert(n <= docker_frames_header(f));
	memcpy(f->header + f->header_have, data, n);
	f->header_have += n;
	if (f->header_have < sizeof(f->header))
		return 0;
	f->header_have = 0;
	if (h[0] > DOCKER_SYSTEM_ERROR || h[1] || h[2] || h[3])
		return err_set(e, EBADMSG, "the stream from the container is broken");
	f->stream = (enum docker_stream)h[0];
	f->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
	return 0;
}

void docker_frames_took(struct docker_frames *f, size_t n)
{
	assert(n <= f->left);
	f->left -= (uint32_t)n;
}

bool docker_frames_at_border(const struct docker_frames *f)
{
	return f->left == 0 && f->header_have == 0;
}
