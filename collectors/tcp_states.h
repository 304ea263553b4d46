/* SPDX-License-Identifier: Apache-2.0
 *
 * How many TCP connections are in the states that no file of /proc sums up. Asked from the kernel
 * by sock_diag(7), which hands out the sockets in these states alone; else counted in /proc/net/tcp
 * and tcp6, which list all sockets as text.
 */
#ifndef COLLECTORS_TCP_STATES_H
#define COLLECTORS_TCP_STATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tcp_states {
	uint64_t close_wait;
	uint64_t syn_received;
};

/* Adds the socket of one line of /proc/net/tcp. 1: counted or of another state; 0: the heading;
 * -EINVAL. */
int tcp_states_add_line(char *line, struct tcp_states *counts, struct err *e);

/* Adds the sockets of one netlink datagram. 1: more follow; 0: that was all; a negative errno as
 * the kernel sent it, or -EBADMSG for a datagram that is cut short. `datagram` is aligned for a
 * struct nlmsghdr. */
int tcp_states_add_datagram(const void *datagram, size_t size, struct tcp_states *counts);

/* Asks the kernel, without blocking. *fd_plus_1 is kept by the caller (0: not open yet) and
 * closed by it. */
int tcp_states_ask(int *fd_plus_1, struct tcp_states *out, struct err *e);

/* Counts in net/tcp and net/tcp6 (absent without IPv6) below the /proc of proc_fd. */
int tcp_states_read(int proc_fd, struct tcp_states *out, struct err *e);

#endif
