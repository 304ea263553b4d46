/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sys/stat.h>

#include "collectors/cgroup_reader.h"
#include "tests/unit/recorded.h"

#define ID_A "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"
#define ID_B "b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7"
#define WEB "system.slice/docker-" ID_A ".scope"
#define WEB_FILE(name) "sys/fs/cgroup/" WEB "/" name

static struct cgroup_tree tree;
static struct cgroup_reader reader;
static struct cgroup group;
static struct cgroup_numbers numbers;
static int proc_fd, sys_fd;

static void begin(const char *fixture, const char *path, size_t kept_max)
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
	cgroup_reader_init(&reader, &tree, proc_fd, sys_fd, kept_max);
	cgroup_init(&group, path, 0);
}

static void end(void)
{
	cgroup_done(&reader, &group);
	ck_assert_uint_eq(reader.kept, 0);
	cgroup_tree_done(&tree);
	(void)close(proc_fd);
	(void)close(sys_fd);
	scratch_remove();
}

static int sample(void)
{
	return cgroup_read(&reader, &group, &numbers);
}

static double v(enum cgroup_metric m)
{
	return numbers.v[m];
}

static const char *why(enum cgroup_metric m)
{
	return numbers.missing[m] ? numbers.missing[m] : "";
}

START_TEST(v2_numbers_are_in_the_units_of_the_table)
{
	begin("cgroup-v2-docker", WEB, 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_cpu_used_percent), 30);
	ck_assert_double_eq(v(CGROUP_cpu_user_percent), 20);
	ck_assert_double_eq(v(CGROUP_cpu_system_percent), 10);
	ck_assert_double_eq(v(CGROUP_cpu_periods_per_second), 1000);
	ck_assert_double_eq(v(CGROUP_cpu_throttled_periods_per_second), 250);
	ck_assert_double_eq(v(CGROUP_cpu_throttled_seconds_per_second), 12.5);
	ck_assert_double_eq(v(CGROUP_cpu_limit_cores), 0.5);
	ck_assert_double_eq(v(CGROUP_memory_usage_bytes), 104857600);
	ck_assert_double_eq(v(CGROUP_memory_anon_bytes), 41943040);
	ck_assert_double_eq(v(CGROUP_memory_file_bytes), 52428800);
	ck_assert_double_eq(v(CGROUP_memory_swap_bytes), 1048576);
	ck_assert_double_eq(v(CGROUP_memory_limit_bytes), 268435456);
	ck_assert_double_eq(v(CGROUP_oom_kills), 2);
	ck_assert_double_eq(v(CGROUP_processes), 12);
	ck_assert_double_eq(v(CGROUP_processes_limit), 100);
	ck_assert_double_eq(v(CGROUP_pressure_cpu_some_percent), 1200345);
	ck_assert_double_eq(v(CGROUP_pressure_memory_some_percent), 5000);
	ck_assert_double_eq(v(CGROUP_pressure_io_some_percent), 77000);
	end();
}
END_TEST

START_TEST(v1_numbers_are_in_the_units_of_the_table)
{
	begin("cgroup-v1", "docker/" ID_A, 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_cpu_used_percent), 30);
	ck_assert_double_eq(v(CGROUP_cpu_user_percent), 20);
	ck_assert_double_eq(v(CGROUP_cpu_system_percent), 10);
	ck_assert_double_eq(v(CGROUP_cpu_throttled_seconds_per_second), 12.5);
	ck_assert_double_eq(v(CGROUP_cpu_limit_cores), 0.5);
	ck_assert_double_eq(v(CGROUP_memory_anon_bytes), 41943040);
	ck_assert_double_eq(v(CGROUP_memory_file_bytes), 52428800);
	ck_assert_double_eq(v(CGROUP_memory_swap_bytes), 1048576);
	ck_assert_double_eq(v(CGROUP_memory_limit_bytes), 268435456);
	ck_assert_double_eq(v(CGROUP_disk_read_bytes_per_second), 4096000);
	ck_assert_double_eq(v(CGROUP_disk_written_bytes_per_second), 8192000);
	ck_assert_double_eq(v(CGROUP_disk_reads_per_second), 100);
	ck_assert_double_eq(v(CGROUP_disk_writes_per_second), 200);
	ck_assert_double_eq(v(CGROUP_processes_limit), 100);
	ck_assert_str_eq(why(CGROUP_oom_kills), "this kernel does not count OOM kills of a cgroup");
	ck_assert_str_eq(
		why(CGROUP_pressure_cpu_some_percent), "pressure of containers needs cgroup v2");
	end();
}
END_TEST

START_TEST(used_memory_is_what_docker_stats_shows)
{
	begin("cgroup-v2-docker", WEB, 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_memory_used_bytes), 104857600 - 20971520);
	ck_assert_double_eq(v(CGROUP_memory_used_percent), 31.25);
	end();
	/* More inactive file cache than usage, read a moment later: 0, never negative. */
	begin("cgroup-v2-docker", "system.slice/docker-" ID_B ".scope", 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_memory_used_bytes), 0);
	end();
}
END_TEST

/* C.4, trap 4: the same bytes on sda, on the LVM volume on it, and in a loop device. */
START_TEST(trap_stacked_block_devices_count_once)
{
	begin("cgroup-v2-docker", WEB, 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_disk_read_bytes_per_second), 4096000);
	ck_assert_double_eq(v(CGROUP_disk_written_bytes_per_second), 8192000);
	ck_assert_double_eq(v(CGROUP_disk_reads_per_second), 100);
	ck_assert_double_eq(v(CGROUP_disk_writes_per_second), 200);
	end();
}
END_TEST

/* C.4, trap 5. */
START_TEST(trap_a_kernel_that_counts_no_v1_disk_traffic_is_not_zero)
{
	begin("cgroup-hybrid", "docker/" ID_A, 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert(isnan(v(CGROUP_disk_read_bytes_per_second)));
	ck_assert_ptr_nonnull(strstr(why(CGROUP_disk_read_bytes_per_second), "bfq"));
	ck_assert_double_eq(v(CGROUP_oom_kills), 2);
	end();
}
END_TEST

START_TEST(v1_disk_traffic_is_taken_from_the_scheduler_in_charge)
{
	begin("cgroup-v1", "docker/" ID_A, 100);
	recorded_write("sys/fs/cgroup/blkio/blkio.bfq.io_service_bytes_recursive", "8:0 Read 5\n");
	recorded_write("sys/fs/cgroup/blkio/docker/" ID_A "/blkio.bfq.io_service_bytes_recursive",
		"8:0 Read 5\n8:0 Write 7\n");
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_disk_read_bytes_per_second), 4096000);
	for (unsigned i = 0; i < CGROUP_REFRESH_SAMPLES; i++)
		cgroup_reader_begin(&reader);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_disk_read_bytes_per_second), 5);
	ck_assert_double_eq(v(CGROUP_disk_written_bytes_per_second), 7);
	end();
}
END_TEST

/* C.4, trap 6: a rootless container without the memory and io controllers. */
START_TEST(trap_a_controller_that_is_off_is_missing_not_zero)
{
	begin("cgroup-v2-podman",
		"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID_B ".scope",
		100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_cpu_used_percent), 5);
	ck_assert_double_eq(v(CGROUP_processes), 2);
	ck_assert(isnan(v(CGROUP_memory_used_bytes)));
	ck_assert_ptr_nonnull(strstr(why(CGROUP_memory_used_bytes), "cgroup_enable=memory"));
	ck_assert_ptr_nonnull(strstr(why(CGROUP_oom_kills), "cgroup_enable=memory"));
	ck_assert_str_eq(why(CGROUP_disk_read_bytes_per_second), "the io controller is off for it");
	ck_assert_str_eq(
		why(CGROUP_cpu_throttled_periods_per_second), "the cpu controller is off for it");
	ck_assert_str_eq(
		why(CGROUP_pressure_cpu_some_percent), "this kernel does not measure pressure");
	end();
}
END_TEST

/* C.4, trap 9. */
START_TEST(trap_the_memory_of_the_machine_is_no_limit)
{
	begin("cgroup-v2-docker", "system.slice/docker-" ID_B ".scope", 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert(isnan(v(CGROUP_memory_limit_bytes)));
	ck_assert_str_eq(why(CGROUP_memory_limit_bytes), "no limit is set");
	ck_assert_str_eq(why(CGROUP_memory_used_percent), "no limit is set");
	ck_assert_str_eq(why(CGROUP_cpu_limit_cores), "no limit is set");
	ck_assert_str_eq(why(CGROUP_processes_limit), "no limit is set");
	recorded_write(
		"sys/fs/cgroup/system.slice/docker-" ID_B ".scope/memory.max", "8589934592\n");
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_str_eq(why(CGROUP_memory_limit_bytes), "no limit is set");
	end();
	begin("cgroup-v1", "system.slice/nginx.service", 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_str_eq(why(CGROUP_memory_limit_bytes), "no limit is set");
	ck_assert_str_eq(why(CGROUP_cpu_limit_cores), "no limit is set");
	end();
}
END_TEST

START_TEST(the_smallest_limit_of_those_above_applies)
{
	begin("cgroup-v2-podman", "machine.slice/libpod-" ID_A ".scope", 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_memory_limit_bytes), 536870912);
	ck_assert_double_eq(v(CGROUP_processes_limit), 2048);
	end();
	/* CPUs it may not run on are a limit too. */
	begin("cgroup-v1", "docker/" ID_A, 100);
	recorded_write("sys/fs/cgroup/cpu,cpuacct/docker/" ID_A "/cpu.cfs_quota_us", "-1\n");
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_cpu_limit_cores), 1);
	ck_assert(isnan(numbers.cpu_quota_cores));
	end();
}
END_TEST

START_TEST(limits_are_read_now_and_then)
{
	begin("cgroup-v2-docker", WEB, 100);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_int_eq(sample(), CGROUP_OK);
	recorded_write(WEB_FILE("memory.max"), "104857600\n");
	for (unsigned i = 2; i < CGROUP_REFRESH_SAMPLES; i++)
		ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_memory_limit_bytes), 268435456);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_memory_limit_bytes), 104857600);
	end();
}
END_TEST

START_TEST(files_stay_open_within_the_budget)
{
	begin("cgroup-v2-docker", WEB, 4);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_uint_eq(reader.kept, 4);
	recorded_write(WEB_FILE("pids.current"), "13\n");
	recorded_write(WEB_FILE("memory.current"), "1000\n");
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_uint_eq(reader.kept, 4);
	ck_assert_double_eq(v(CGROUP_processes), 13);
	ck_assert_double_eq(v(CGROUP_memory_usage_bytes), 1000);
	end();
	begin("cgroup-v2-docker", WEB, 0);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_uint_eq(reader.kept, 0);
	ck_assert_double_eq(v(CGROUP_processes), 12);
	end();
}
END_TEST

static void remove_group(void)
{
	DIR *d = opendir(scratch_path("sys/fs/cgroup/" WEB));
	const struct dirent *entry;

	while ((entry = readdir(d)))
		(void)unlinkat(dirfd(d), entry->d_name, 0);
	(void)closedir(d);
	ck_assert_int_eq(rmdir(scratch_path("sys/fs/cgroup/" WEB)), 0);
}

/* C.4, trap 1. */
START_TEST(trap_a_cgroup_that_ends_is_gone_not_an_error)
{
	begin("cgroup-v2-docker", WEB, 0);
	ck_assert_int_eq(sample(), CGROUP_OK);
	remove_group();
	ck_assert_int_eq(sample(), CGROUP_GONE);
	end();
	/* Already gone at the first look. */
	begin("cgroup-v2-docker", "system.slice/docker-gone.scope", 100);
	ck_assert_int_eq(sample(), CGROUP_GONE);
	end();
}
END_TEST

START_TEST(a_file_that_goes_alone_is_missing_until_it_is_back)
{
	begin("cgroup-v2-docker", WEB, 0);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_int_eq(unlink(scratch_path(WEB_FILE("pids.current"))), 0);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_str_eq(why(CGROUP_processes), "the pids controller is off for it");
	recorded_write(WEB_FILE("pids.current"), "5\n");
	for (unsigned i = 2; i <= CGROUP_REFRESH_SAMPLES; i++)
		ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_processes), 5);
	end();
}
END_TEST

START_TEST(oom_kills_can_be_read_alone)
{
	double kills = -1;

	begin("cgroup-v2-docker", WEB, 0);
	ck_assert(cgroup_read_oom_kills(&reader, &group, &kills));
	ck_assert_double_eq(kills, 2);
	end();
	begin("cgroup-v1", "docker/" ID_A, 0);
	ck_assert(!cgroup_read_oom_kills(&reader, &group, &kills));
	end();
}
END_TEST

START_TEST(kills_below_that_are_set_apart_are_not_its_own)
{
	double kills = -1;

	begin("cgroup-v2-docker", "system.slice", 0);
	recorded_write("sys/fs/cgroup/system.slice/memory.events", "oom 5\noom_kill 5\n");
	reader.apart = WEB;
	ck_assert(cgroup_read_oom_kills(&reader, &group, &kills));
	ck_assert_double_eq(kills, 3);
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert_double_eq(v(CGROUP_oom_kills), 3);
	end();
	/* Not of others, of itself, or of one that is not there. */
	begin("cgroup-v2-docker", WEB, 0);
	reader.apart = WEB;
	ck_assert(cgroup_read_oom_kills(&reader, &group, &kills));
	ck_assert_double_eq(kills, 2);
	reader.apart = WEB "/none";
	ck_assert(cgroup_read_oom_kills(&reader, &group, &kills));
	ck_assert_double_eq(kills, 2);
	end();
}
END_TEST

START_TEST(garbage_in_a_file_leaves_the_rest)
{
	begin("cgroup-v2-docker", WEB, 100);
	recorded_write(WEB_FILE("memory.current"), "a lot\n");
	recorded_write(WEB_FILE("cpu.stat"), "\n\n usage_usec\n");
	recorded_write(WEB_FILE("cpu.max"), "\xff\xff");
	ck_assert_int_eq(sample(), CGROUP_OK);
	ck_assert(isnan(v(CGROUP_memory_usage_bytes)));
	ck_assert_str_eq(
		why(CGROUP_memory_usage_bytes), "the kernel's file could not be understood");
	ck_assert(isnan(v(CGROUP_memory_used_bytes)));
	ck_assert(isnan(v(CGROUP_cpu_used_percent)));
	ck_assert(isnan(v(CGROUP_cpu_limit_cores)));
	ck_assert_double_eq(v(CGROUP_processes), 12);
	end();
}
END_TEST

RUN_TESTS("cgroup_reader", v2_numbers_are_in_the_units_of_the_table,
	v1_numbers_are_in_the_units_of_the_table, used_memory_is_what_docker_stats_shows,
	trap_stacked_block_devices_count_once,
	trap_a_kernel_that_counts_no_v1_disk_traffic_is_not_zero,
	v1_disk_traffic_is_taken_from_the_scheduler_in_charge,
	trap_a_controller_that_is_off_is_missing_not_zero,
	trap_the_memory_of_the_machine_is_no_limit, the_smallest_limit_of_those_above_applies,
	limits_are_read_now_and_then, files_stay_open_within_the_budget,
	trap_a_cgroup_that_ends_is_gone_not_an_error,
	a_file_that_goes_alone_is_missing_until_it_is_back, oom_kills_can_be_read_alone,
	kills_below_that_are_set_apart_are_not_its_own, garbage_in_a_file_leaves_the_rest)
