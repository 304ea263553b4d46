/* SPDX-License-Identifier: Apache-2.0
 *
 * Network interfaces: /proc/net/dev and /sys/class/net. Interfaces of containers and virtual
 * machines are left out unless asked for. The sums of the host count each byte once, where it
 * leaves the server: see interface_rank().
 */
#ifndef COLLECTORS_INTERFACE_H
#define COLLECTORS_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct interface_line {
	const char *name; /* points into the text */
	uint64_t received_bytes;
	uint64_t received_packets;
	uint64_t receive_errors;
	uint64_t receive_drops;
	uint64_t sent_bytes;
	uint64_t sent_packets;
	uint64_t send_errors;
	uint64_t send_drops;
};

/* 1: parsed; 0: a heading; -EINVAL names the field. */
int interface_parse_line(char *line, struct interface_line *out, struct err *e);

/* lo, veth, bridges of container engines and the like. */
bool interface_skipped_by_default(const char *name);

/* How surely an interface leads out of this server. The sums count those of the highest rank
 * that is there:
 *   hardware     has a device behind it (a virtual machine's too) and is not the lower half of another such one;
 *   ethernet     the eth0 of a system container: no device, and not built upon a watched interface as a bond, bridge or VLAN is;
 *   other        tunnels and point-to-point links of the same kind;
 *   never        built upon a watched interface, or the loopback. */
enum interface_rank { RANK_NEVER, RANK_OTHER, RANK_ETHERNET, RANK_HARDWARE };

struct interface_facts {
	bool has_device;
	/* Azure's and Hyper-V's accelerated networking: the master counts the same bytes */
	bool master_has_device;
	bool on_watched_interface;
	unsigned type; /* ARPHRD_*, /sys/class/net/NAME/type */
};
enum interface_rank interface_rank(const struct interface_facts *f);

#endif
