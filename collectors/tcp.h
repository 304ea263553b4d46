/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP: /proc/net/snmp and netstat (the MIBs of RFC 4022 and Linux's own;
 * Documentation/networking/snmp_counter.rst), /proc/net/sockstat, and the states of tcp_states.h.
 */
#ifndef COLLECTORS_TCP_H
#define COLLECTORS_TCP_H

#include "base/err.h"

/* NaN: the kernel does not have it. */
struct tcp_snmp {
	double established;
	double segments_sent; /* those sent again not counted */
	double retransmits;
};

struct tcp_netstat {
	double listen_overflows;
};

struct tcp_sockstat {
	double time_wait;
	double orphans;
};

int tcp_parse_snmp(char *text, struct tcp_snmp *out, struct err *e);
int tcp_parse_netstat(char *text, struct tcp_netstat *out, struct err *e);
int tcp_parse_sockstat(char *text, struct tcp_sockstat *out, struct err *e);

#endif
