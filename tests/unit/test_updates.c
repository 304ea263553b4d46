/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/clock.h"
#include "collectors/updates.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_clock;
extern const struct collector collector_updates;

START_TEST(a_newer_kernel_of_the_same_flavour_wants_a_reboot)
{
	ck_assert(kernel_replaces("6.1.0-21-amd64", "6.1.0-18-amd64"));
	ck_assert(kernel_replaces("6.1.0-18-amd64", "6.1.0-9-amd64"));
	ck_assert(kernel_replaces("6.12.48+deb13-cloud-amd64", "6.12.43+deb13-cloud-amd64"));
	ck_assert(kernel_replaces("6.6.8-200.fc39.x86_64", "6.5.6-300.fc39.x86_64"));
	ck_assert(kernel_replaces("5.15.0-101-generic", "5.15.0-91-generic"));
	ck_assert(!kernel_replaces("6.1.0-18-amd64", "6.1.0-18-amd64"));
	ck_assert(!kernel_replaces("6.1.0-17-amd64", "6.1.0-18-amd64"));
	ck_assert(!kernel_replaces("6.1.0-21-cloud-amd64", "6.1.0-18-amd64"));
	ck_assert(!kernel_replaces("0-rescue-5f3b", "6.5.6-300.fc39.x86_64"));
	ck_assert(!kernel_replaces("", "6.1.0-18-amd64"));
}
END_TEST

START_TEST(notices_of_ubuntu)
{
	unsigned all = 77, security = 77;

	ck_assert(updates_parse_notice(
		"\nExpanded Security Maintenance for Applications is not enabled.\n\n"
		"12 updates can be applied immediately.\n"
		"1 of these updates is a standard security update.\n"
		"To see these additional updates run: apt list --upgradable\n\n"
		"5 additional security updates can be applied with ESM Apps.\n",
		&all, &security));
	ck_assert_uint_eq(all, 12);
	ck_assert_uint_eq(security, 1);
	ck_assert(updates_parse_notice(
		"\n3 packages can be updated.\n0 updates are security updates.\n", &all,
		&security));
	ck_assert_uint_eq(all, 3);
	ck_assert_uint_eq(security, 0);
	ck_assert(updates_parse_notice("0 updates can be applied immediately.\n", &all, &security));
	ck_assert_uint_eq(all, 0);
	ck_assert_uint_eq(security, 0);
	all = 77;
	ck_assert(!updates_parse_notice(
		"12 Aktualisierungen sind verf\xc3\xbcgbar.\n", &all, &security));
	ck_assert(!updates_parse_notice("", &all, &security));
	ck_assert_uint_eq(all, 77);
}
END_TEST

START_TEST(simulation_of_apt)
{
	unsigned all, security;

	updates_parse_apt_simulation(
		"NOTE: This is only a simulation!\n"
		"Reading package lists...\n"
		"Inst base-files [12.4+deb12u4] (12.4+deb12u5 Debian:12.5/stable [amd64])\n"
		"Inst libc6 [2.36-9+deb12u4] (2.36-9+deb12u6 Debian-Security:12/stable-security "
		"[amd64]) []\n"
		"Inst curl [7.88.1-10] (7.88.1-10+deb12u5 Debian:12.5/stable, "
		"Debian-Security:12/stable-security [amd64])\n"
		"Inst openssl [3.0.2-0ubuntu1] (3.0.2-0ubuntu1.15 Ubuntu:22.04/jammy-updates, "
		"Ubuntu:22.04/jammy-security [amd64])\n"
		"Inst linux-image-6.1.0-21-amd64 (6.1.90-1 Debian-Security:12/stable-security "
		"[amd64])\n"
		"Conf libc6 (2.36-9+deb12u6 Debian-Security:12/stable-security [amd64])\n",
		&all, &security);
	ck_assert_uint_eq(all, 4);
	ck_assert_uint_eq(security, 3);
	updates_parse_apt_simulation("", &all, &security);
	ck_assert_uint_eq(all, 0);
	ck_assert_uint_eq(security, 0);
}
END_TEST

START_TEST(a_flag_of_the_system_means_reboot)
{
	recorded_begin("host-v2", &collector_updates);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_reboot_required), 1);
	ck_assert_double_nan(recorded_host(HOST_updates_pending));
	ck_assert_str_eq(recorded_why(HOST_updates_pending),
		"not known yet: the package manager is asked once a day");
	/* Looked at now and then only. */
	ck_assert_int_eq(unlink(scratch_path("run/reboot-required")), 0);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_reboot_required), 1);
	for (int i = 0; i < 14; i++)
		ck_assert_int_eq(recorded_sample(140 + i), 0);
	ck_near(recorded_host(HOST_reboot_required), 0);
	recorded_end();
}
END_TEST

START_TEST(updates_of_an_ubuntu_host)
{
	recorded_begin("host-old", &collector_updates);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_host(HOST_reboot_required),
		1); /* 4.4.0-212 is installed, 4.4.0-210 runs */
	ck_near(recorded_host(HOST_updates_pending), 12);
	ck_near(recorded_host(HOST_security_updates_pending), 5);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(recorded_host(HOST_updates_pending), 12);
	recorded_end();
}
END_TEST

START_TEST(the_clock_is_judged)
{
	struct timex t = {.offset = 1500, .status = STA_PLL | STA_NANO};

	ck_near(clock_judge(&t, TIME_OK).offset_seconds * 1e6, 1.5);
	ck_assert(clock_judge(&t, TIME_OK).synchronized);
	ck_assert(clock_judge(&t, TIME_INS).synchronized);
	ck_assert(!clock_judge(&t, TIME_ERROR).synchronized);
	t.status = STA_UNSYNC;
	t.offset = -250000;
	ck_near(clock_judge(&t, TIME_OK).offset_seconds, -0.25);
	ck_assert(!clock_judge(&t, TIME_OK).synchronized);
}
END_TEST

START_TEST(the_clock_of_this_machine)
{
	recorded_begin("host-v2", &collector_clock);
	ck_assert_int_eq(recorded_sample(100), COLLECTOR_ABSENT);
	recorded.live = true;
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_double_le(fabs(recorded_host(HOST_clock_offset_seconds)), 1);
	ck_assert_double_ge(recorded_host(HOST_clock_synchronized), 0);
	recorded_end();
}
END_TEST

RUN_TESTS("updates", a_newer_kernel_of_the_same_flavour_wants_a_reboot, notices_of_ubuntu,
	simulation_of_apt, a_flag_of_the_system_means_reboot, updates_of_an_ubuntu_host,
	the_clock_is_judged, the_clock_of_this_machine)
