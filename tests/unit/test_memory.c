/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/memory.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_memory;

static int parse(const char *text, struct memory *out)
{
	char copy[1024];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	return memory_parse(copy, out, &recorded_error);
}

START_TEST(memory_is_split)
{
	recorded_begin("host-v2", &collector_memory);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_memory_total_bytes), 8133820 * 1024.0);
	ck_near(recorded_host(HOST_memory_available_bytes), 5120000 * 1024.0);
	ck_near(recorded_host(HOST_memory_used_bytes), 3013820 * 1024.0);
	ck_near(recorded_host(HOST_memory_used_percent), 100 * 3013820 / 8133820.0);
	ck_near(recorded_host(HOST_memory_free_bytes), 512340 * 1024.0);
	ck_near(recorded_host(HOST_memory_buffers_bytes), 204800 * 1024.0);
	ck_near(recorded_host(HOST_memory_cached_bytes), 4096000 * 1024.0);
	ck_near(recorded_host(HOST_memory_cache_bytes), (4096000 + 307200 - 102400) * 1024.0);
	ck_near(recorded_host(HOST_memory_shared_bytes), 102400 * 1024.0);
	ck_near(recorded_host(HOST_memory_reclaimable_bytes), 307200 * 1024.0);
	ck_near(recorded_host(HOST_memory_arc_bytes), 1073741824);
	ck_near(recorded_host(HOST_swap_total_bytes), 2097148 * 1024.0);
	ck_near(recorded_host(HOST_swap_used_bytes), (2097148 - 1572861) * 1024.0);
	ck_near(recorded_host(HOST_swap_used_percent), 100 * (2097148 - 1572861) / 2097148.0);
	recorded_end();
}
END_TEST

START_TEST(available_is_estimated_where_the_kernel_does_not_tell)
{
	double available = (62340 + 40960 + 512000 + 61440 - 10240) * 1024.0;

	recorded_begin("host-old", &collector_memory);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_memory_available_bytes), available);
	ck_near(recorded_host(HOST_memory_used_bytes), 1017184 * 1024.0 - available);
	recorded_end();
}
END_TEST

START_TEST(without_swap_or_zfs_the_reason_is_told)
{
	recorded_begin("host-old", &collector_memory);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_swap_total_bytes), 0);
	ck_near(recorded_host(HOST_swap_used_bytes), 0);
	ck_assert_double_nan(recorded_host(HOST_swap_used_percent));
	ck_assert_str_eq(recorded_why(HOST_swap_used_percent), "there is no swap space");
	ck_assert_double_nan(recorded_host(HOST_memory_arc_bytes));
	ck_assert_str_eq(recorded_why(HOST_memory_arc_bytes), "ZFS is not loaded");
	recorded_end();
}
END_TEST

/* Containers with a view of their own can show more available than total. */
START_TEST(used_is_never_negative)
{
	recorded_begin("host-v2", &collector_memory);
	recorded_edit("proc/meminfo", "MemAvailable:    5120000", "MemAvailable:    9120000");
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_memory_used_bytes), 0);
	recorded_end();
}
END_TEST

START_TEST(mistakes_are_named)
{
	struct memory m;

	ck_assert_int_eq(parse("MemTotal: 12 kB\nMemFree: much\n", &m), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "line 2: MemFree is not followed by a number");
	ck_assert_int_eq(parse("MemTotal: 12 kB\n", &m), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "there is no line \"MemFree\"");
	ck_assert_int_eq(parse("", &m), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "there is no line \"MemTotal\"");
	ck_assert_int_eq(parse("MemTotal: 12 kB\nMemFree: 3 kB\n", &m), 0);
	ck_near(m.available, 3 * 1024);
	ck_assert_double_nan(m.cached);
}
END_TEST

START_TEST(one_broken_file_leaves_the_other)
{
	char want[200];

	recorded_begin("host-v2", &collector_memory);
	recorded_edit("proc/spl/kstat/zfs/arcstats",
		"size                            4    1073741824",
		"size                            4    huge");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	(void)snprintf(want, sizeof(want),
		"%s/proc/spl/kstat/zfs/arcstats: line 6: size is not a number", scratch);
	ck_assert_str_eq(recorded_error.msg, want);
	ck_near(recorded_host(HOST_memory_total_bytes), 8133820 * 1024.0);
	recorded_edit("proc/spl/kstat/zfs/arcstats", "4    huge", "4    17");
	ck_assert_int_eq(unlink(scratch_path("proc/meminfo")), 0);
	recorded_collector->done(recorded_state);
	ck_assert_int_eq(recorded_sample(120), -ENOENT);
	ck_assert_ptr_nonnull(strstr(recorded_error.msg, "/proc/meminfo: No such file"));
	ck_near(recorded_host(HOST_memory_arc_bytes), 17);
	recorded_end();
}
END_TEST

RUN_TESTS("memory", memory_is_split, available_is_estimated_where_the_kernel_does_not_tell,
	without_swap_or_zfs_the_reason_is_told, used_is_never_negative, mistakes_are_named,
	one_broken_file_leaves_the_other)
