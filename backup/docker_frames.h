/* SPDX-License-Identifier: Apache-2.0
 *
 * stdout and stderr of a program in a container in one stream: frames with a header of 8 bytes (stream, three zeroes, length in
 * big-endian order; docs: Docker Engine API, ContainerAttach, "Stream format"). Pure: says how much may be read next and whose it
 * is, so that nothing has to be buffered. Podman's is the same.
 */
#ifndef BACKUP_DOCKER_FRAMES_H
#define BACKUP_DOCKER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum docker_stream { DOCKER_STDIN, DOCKER_STDOUT, DOCKER_STDERR, DOCKER_SYSTEM_ERROR };

/* Zeroed at the start. */
struct docker_frames {
	unsigned char header[8];
	size_t header_have;
	uint32_t left; /* bytes of the frame still to come */
	enum docker_stream stream; /* of the frame */
};

/* Bytes of a header that must come next; 0: f->left bytes of f->stream do. */
size_t docker_frames_header(const struct docker_frames *f);
/* Those, or the first of them. -EBADMSG. */
int docker_frames_add_header(struct docker_frames *f, const void *data, size_t n, struct err *e);
/* n bytes of the frame were taken. */
void docker_frames_took(struct docker_frames *f, size_t n);
/* Whether the stream may end here. */
bool docker_frames_at_border(const struct docker_frames *f);

#endif
