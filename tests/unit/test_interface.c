/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/interface.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_interface;

static int parse(const char *text, struct interface_line *out)
{
	static char copy[1024];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	return interface_parse_line(copy, out, &recorded_error);
}

START_TEST(lines_are_parsed)
{
	struct interface_line l;

	ck_assert_int_eq(parse("  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", &l), 1);
	ck_assert_str_eq(l.name, "eth0");
	ck_assert_uint_eq(l.received_bytes, 1);
	ck_assert_uint_eq(l.received_packets, 2);
	ck_assert_uint_eq(l.receive_errors, 3);
	ck_assert_uint_eq(l.receive_drops, 4);
	ck_assert_uint_eq(l.sent_bytes, 9);
	ck_assert_uint_eq(l.sent_packets, 10);
	ck_assert_uint_eq(l.send_errors, 11);
	ck_assert_uint_eq(l.send_drops, 12);
	/* Old kernels leave no space behind a long number. */
	ck_assert_int_eq(parse("  eth0:4123456789 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", &l), 1);
	ck_assert_uint_eq(l.received_bytes, 4123456789);
	ck_assert_int_eq(parse(" face |bytes    packets errs", &l), 0);
	ck_assert_int_eq(parse("eth0: 1 2 3 4 5 6 7 8 9 10 11 x", &l), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "eth0: field 13 is not a number");
	ck_assert_int_eq(parse(": 1 2 3", &l), -EINVAL);
}
END_TEST

START_TEST(interfaces_of_containers_are_left_out)
{
	static const char *const no[] = {"lo", "veth12ab", "docker0", "docker_gwbridge",
		"br-4f1e2d3c4b5a", "virbr0", "cni0", "flannel.1", "cali123", "tap0", "dummy0",
		"ifb0", "kube-ipvs0"};
	static const char *const yes[] = {
		"eth0", "eno1", "enp3s0", "bond0", "br0", "wg0", "venet0", "wlan0", "tun0", "ppp0"};

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ck_assert_msg(interface_skipped_by_default(no[i]), "%s", no[i]);
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ck_assert_msg(!interface_skipped_by_default(yes[i]), "%s", yes[i]);
}
END_TEST

START_TEST(traffic_errors_and_drops)
{
	const struct entity *e;

	recorded_begin("host-v2", &collector_interface);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_interface), 6);
	recorded_edit("proc/net/dev",
		"eno1: 900100200  812345    3   12    0     0          0         0 410200300  "
		"512345    1    2",
		"eno1: 900120200  812445    4   32    0     0          0         0 410210300  "
		"512365    3    2");
	ck_assert_int_eq(recorded_sample(120), 0);
	e = recorded_find(&class_interface, "eno1");
	ck_assert_str_eq(entity_label_get(e, "device"), "eno1");
	ck_near(entity_value(e, INTERFACE_received_bytes_per_second), 1000);
	ck_near(entity_value(e, INTERFACE_sent_bytes_per_second), 500);
	ck_near(entity_value(e, INTERFACE_received_packets_per_second), 5);
	ck_near(entity_value(e, INTERFACE_sent_packets_per_second), 1);
	ck_near(entity_value(e, INTERFACE_receive_errors_per_second), 0.05);
	ck_near(entity_value(e, INTERFACE_receive_drops_per_second), 1);
	ck_near(entity_value(e, INTERFACE_send_errors_per_second), 0.1);
	ck_near(entity_value(e, INTERFACE_send_drops_per_second), 0);
	recorded_end();
}
END_TEST

/* eno1 -> bond0 -> bond0.100 -> br0 all carry the same 20,000 bytes, and wg0 some of them. */
START_TEST(bytes_through_bond_vlan_bridge_and_tunnel_count_once)
{
	recorded_begin("host-v2", &collector_interface);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_double_nan(recorded_host(HOST_network_received_bytes_per_second));
	recorded_edit("proc/net/dev", "eno1: 900100200", "eno1: 900120200");
	recorded_edit("proc/net/dev", "bond0: 1000300500", "bond0: 1000320500");
	recorded_edit("proc/net/dev", "bond0.100: 700200100", "bond0.100: 700220100");
	recorded_edit("proc/net/dev", "br0: 650200100", "br0: 650220100");
	recorded_edit("proc/net/dev", "wg0: 20200100", "wg0: 20210100");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_value(&class_interface, "br0", INTERFACE_received_bytes_per_second), 1000);
	ck_near(recorded_host(HOST_network_received_bytes_per_second), 1000);
	ck_near(recorded_host(HOST_network_sent_bytes_per_second), 0);
	recorded_end();
}
END_TEST

START_TEST(a_bond_counts_when_its_parts_are_not_watched)
{
	static const char *const list[] = {"!eno*"};

	recorded_begin("host-v2", &collector_interface);
	recorded_options.interfaces = (struct patterns){list, 1};
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_ptr_null(recorded_find(&class_interface, "eno1"));
	recorded_edit("proc/net/dev", "bond0: 1000300500", "bond0: 1000320500");
	recorded_edit("proc/net/dev", "br0: 650200100", "br0: 650220100");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_network_received_bytes_per_second), 1000);
	recorded_end();
}
END_TEST

START_TEST(a_system_container_has_no_hardware)
{
	recorded_begin("host-old", &collector_interface);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/net/dev", "eth0:4123456789", "eth0:4123457789");
	recorded_edit("proc/net/dev", "tun0:  10240", "tun0:  20240");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_network_received_bytes_per_second), 50);
	recorded_end();
}
END_TEST

START_TEST(ranks)
{
	const struct interface_facts azure_lower = {.has_device = true,
					     .master_has_device = true,
					     .type = 1},
				     hardware = {.has_device = true, .type = 1},
				     bond = {.on_watched_interface = true, .type = 1},
				     veth = {.type = 1}, tunnel = {.type = 65534},
				     loopback = {.type = 772};

	ck_assert_int_eq(interface_rank(&hardware), RANK_HARDWARE);
	ck_assert_int_eq(interface_rank(&azure_lower), RANK_NEVER);
	ck_assert_int_eq(interface_rank(&bond), RANK_NEVER);
	ck_assert_int_eq(interface_rank(&veth), RANK_ETHERNET);
	ck_assert_int_eq(interface_rank(&tunnel), RANK_OTHER);
	ck_assert_int_eq(interface_rank(&loopback), RANK_NEVER);
}
END_TEST

START_TEST(up_follows_the_operational_state)
{
	recorded_begin("host-v2", &collector_interface);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_value(&class_interface, "eno1", INTERFACE_up), 1);
	ck_near(recorded_value(&class_interface, "eno2", INTERFACE_up), 0);
	ck_near(recorded_value(&class_interface, "wg0", INTERFACE_up), 1);
	recorded_write("sys/class/net/eno1/operstate", "lowerlayerdown\n");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_value(&class_interface, "eno1", INTERFACE_up), 0);
	recorded_end();
}
END_TEST

START_TEST(an_interface_that_vanishes_leaves_no_descriptor)
{
	int first, last;

	recorded_begin("host-v2", &collector_interface);
	first = dup(0);
	(void)close(first);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(recorded_sample(100 + i), 0);
		if (i % 2 == 0)
			recorded_edit("proc/net/dev", "   wg0: ", "   wg1: ");
		else
			recorded_edit("proc/net/dev", "   wg1: ", "   wg0: ");
	}
	ck_assert_ptr_null(recorded_find(&class_interface, "wg0"));
	ck_assert_ptr_nonnull(recorded_find(&class_interface, "wg1"));
	ck_assert_str_eq(recorded_find(&class_interface, "wg1")->missing[INTERFACE_up],
		"/sys does not tell its state");
	last = dup(0);
	(void)close(last);
	ck_assert_int_le(last, first + 8);
	recorded_end();
}
END_TEST

START_TEST(a_bad_line_is_named_and_the_others_are_read)
{
	recorded_begin("host-v2", &collector_interface);
	recorded_edit("proc/net/dev", "bond0: 1000300500", "bond0: lots");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	ck_assert_ptr_nonnull(strstr(
		recorded_error.msg, "/proc/net/dev: line 6: bond0: field 2 is not a number"));
	ck_assert_ptr_nonnull(recorded_find(&class_interface, "wg0"));
	recorded_end();
}
END_TEST

RUN_TESTS("interface", lines_are_parsed, interfaces_of_containers_are_left_out,
	traffic_errors_and_drops, bytes_through_bond_vlan_bridge_and_tunnel_count_once,
	a_bond_counts_when_its_parts_are_not_watched, a_system_container_has_no_hardware, ranks,
	up_follows_the_operational_state, an_interface_that_vanishes_leaves_no_descriptor,
	a_bad_line_is_named_and_the_others_are_read)
