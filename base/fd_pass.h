/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes over a Unix stream socket, with an open file beside them (SCM_RIGHTS, unix(7)). The descriptor belongs to the first
 * of the bytes it is sent with, and a read ends with the bytes of that send: the kernel never puts what was sent after it
 * into the same read.
 */
#ifndef BASE_FD_PASS_H
#define BASE_FD_PASS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* sendmsg(2) of the parts without waiting or SIGPIPE; fd -1: bytes alone. Bytes taken, more than 0 of them: so is the
 * descriptor, of which the caller keeps its own. 0: there is no room now; or a negative errno. */
ssize_t fd_pass_send(int socket, struct iovec *parts, size_t n_parts, int fd);

/* recv(2), and the descriptor that came along, close-on-exec; *fd -1: none. More than one cannot be meant: the others are closed. */
ssize_t fd_pass_receive(int socket, void *to, size_t n, int *fd);

#endif
