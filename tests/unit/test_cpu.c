/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cpu.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_cpu;

static unsigned cores_seen;

static void count_core(void *user, unsigned number, const struct cpu_ticks *t)
{
	(void)user;
	(void)number;
	(void)t;
	cores_seen++;
}

static int parse(const char *text, struct proc_stat *out)
{
	char copy[1024];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	cores_seen = 0;
	recorded_error.msg[0] = '\0';
	return stat_parse(copy, out, count_core, NULL, &recorded_error);
}

START_TEST(stat_is_parsed)
{
	struct proc_stat s;

	ck_assert_int_eq(
		parse("cpu  10 2 3 4 5 6 7 8 9 1\ncpu0 10 2 3 4 5 6 7 8 9 1\nintr 99 1 2\n"
		      "ctxt 77\nbtime 1795220000\nprocesses 5\nprocs_running 2\nprocs_blocked 1\n",
			&s),
		0);
	ck_assert_uint_eq(s.cores, 1);
	ck_assert_uint_eq(cores_seen, 1);
	ck_assert_uint_eq(s.all.of[CPU_USER], 10);
	ck_assert_uint_eq(s.all.of[CPU_STEAL], 8);
	ck_assert_double_eq(s.interrupts, 99);
	ck_assert_double_eq(s.context_switches, 77);
	ck_assert_double_eq(s.boot_time, 1795220000);
	ck_assert_double_eq(s.forks, 5);
	ck_assert_double_eq(s.running, 2);
	ck_assert_double_eq(s.blocked, 1);
}
END_TEST

START_TEST(old_kernels_have_fewer_modes)
{
	struct proc_stat s;

	ck_assert_int_eq(parse("cpu  10 2 3 4\n", &s), 0);
	ck_assert_uint_eq(s.all.of[CPU_IDLE], 4);
	ck_assert_uint_eq(s.all.of[CPU_STEAL], 0);
	ck_assert_uint_eq(s.cores, 1);
	ck_assert_double_nan(s.context_switches);
}
END_TEST

START_TEST(mistakes_are_named_with_line_and_field)
{
	struct proc_stat s;

	ck_assert_int_eq(parse("cpu  1 2 3 4\ncpu0 1 2 x 4\n", &s), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "line 2: field 4 is not a number");
	ck_assert_int_eq(parse("cpu  1 2 3 4\nctxt many\n", &s), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "line 2: ctxt is not followed by a number");
	ck_assert_int_eq(parse("cpux 1 2 3 4\n", &s), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "line 1: \"cpux 1 2 3 4\" is not a core");
	ck_assert_int_eq(parse("ctxt 3\n", &s), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "there is no line \"cpu\"");
}
END_TEST

/* 20 s on 4 cores are 8000 ticks: 800 of each are 10 %. */
START_TEST(shares_are_of_all_cores_and_guests_are_not_counted_twice)
{
	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_double_nan(recorded_host(HOST_cpu_user_percent));
	ck_assert_double_nan(recorded_host(HOST_cpu_used_percent));
	ck_near(recorded_host(HOST_cpu_cores), 4);
	recorded_edit("proc/stat", "cpu  4705 150 1120 1638250 2320 12 230 55 40 0",
		"cpu  6305 230 1520 1643290 2640 52 590 215 1640 0");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_cpu_user_percent), 20);
	ck_near(recorded_host(HOST_cpu_nice_percent), 1);
	ck_near(recorded_host(HOST_cpu_system_percent), 5);
	ck_near(recorded_host(HOST_cpu_iowait_percent), 4);
	ck_near(recorded_host(HOST_cpu_irq_percent), 5);
	ck_near(recorded_host(HOST_cpu_steal_percent), 2);
	ck_near(recorded_host(HOST_cpu_used_percent), 33);
	recorded_end();
}
END_TEST

START_TEST(the_same_file_gives_the_kernel_counters)
{
	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/stat", "ctxt 2891042", "ctxt 2901042");
	recorded_edit("proc/stat", "intr 1456789", "intr 1456989");
	recorded_edit("proc/stat", "processes 18230", "processes 18250");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_context_switches_per_second), 500);
	ck_near(recorded_host(HOST_interrupts_per_second), 10);
	ck_near(recorded_host(HOST_forks_per_second), 1);
	ck_near(recorded_host(HOST_processes_running), 2);
	ck_near(recorded_host(HOST_processes_blocked), 1);
	ck_near(recorded_host(HOST_boot_time_seconds), 1795220000);
	recorded_end();
}
END_TEST

START_TEST(each_core_has_its_own_share)
{
	const struct entity *e;

	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_core), 4);
	recorded_edit("proc/stat", "cpu1 1175 36 280 409570 560 3 60 14",
		"cpu1 2175 36 480 410370 560 3 60 14");
	ck_assert_int_eq(recorded_sample(120), 0);
	e = recorded_find(&class_core, "cpu1");
	ck_assert_str_eq(entity_label_get(e, "cpu"), "1");
	ck_near(entity_value(e, CORE_user_percent), 50);
	ck_near(entity_value(e, CORE_system_percent), 10);
	ck_near(entity_value(e, CORE_idle_percent), 40);
	ck_near(entity_value(e, CORE_used_percent), 60);
	ck_near(recorded_value(&class_core, "cpu0", CORE_used_percent), 0);
	recorded_end();
}
END_TEST

/* The sum line keeps what a core did before it went; what is divided by the number of cores must
 * not jump. */
START_TEST(a_core_that_goes_offline_does_not_disturb_the_shares)
{
	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/stat", "cpu3 1180 36 275 409570 570 3 40 14 10 0\n", "");
	recorded_edit("proc/stat", "cpu  4705 ", "cpu  7705 ");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_ptr_null(recorded_find(&class_core, "cpu3"));
	ck_near(recorded_host(HOST_cpu_cores), 3);
	ck_near(recorded_host(HOST_cpu_user_percent), 50);
	ck_near(recorded_host(HOST_cpu_system_percent), 0);
	recorded_edit("proc/stat", "intr ", "cpu3 1180 36 275 409570 570 3 40 14 10 0\nintr ");
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_assert_double_nan(recorded_value(&class_core, "cpu3", CORE_user_percent));
	ck_near(recorded_host(HOST_cpu_user_percent), 0);
	recorded_end();
}
END_TEST

START_TEST(idle_time_that_runs_back_a_little_stands_still)
{
	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/stat", "cpu  4705 150 1120 1638250 2320 ",
		"cpu  5505 150 1120 1638250 2318 ");
	recorded_edit("proc/stat", "cpu0 1180 40 290 409530 620 ", "cpu0 1980 40 290 409530 618 ");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_cpu_iowait_percent), 0);
	ck_near(recorded_host(HOST_cpu_user_percent), 10);
	ck_near(recorded_value(&class_core, "cpu0", CORE_iowait_percent), 0);
	ck_near(recorded_value(&class_core, "cpu0", CORE_used_percent), 40);
	/* Back where it was: nothing was waited meanwhile. */
	recorded_edit("proc/stat", "1638250 2318 ", "1638250 2320 ");
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_near(recorded_host(HOST_cpu_iowait_percent), 0);
	recorded_end();
}
END_TEST

START_TEST(a_reset_is_unknown_and_then_right_again)
{
	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/stat", "cpu  4705 ", "cpu  4905 ");
	ck_assert_int_eq(recorded_sample(120), 0);
	recorded_edit("proc/stat", "cpu  4905 150 1120 1638250 2320 ", "cpu  10 0 5 100 3 ");
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_assert_double_nan(recorded_host(HOST_cpu_user_percent));
	ck_assert_double_nan(recorded_host(HOST_cpu_used_percent));
	recorded_edit("proc/stat", "cpu  10 ", "cpu  810 ");
	ck_assert_int_eq(recorded_sample(160), 0);
	ck_near(recorded_host(HOST_cpu_user_percent), 10);
	recorded_end();
}
END_TEST

START_TEST(a_broken_file_is_named_and_mends_itself)
{
	char want[200];

	recorded_begin("host-v2", &collector_cpu);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/stat", "cpu2 1170", "cpu2 ?");
	ck_assert_int_eq(recorded_sample(120), -EINVAL);
	(void)snprintf(
		want, sizeof(want), "%s/proc/stat: line 4: field 2 is not a number", scratch);
	ck_assert_str_eq(recorded_error.msg, want);
	recorded_edit("proc/stat", "cpu2 ?", "cpu2 1170");
	recorded_edit("proc/stat", "cpu  4705 ", "cpu  6305 ");
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_near(recorded_host(HOST_cpu_user_percent), 10); /* over both intervals */
	recorded_end();
}
END_TEST

RUN_TESTS("cpu", stat_is_parsed, old_kernels_have_fewer_modes,
	mistakes_are_named_with_line_and_field,
	shares_are_of_all_cores_and_guests_are_not_counted_twice,
	the_same_file_gives_the_kernel_counters, each_core_has_its_own_share,
	a_core_that_goes_offline_does_not_disturb_the_shares,
	idle_time_that_runs_back_a_little_stands_still, a_reset_is_unknown_and_then_right_again,
	a_broken_file_is_named_and_mends_itself)
