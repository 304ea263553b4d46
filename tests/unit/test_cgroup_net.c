/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_net.h"
#include "tests/unit/recorded.h"

#define ID_A "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"
#define ID_B "b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7"
#define ID_C "c0ffee00c0ffee11c0ffee00c0ffee11c0ffee00c0ffee11c0ffee00c0ffee11"
#define SCOPE(id) "system.slice/docker-" id ".scope"
#define HOST_NS 4026531840

static struct cgroup_tree tree;
static struct cgroup_reader reader;
static struct cgroup group;
static struct cgroup_net net;
static struct cgroup_numbers numbers;
static int proc_fd, sys_fd;

static void begin(const char *fixture, const char *path)
{
	int root;

	scratch_make();
	recorded_copy(fixture);
	root = recorded_dir(".");
	proc_fd = recorded_dir("proc");
	sys_fd = recorded_dir("sys");
	cgroup_tree_init(&tree);
	ck_assert_int_eq(cgroup_tree_open(&tree, root, proc_fd, sys_fd, false, NULL), 0);
	(void)close(root);
	cgroup_reader_init(&reader, &tree, proc_fd, sys_fd, 10);
	cgroup_init(&group, path, 0);
	net = (struct cgroup_net){0};
}

static void end(void)
{
	cgroup_net_done(&net, &reader);
	cgroup_done(&reader, &group);
	ck_assert_uint_eq(reader.kept, 0);
	cgroup_tree_done(&tree);
	(void)close(proc_fd);
	(void)close(sys_fd);
	scratch_remove();
}

static bool find(long pid)
{
	return cgroup_net_find(&net, &reader, &group, pid, cgroup_net_host_ns(proc_fd));
}

static bool read_net(void)
{
	cgroup_numbers_init(&numbers);
	return cgroup_net_read(&net, &reader, &group, &numbers);
}

static double received(void)
{
	return numbers.v[CGROUP_network_received_bytes_per_second];
}

static const char *why(void)
{
	const char *reason = numbers.missing[CGROUP_network_received_bytes_per_second];

	return reason ? reason : "";
}

START_TEST(traffic_is_read_through_a_process_of_the_cgroup)
{
	begin("cgroup-v2-docker", SCOPE(ID_A));
	ck_assert(find(0));
	ck_assert_int_eq(net.kind, CGROUP_NET_OWN);
	ck_assert_int_eq(net.pid, 700);
	ck_assert(read_net());
	ck_assert_double_eq(received(), 1000000);
	ck_assert_double_eq(numbers.v[CGROUP_network_sent_bytes_per_second], 500000);
	ck_assert_double_eq(numbers.v[CGROUP_network_received_packets_per_second], 10000);
	ck_assert_double_eq(numbers.v[CGROUP_network_sent_packets_per_second], 5000);
	ck_assert(!find(0));
	end();
}
END_TEST

/* C.4, trap 7: a number of a process that ended may belong to another one now. */
START_TEST(trap_a_process_of_another_cgroup_is_not_taken)
{
	begin("cgroup-v2-docker", SCOPE(ID_A));
	ck_assert(find(720)); /* the engine says 720, which is in another container */
	ck_assert_int_eq(net.pid, 700);
	end();
	begin("cgroup-v2-docker", SCOPE(ID_A));
	recorded_write("sys/fs/cgroup/" SCOPE(ID_A) "/cgroup.procs", "740\n");
	ck_assert(!find(0));
	ck_assert_int_eq(net.kind, CGROUP_NET_UNKNOWN);
	ck_assert(read_net());
	ck_assert_str_eq(why(), "none of its processes could be found");
	end();
}
END_TEST

START_TEST(membership_ends_at_a_whole_name)
{
	ck_assert(cgroup_net_is_member("0::/a/b\n", "a/b"));
	ck_assert(cgroup_net_is_member("0::/a/b/c\n", "a/b"));
	ck_assert(cgroup_net_is_member("2:cpu:/x\n1:memory:/a/b", "a/b"));
	ck_assert(!cgroup_net_is_member("0::/a/bc\n", "a/b"));
	ck_assert(!cgroup_net_is_member("0::/x/a/b\n", "a/b"));
	ck_assert(!cgroup_net_is_member("", "a/b"));
	ck_assert(!cgroup_net_is_member("0::\n", "a/b"));
	ck_assert(!cgroup_net_is_member("garbage", "a/b"));
}
END_TEST

/* C.4, trap 7. */
START_TEST(trap_the_network_of_the_server_is_not_counted)
{
	begin("cgroup-v2-docker", SCOPE(ID_C));
	ck_assert(find(0));
	ck_assert_int_eq(net.kind, CGROUP_NET_HOST);
	ck_assert_uint_eq(reader.kept, 0);
	ck_assert(read_net());
	ck_assert(isnan(received()));
	ck_assert_str_eq(why(), "it uses the server's own network");
	end();
}
END_TEST

/* C.4, trap 7. */
START_TEST(trap_a_shared_network_is_counted_for_its_owner_alone)
{
	begin("cgroup-v2-docker", SCOPE(ID_B));
	ck_assert(find(0));
	cgroup_net_own(&net, &reader, false);
	ck_assert_int_eq(net.kind, CGROUP_NET_SHARED);
	ck_assert_uint_eq(reader.kept, 0);
	ck_assert(read_net());
	ck_assert_str_eq(
		why(), "it shares the network of another container, which it is counted for");
	/* The owner ended. */
	cgroup_net_own(&net, &reader, true);
	ck_assert(read_net());
	ck_assert_double_eq(received(), 1000000);
	end();
}
END_TEST

/* C.4, trap 3: podman's processes are in container/ below the scope. */
START_TEST(trap_processes_may_be_in_a_cgroup_below)
{
	begin("cgroup-v2-podman", "machine.slice/libpod-" ID_A ".scope");
	ck_assert(find(0));
	ck_assert_int_eq(net.pid, 800);
	ck_assert(read_net());
	ck_assert_double_eq(received(), 20000);
	end();
}
END_TEST

START_TEST(a_process_that_ends_is_replaced_by_the_next)
{
	begin("cgroup-v2-docker", SCOPE(ID_A));
	ck_assert(find(0));
	ck_assert(read_net());
	recorded_write("sys/fs/cgroup/" SCOPE(ID_A) "/cgroup.procs", "720\n");
	recorded_write("proc/720/cgroup", "0::/" SCOPE(ID_A) "\n");
	ck_assert_int_eq(rename(scratch_path("proc/700/net"), scratch_path("proc/700/gone")), 0);
	ck_assert(!read_net());
	ck_assert(!find(0)); /* the same namespace */
	ck_assert_int_eq(net.pid, 720);
	ck_assert(read_net());
	ck_assert_double_eq(received(), 1000000);
	end();
}
END_TEST

START_TEST(without_budget_the_process_is_looked_up_each_time)
{
	begin("cgroup-v2-docker", SCOPE(ID_A));
	reader.kept_max = 0;
	ck_assert(find(0));
	ck_assert_uint_eq(reader.kept, 0);
	ck_assert(read_net());
	ck_assert_double_eq(received(), 1000000);
	recorded_write("proc/700/cgroup", "0::/elsewhere\n");
	ck_assert(!read_net());
	end();
}
END_TEST

START_TEST(a_namespace_that_may_not_be_seen_is_no_zero)
{
	begin("cgroup-v2-docker", SCOPE(ID_A));
	ck_assert_int_eq(unlink(scratch_path("proc/700/ns/net")), 0);
	ck_assert(!find(0));
	ck_assert(read_net());
	ck_assert(isnan(received()));
	ck_assert_str_eq(why(), "only root may see which network it uses");
	end();
}
END_TEST

START_TEST(a_namespace_without_a_way_out_has_moved_nothing)
{
	begin("cgroup-v2-docker", SCOPE(ID_A));
	recorded_write(
		"proc/700/net/dev", "Inter-|\n face |\n    lo: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0\n");
	ck_assert(find(0));
	ck_assert(read_net());
	ck_assert_double_eq(received(), 0);
	end();
}
END_TEST

START_TEST(more_interfaces_than_one_read_gives_are_all_counted)
{
	static char text[20000];
	size_t n = 0;

	begin("cgroup-v2-docker", SCOPE(ID_A));
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"  eth%d: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n", i);
	recorded_write("proc/700/net/dev", text);
	ck_assert(find(0));
	ck_assert(read_net());
	ck_assert_double_eq(received(), 2000);
	end();
}
END_TEST

START_TEST(the_start_of_a_process_is_read_behind_any_name)
{
	double ticks = 0;

	ck_assert(cgroup_net_parse_start(
		"700 (a) S) R 1 700 700 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3\n",
		&ticks));
	ck_assert_double_eq(ticks, 98765);
	ck_assert(!cgroup_net_parse_start("700 (a) R 1 700", &ticks));
	ck_assert(!cgroup_net_parse_start("", &ticks));
	ck_assert(!cgroup_net_parse_start(
		"700 (a) R 1 700 700 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 x 1\n", &ticks));
}
END_TEST

START_TEST(namespace_links_are_read_strictly)
{
	ck_assert_uint_eq(cgroup_net_parse_link("net:[4026531840]"), HOST_NS);
	ck_assert_uint_eq(cgroup_net_parse_link("mnt:[4026531840]"), 0);
	ck_assert_uint_eq(cgroup_net_parse_link("net:[]"), 0);
	ck_assert_uint_eq(cgroup_net_parse_link("net:[12"), 0);
	ck_assert_uint_eq(cgroup_net_parse_link("net:[999999999999999999999999999]"), 0);
}
END_TEST

RUN_TESTS("cgroup_net", traffic_is_read_through_a_process_of_the_cgroup,
	trap_a_process_of_another_cgroup_is_not_taken, membership_ends_at_a_whole_name,
	trap_the_network_of_the_server_is_not_counted,
	trap_a_shared_network_is_counted_for_its_owner_alone,
	trap_processes_may_be_in_a_cgroup_below, a_process_that_ends_is_replaced_by_the_next,
	without_budget_the_process_is_looked_up_each_time,
	a_namespace_that_may_not_be_seen_is_no_zero,
	a_namespace_without_a_way_out_has_moved_nothing,
	more_interfaces_than_one_read_gives_are_all_counted,
	the_start_of_a_process_is_read_behind_any_name, namespace_links_are_read_strictly)
