/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_text.h"
#include "tests/unit/recorded.h"

START_TEST(keys_are_found_wherever_they_stand)
{
	double a = NAN, b = NAN, none = NAN;
	const struct cgroup_key keys[] = {
		CGROUP_KEY("anon", &a), CGROUP_KEY("file", &b), CGROUP_KEY("inactive_file", &none)};

	ck_assert_uint_eq(cgroup_flat_keyed("new_key 1\nfile_mapped 7\nfile 18446744073709551\n"
					    "anon_thp 3\nanon 4096\n",
				  keys, 3),
		2);
	ck_assert_double_eq(a, 4096);
	ck_assert_double_eq(b, 18446744073709551.0);
	ck_assert(isnan(none));
	ck_assert_uint_eq(
		cgroup_flat_keyed("anon\nfile x\nanon 99999999999999999999999\n", keys, 3), 0);
}
END_TEST

START_TEST(a_number_or_max)
{
	double v = 5;

	ck_assert(cgroup_number("1234\n", &v));
	ck_assert_double_eq(v, 1234);
	ck_assert(cgroup_number("max\n", &v));
	ck_assert(isinf(v));
	ck_assert(cgroup_number("9223372036854771712", &v));
	v = 5;
	ck_assert(!cgroup_number("", &v));
	ck_assert(!cgroup_number("-1\n", &v));
	ck_assert(!cgroup_number("12 13\n", &v));
	ck_assert(!cgroup_number("maximum\n", &v));
	ck_assert_double_eq(v, 5);
}
END_TEST

START_TEST(cpu_max_is_cores)
{
	double cores;

	ck_assert(cgroup_cpu_max("50000 100000\n", &cores));
	ck_assert_double_eq(cores, 0.5);
	ck_assert(cgroup_cpu_max("max 100000\n", &cores));
	ck_assert(isinf(cores));
	ck_assert(!cgroup_cpu_max("50000\n", &cores));
	ck_assert(!cgroup_cpu_max("50000 0\n", &cores));
	ck_assert(!cgroup_cpu_max("", &cores));
}
END_TEST

START_TEST(pressure_is_the_total_of_some)
{
	double usec = 0;

	ck_assert(cgroup_pressure_some("some avg10=0.12 avg60=0.30 avg300=0.11 total=1200345\n"
				       "full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
		&usec));
	ck_assert_double_eq(usec, 1200345);
	ck_assert(!cgroup_pressure_some("full avg10=0 total=5\n", &usec));
	ck_assert(!cgroup_pressure_some("some avg10=0\nfull total=5\n", &usec));
	ck_assert(!cgroup_pressure_some("", &usec));
}
END_TEST

START_TEST(cpu_lists_are_counted)
{
	ck_assert_uint_eq(cgroup_cpu_list_count("0-3,8\n"), 5);
	ck_assert_uint_eq(cgroup_cpu_list_count("0"), 1);
	ck_assert_uint_eq(cgroup_cpu_list_count("\n"), 0);
	ck_assert_uint_eq(cgroup_cpu_list_count("3-1\n"), 0);
	ck_assert_uint_eq(cgroup_cpu_list_count("0-999999999\n"), 0);
	ck_assert_uint_eq(cgroup_cpu_list_count("0;1\n"), 0);
}
END_TEST

/* Only disks of major number 8. */
static bool counts(void *user, unsigned major, unsigned minor)
{
	(void)user;
	(void)minor;
	return major == 8;
}

START_TEST(io_stat_sums_the_devices_that_count)
{
	struct cgroup_io io;

	cgroup_io_stat("8:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=9 dios=9\n"
		       "253:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=0 dios=0\n"
		       "8:16 cost.usage=7 wbytes=1 rbytes=2\n"
		       "8:32\n"
		       "8:48 \n"
		       "garbage\n",
		counts, NULL, &io);
	ck_assert_double_eq(io.read_bytes, 102);
	ck_assert_double_eq(io.written_bytes, 201);
	ck_assert_double_eq(io.reads, 3);
	ck_assert_double_eq(io.writes, 4);
	cgroup_io_stat("", counts, NULL, &io);
	ck_assert_double_eq(io.read_bytes, 0);
}
END_TEST

START_TEST(blkio_sums_read_and_write_alone)
{
	double r, w;

	ck_assert_uint_eq(cgroup_blkio("8:0 Read 100\n8:0 Write 200\n8:0 Sync 300\n8:0 Async 0\n"
				       "8:0 Discard 5\n8:0 Total 300\n253:0 Read 100\nTotal 300\n",
				  counts, NULL, &r, &w),
		7);
	ck_assert_double_eq(r, 100);
	ck_assert_double_eq(w, 200);
	ck_assert_uint_eq(cgroup_blkio("Total 0\n", counts, NULL, &r, &w), 0);
	ck_assert_double_eq(r, 0);
}
END_TEST

#define HEAD                                                                                       \
	"Inter-|   Receive                                                |  Transmit\n"           \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"

START_TEST(net_dev_counts_what_leaves_the_container)
{
	struct cgroup_net_dev n;

	ck_assert(cgroup_net_dev(HEAD "    lo:  9  9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n"
				      "  eth0: 100 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0\n"
				      "eth1:10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
				      "docker0: 7 7 0 0 0 0 0 0 7 7 0 0 0 0 0 0\n"
				      "veth1@if3: 7 7 0 0 0 0 0 0 7 7 0 0 0 0 0 0\n",
		&n));
	ck_assert_double_eq(n.received_bytes, 110);
	ck_assert_double_eq(n.sent_bytes, 320);
	ck_assert_double_eq(n.received_packets, 3);
	ck_assert_double_eq(n.sent_packets, 5);
	ck_assert(!cgroup_net_dev(HEAD "    lo:  9  9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n", &n));
	ck_assert(!cgroup_net_dev("eth0: 1 2 3\n", &n));
}
END_TEST

RUN_TESTS("cgroup_text", keys_are_found_wherever_they_stand, a_number_or_max, cpu_max_is_cores,
	pressure_is_the_total_of_some, cpu_lists_are_counted, io_stat_sums_the_devices_that_count,
	blkio_sums_read_and_write_alone, net_dev_counts_what_leaves_the_container)
