/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/kernel.h"
#include "collectors/load.h"
#include "collectors/pressure.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_kernel;
extern const struct collector collector_load;
extern const struct collector collector_pressure;

START_TEST(kernel_counters_become_rates)
{
	double page = (double)sysconf(_SC_PAGESIZE);

	recorded_begin("host-v2", &collector_kernel);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_file_handles_used), 3104);
	ck_assert_double_gt(recorded_host(HOST_file_handles_max), 9e18);
	ck_near(recorded_host(HOST_uptime_seconds), 4123.71);
	recorded_edit("proc/vmstat", "pgmajfault 4321", "pgmajfault 4341");
	recorded_edit("proc/vmstat", "oom_kill 2", "oom_kill 5");
	recorded_edit("proc/vmstat", "pswpin 2048", "pswpin 2148");
	recorded_edit("proc/vmstat", "pswpout 131071", "pswpout 131271");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_major_faults_per_second), 1);
	ck_near(recorded_host(HOST_oom_kills), 3);
	ck_near(recorded_host(HOST_swap_in_bytes_per_second), 5 * page);
	ck_near(recorded_host(HOST_swap_out_bytes_per_second), 10 * page);
	recorded_end();
}
END_TEST

START_TEST(a_kernel_without_oom_counter_says_so)
{
	recorded_begin("host-old", &collector_kernel);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_double_nan(recorded_host(HOST_oom_kills));
	ck_assert_ptr_nonnull(strstr(recorded_why(HOST_oom_kills), "4.13"));
	ck_near(recorded_host(HOST_major_faults_per_second), 0);
	recorded_end();
}
END_TEST

START_TEST(a_broken_kernel_file_leaves_the_others)
{
	recorded_begin("host-v2", &collector_kernel);
	recorded_write("proc/sys/fs/file-nr", "3104\t0\n");
	recorded_write("proc/vmstat", "oom_kill none\n");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	ck_assert_ptr_nonnull(strstr(
		recorded_error.msg, "/proc/vmstat: line 1: oom_kill is not followed by a number"));
	ck_assert_double_nan(recorded_host(HOST_file_handles_used));
	ck_near(recorded_host(HOST_uptime_seconds), 4123.71);
	recorded_write("proc/vmstat", "oom_kill 2\n");
	ck_assert_int_eq(recorded_sample(120), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(recorded_error.msg, "/file-nr: line 1: field 3 is not a number"));
	recorded_end();
}
END_TEST

START_TEST(load_and_processes)
{
	recorded_begin("host-v2", &collector_load);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_load1), 0.52);
	ck_near(recorded_host(HOST_load5), 0.58);
	ck_near(recorded_host(HOST_load15), 0.59);
	ck_near(recorded_host(HOST_processes_total), 412);
	recorded_write("proc/loadavg", "0.52 0.58 0.59 2-412 18229\n");
	ck_assert_int_eq(recorded_sample(120), -EINVAL);
	ck_assert_ptr_nonnull(strstr(
		recorded_error.msg, "/proc/loadavg: line 1: field 4 is not \"running/all\""));
	recorded_write("proc/loadavg", "0.52 none\n");
	ck_assert_int_eq(recorded_sample(140), -EINVAL);
	ck_assert_ptr_nonnull(strstr(recorded_error.msg, "field 2 is not a number"));
	ck_assert_double_nan(recorded_host(HOST_load1));
	recorded_end();
}
END_TEST

START_TEST(pressure_is_the_share_of_time_waited)
{
	recorded_begin("host-v2", &collector_pressure);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/pressure/cpu", "total=18722297", "total=20722297");
	recorded_edit("proc/pressure/io", "total=30500100", "total=35500100");
	recorded_edit("proc/pressure/io", "total=21400700", "total=22400700");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_pressure_cpu_some_percent), 10);
	ck_near(recorded_host(HOST_pressure_io_some_percent), 25);
	ck_near(recorded_host(HOST_pressure_io_full_percent), 5);
	ck_near(recorded_host(HOST_pressure_memory_some_percent), 0);
	ck_near(recorded_host(HOST_pressure_memory_full_percent), 0);
	recorded_end();
}
END_TEST

START_TEST(a_kernel_without_pressure_is_no_error)
{
	recorded_begin("host-old", &collector_pressure);
	ck_assert_int_eq(recorded_sample(100), COLLECTOR_ABSENT);
	ck_assert_double_nan(recorded_host(HOST_pressure_cpu_some_percent));
	ck_assert_ptr_nonnull(strstr(recorded_why(HOST_pressure_cpu_some_percent), "4.20"));
	ck_assert_ptr_nonnull(strstr(recorded_why(HOST_pressure_io_full_percent), "4.20"));
	recorded_end();
}
END_TEST

START_TEST(one_broken_pressure_file_leaves_the_others)
{
	recorded_begin("host-v2", &collector_pressure);
	recorded_write("proc/pressure/cpu", "some avg10=0.12 total=x\n");
	recorded_write("proc/pressure/io", "full avg10=0.12 total=3\n");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(recorded_error.msg, "/proc/pressure/cpu: line 1: there is no total=NUMBER"));
	ck_assert_int_eq(recorded_sample(120), -EINVAL);
	ck_near(recorded_host(HOST_pressure_memory_some_percent), 0);
	recorded_end();
}
END_TEST

RUN_TESTS("kernel", kernel_counters_become_rates, a_kernel_without_oom_counter_says_so,
	a_broken_kernel_file_leaves_the_others, load_and_processes,
	pressure_is_the_share_of_time_waited, a_kernel_without_pressure_is_no_error,
	one_broken_pressure_file_leaves_the_others)
