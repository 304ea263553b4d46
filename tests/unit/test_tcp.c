/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "collectors/tcp.h"
#include "collectors/tcp_states.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_tcp;

START_TEST(counters_and_states_of_a_recorded_host)
{
	recorded_begin("host-v2", &collector_tcp);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_tcp_established), 37);
	ck_near(recorded_host(HOST_tcp_time_wait), 14);
	ck_near(recorded_host(HOST_tcp_orphans), 3);
	ck_near(recorded_host(HOST_tcp_close_wait), 3);
	ck_near(recorded_host(HOST_tcp_syn_received), 1);
	ck_assert_double_nan(recorded_host(HOST_tcp_retransmit_percent));
	recorded_edit("proc/net/snmp", "37 900003 1000000 1200 ", "38 900003 1000990 1210 ");
	recorded_edit("proc/net/netstat", "1010 0 1 25 25", "1010 0 1 65 65");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_tcp_retransmits_per_second), 0.5);
	ck_near(recorded_host(HOST_tcp_segments_sent_per_second), 49.5);
	ck_near(recorded_host(HOST_tcp_retransmit_percent), 1);
	ck_near(recorded_host(HOST_tcp_listen_overflows_per_second), 2);
	recorded_end();
}
END_TEST

START_TEST(an_idle_host_retransmits_nothing)
{
	recorded_begin("host-old", &collector_tcp);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_tcp_retransmit_percent), 0);
	ck_near(recorded_host(HOST_tcp_close_wait), 0); /* no tcp6: no IPv6 */
	recorded_end();
}
END_TEST

START_TEST(one_broken_file_leaves_the_others)
{
	recorded_begin("host-v2", &collector_tcp);
	recorded_edit("proc/net/snmp", "37 900003 1000000 1200 ", "37 900003 ? 1200 ");
	recorded_edit("proc/net/sockstat", "tw 14", "tw some");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(recorded_error.msg, "/proc/net/snmp: line 8: OutSegs is not a number"));
	ck_near(recorded_host(HOST_tcp_close_wait), 3);
	recorded_edit("proc/net/snmp", "37 900003 ? 1200 ", "37 900003 1 1200 ");
	ck_assert_int_eq(recorded_sample(120), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(recorded_error.msg, "/proc/net/sockstat: line 2: tw is not a number"));
	recorded_edit("proc/net/sockstat", "tw some", "tw 1");
	recorded_edit("proc/net/tcp6", "0000000000000000FFFF00000100007F:C350 08",
		"0000000000000000FFFF00000100007F:C350 0G");
	ck_assert_int_eq(recorded_sample(140), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(recorded_error.msg, "/proc/net/tcp6: line 3: field 4 is not a state"));
	recorded_end();
}
END_TEST

START_TEST(columns_are_found_by_name)
{
	char text[] = "Ip: A\nIp: 1\nTcp: RetransSegs New OutSegs\nTcp: 5 -1 7\n";
	char cut[] = "Tcp: RetransSegs OutSegs\nTcp: 5\n";
	char none[] = "Ip: A\nIp: 1\n";
	struct tcp_snmp v;

	ck_assert_int_eq(tcp_parse_snmp(text, &v, NULL), 0);
	ck_near(v.retransmits, 5);
	ck_near(v.segments_sent, 7);
	ck_assert_double_nan(v.established);
	ck_assert_int_eq(tcp_parse_snmp(cut, &v, &recorded_error), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "line 2: there is no value for OutSegs");
	ck_assert_int_eq(tcp_parse_snmp(none, &v, &recorded_error), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "there are no lines \"Tcp:\"");
}
END_TEST

/* Appends one message to a datagram as the kernel writes it. */
static size_t put_message(char *to, size_t at, unsigned type, const void *body, size_t n)
{
	struct nlmsghdr h = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n), .nlmsg_type = (uint16_t)type};

	memcpy(to + at, &h, sizeof(h));
	memcpy(to + at + NLMSG_HDRLEN, body, n);
	return at + NLMSG_ALIGN(h.nlmsg_len);
}

START_TEST(answers_of_the_kernel_are_counted)
{
	_Alignas(8) char d[1024];
	struct tcp_states counts = {0, 0};
	struct inet_diag_msg m = {.idiag_family = AF_INET};
	int zero = 0, refused = -EOPNOTSUPP;
	size_t n;

	m.idiag_state = TCP_CLOSE_WAIT;
	n = put_message(d, 0, TCPDIAG_GETSOCK, &m, sizeof(m));
	n = put_message(d, n, TCPDIAG_GETSOCK, &m, sizeof(m));
	m.idiag_state = TCP_SYN_RECV;
	n = put_message(d, n, TCPDIAG_GETSOCK, &m, sizeof(m));
	ck_assert_int_eq(tcp_states_add_datagram(d, n, &counts), 1);
	ck_assert_uint_eq(counts.close_wait, 2);
	ck_assert_uint_eq(counts.syn_received, 1);
	n = put_message(d, n, NLMSG_DONE, &zero, sizeof(zero));
	ck_assert_int_eq(tcp_states_add_datagram(d, n, &counts), 0);
	n = put_message(d, 0, NLMSG_ERROR, &refused, sizeof(refused));
	ck_assert_int_eq(tcp_states_add_datagram(d, n, &counts), -EOPNOTSUPP);
	/* Cut short in the body, in the header, and with a length that lies. */
	n = put_message(d, 0, TCPDIAG_GETSOCK, &m, sizeof(m));
	ck_assert_int_eq(tcp_states_add_datagram(d, n - 4, &counts), -EBADMSG);
	ck_assert_int_eq(tcp_states_add_datagram(d, 7, &counts), -EBADMSG);
	memset(d, 0, NLMSG_HDRLEN);
	ck_assert_int_eq(tcp_states_add_datagram(d, n, &counts), -EBADMSG);
}
END_TEST

/* A connection on the loopback whose peer has closed: this end is in CLOSE-WAIT until it closes
 * too. */
static int make_close_wait(int family)
{
	struct sockaddr_storage a = {.ss_family = (sa_family_t)family};
	socklen_t n = sizeof(a);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int served;
	char c;

	if (family == AF_INET)
		((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&a)->sin6_addr = in6addr_loopback;
	if (bind(listener, (struct sockaddr *)&a, n) < 0 || listen(listener, 1) < 0) {
		(void)close(listener);
		(void)close(client);
		return -1;
	}
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &n), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&a, n), 0);
	served = accept(listener, NULL, NULL);
	ck_assert_int_ge(served, 0);
	(void)close(client);
	ck_assert_int_eq(read(served, &c, 1), 0); /* the end has come: CLOSE-WAIT */
	(void)close(listener);
	return served;
}

/* A network of its own, with a loopback; false: this user may not have one. */
static bool go_alone(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, r;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ioctl(fd, SIOCSIFFLAGS, &lo);
	(void)close(fd);
	ck_assert_int_eq(r, 0);
	return true;
}

START_TEST(the_kernel_and_its_files_agree)
{
	bool alone = go_alone();
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tcp_states asked, read_too;
	int four, six, kept = 0;
	uint64_t want;

	four = make_close_wait(AF_INET);
	six = make_close_wait(AF_INET6);
	ck_assert_int_ge(four, 0);
	want = 1 + (six >= 0);
	ck_assert_int_eq(tcp_states_read(proc, &read_too, &recorded_error), 0);
	/* Those of the whole machine come and go meanwhile; alone they are exactly ours. */
	ck_assert(alone ? read_too.close_wait == want : read_too.close_wait >= want);
	if (tcp_states_ask(&kept, &asked, &recorded_error) < 0)
		(void)printf("skipped: %s\n", recorded_error.msg);
	else
		ck_assert(alone ? asked.close_wait == want : asked.close_wait >= want);
	ck_assert_int_eq(tcp_states_ask(&kept, &asked, NULL) < 0, kept == 0);
	(void)close(four);
	(void)close(six);
	(void)close(kept - 1);
	(void)close(proc);
}
END_TEST

RUN_TESTS("tcp", counters_and_states_of_a_recorded_host, an_idle_host_retransmits_nothing,
	one_broken_file_leaves_the_others, columns_are_found_by_name,
	answers_of_the_kernel_are_counted, the_kernel_and_its_files_agree)
