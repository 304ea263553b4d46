/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/disk.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_disk;

static int parse(const char *text, struct disk_line *out)
{
	static char copy[1024];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	return disk_parse_line(copy, out, &recorded_error);
}

START_TEST(lines_of_all_kernels_are_parsed)
{
	struct disk_line l;

	ck_assert_int_eq(parse("   8       0 sda 1 2 3 4 5 6 7 8 9 10 11", &l), 1);
	ck_assert_uint_eq(l.major, 8);
	ck_assert_str_eq(l.name, "sda");
	ck_assert_uint_eq(l.reads, 1);
	ck_assert_uint_eq(l.read_sectors, 3);
	ck_assert_uint_eq(l.read_ms, 4);
	ck_assert_uint_eq(l.writes, 5);
	ck_assert_uint_eq(l.written_sectors, 7);
	ck_assert_uint_eq(l.write_ms, 8);
	ck_assert_uint_eq(l.busy_ms, 10);
	ck_assert_uint_eq(l.weighted_ms, 11);
	ck_assert_int_eq(parse("259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", &l), 1);
	ck_assert_int_eq(parse("8 1 sda1 1 2 3 4", &l), 0);
}
END_TEST

START_TEST(mistakes_are_named)
{
	struct disk_line l;

	ck_assert_int_eq(parse("8 0 sda 1 2 -3 4 5 6 7 8 9 10 11", &l), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "sda: field 6 is not a number");
	ck_assert_int_eq(parse("8 0 sda 1 2 3 4 5 6", &l), -EINVAL);
	ck_assert_int_eq(parse("8 0", &l), -EINVAL);
	ck_assert_int_eq(parse("", &l), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "the device number is not a number");
}
END_TEST

START_TEST(counters_of_32_bits_go_on_behind_their_end)
{
	struct wide_counter w = {0};

	ck_near(wide_counter_add(&w, 4294967000), 4294967000.0);
	ck_near(wide_counter_add(&w, 704), 4294967296.0 + 704);
	ck_near(wide_counter_add(&w, 1704), 4294967296.0 + 1704);
	/* A little back is a reset: the registry takes the smaller value as a new start. */
	ck_near(wide_counter_add(&w, 10), 10);
	ck_near(wide_counter_add(&w, 1ULL << 40), 1099511627776.0);
}
END_TEST

START_TEST(whole_devices_are_measured_and_odd_ones_left_out)
{
	static const char *const no[] = {"nvme0n1p1", "sda1", "sr0", "loop0", "zram0", "nbd0"};

	recorded_begin("host-v2", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_disk), 8);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ck_assert_ptr_null(recorded_find(&class_disk, no[i]));
	ck_assert_str_eq(
		entity_label_get(recorded_find(&class_disk, "nvme0n1"), "device"), "nvme0n1");
	ck_assert_ptr_null(entity_label_get(recorded_find(&class_disk, "sda"), "stacked"));
	ck_assert_str_eq(entity_label_get(recorded_find(&class_disk, "dm-1"), "stacked"), "1");
	ck_assert_str_eq(entity_label_get(recorded_find(&class_disk, "md0"), "stacked"), "1");
	recorded_end();
}
END_TEST

START_TEST(patterns_choose_disks)
{
	static const char *const list[] = {"zram*", "!dm-*", "!md*"};

	recorded_begin("host-v2", &collector_disk);
	recorded_options.disks = (struct patterns){list, 3};
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_ptr_nonnull(recorded_find(&class_disk, "zram0"));
	ck_assert_ptr_nonnull(recorded_find(&class_disk, "sda"));
	ck_assert_ptr_null(recorded_find(&class_disk, "dm-0"));
	ck_assert_ptr_null(recorded_find(&class_disk, "loop0"));
	recorded_end();
}
END_TEST

/* 100 reads of 8 sectors in 500 ms, through LVM on a crypted disk. */
static void read_something(void)
{
	recorded_edit("proc/diskstats",
		"nvme0n1 40210 5120 3210400 9120 91234 60211 8123456 120344 0 61200 131111",
		"nvme0n1 40310 5120 3211200 9620 91234 60211 8123456 120344 0 63200 132111");
	recorded_edit("proc/diskstats", "dm-0 44100 0 3179000 12100", "dm-0 44200 0 3179800 12700");
	recorded_edit("proc/diskstats", "dm-1 40020 0 3050000 11200", "dm-1 40120 0 3050800 11800");
}

START_TEST(rates_and_latency)
{
	const struct entity *e;

	recorded_begin("host-v2", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_double_nan(recorded_host(HOST_disk_read_bytes_per_second));
	read_something();
	ck_assert_int_eq(recorded_sample(120), 0);
	e = recorded_find(&class_disk, "nvme0n1");
	ck_near(entity_value(e, DISK_read_bytes_per_second), 800 * 512 / 20.0);
	ck_near(entity_value(e, DISK_reads_per_second), 5);
	ck_near(entity_value(e, DISK_busy_percent), 10);
	ck_near(entity_value(e, DISK_queue_length), 0.05);
	ck_near(entity_value(e, DISK_read_latency_seconds), 0.005);
	ck_assert_double_nan(entity_value(e, DISK_write_latency_seconds));
	ck_assert_str_eq(e->missing[DISK_write_latency_seconds], "there was no request");
	recorded_end();
}
END_TEST

START_TEST(bytes_through_stacked_devices_count_once)
{
	recorded_begin("host-v2", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	read_something();
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_value(&class_disk, "dm-1", DISK_read_bytes_per_second), 20480);
	ck_near(recorded_host(HOST_disk_read_bytes_per_second), 20480);
	ck_near(recorded_host(HOST_disk_written_bytes_per_second), 0);
	recorded_end();
}
END_TEST

START_TEST(a_device_that_vanishes_and_comes_back)
{
	static const char sdc[] =
		"   8      32 sdc 320 10 24000 900 40 12 2048 210 0 800 1110 0 0 0 0 0 0\n";

	recorded_begin("host-v2", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/diskstats", sdc, "");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_ptr_null(recorded_find(&class_disk, "sdc"));
	ck_near(recorded_value(&class_disk, "sdb", DISK_reads_per_second), 0);
	recorded_edit("proc/diskstats", "   8      33 sdc1",
		"   8      32 sdc 3 0 24 9 0 0 0 0 0 8 11 0 0 0 0 0 0\n   8      33 sdc1");
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_assert_double_nan(recorded_value(&class_disk, "sdc", DISK_reads_per_second));
	ck_near(recorded_host(HOST_disk_read_bytes_per_second), 0);
	recorded_end();
}
END_TEST

START_TEST(a_reset_counter_is_unknown_not_negative)
{
	recorded_begin("host-v2", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/diskstats", "sda 15300 200 4100200 81200", "sda 5 0 40 8");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_double_nan(recorded_value(&class_disk, "sda", DISK_reads_per_second));
	ck_assert_double_nan(recorded_value(&class_disk, "sda", DISK_read_latency_seconds));
	ck_near(recorded_value(&class_disk, "sda", DISK_writes_per_second), 0);
	recorded_end();
}
END_TEST

START_TEST(a_bad_line_is_named_and_the_others_are_read)
{
	char want[200];

	recorded_begin("host-v2", &collector_disk);
	recorded_edit("proc/diskstats", "md0 30800 0 8176000", "md0 30800 0 ?");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	(void)snprintf(want, sizeof(want),
		"%s/proc/diskstats: line 11: md0: field 6 is not a number", scratch);
	ck_assert_str_eq(recorded_error.msg, want);
	ck_assert_ptr_null(recorded_find(&class_disk, "md0"));
	ck_assert_ptr_nonnull(recorded_find(&class_disk, "dm-2"));
	recorded_end();
}
END_TEST

START_TEST(a_name_with_a_slash)
{
	recorded_begin("host-old", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_disk), 1);
	ck_assert_ptr_nonnull(recorded_find(&class_disk, "cciss/c0d0"));
	recorded_end();
}
END_TEST

START_TEST(a_device_that_becomes_part_of_the_stack_later)
{
	recorded_begin("host-v2", &collector_disk);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_int_eq(mkdir(scratch_path("sys/block/sdc/slaves"), 0700), 0);
	recorded_write("sys/block/sdc/slaves/sda", "");
	for (int i = 1; i <= 15; i++)
		ck_assert_int_eq(recorded_sample(100 + i), 0);
	ck_assert_str_eq(entity_label_get(recorded_find(&class_disk, "sdc"), "stacked"), "1");
	recorded_end();
}
END_TEST

RUN_TESTS("disk", lines_of_all_kernels_are_parsed, mistakes_are_named,
	counters_of_32_bits_go_on_behind_their_end,
	whole_devices_are_measured_and_odd_ones_left_out, patterns_choose_disks, rates_and_latency,
	bytes_through_stacked_devices_count_once, a_device_that_vanishes_and_comes_back,
	a_reset_counter_is_unknown_not_negative, a_bad_line_is_named_and_the_others_are_read,
	a_name_with_a_slash, a_device_that_becomes_part_of_the_stack_later)
