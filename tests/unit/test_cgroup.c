/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup.h"
#include "tests/unit/recorded.h"

static struct cgroup_layout layout;

static void parse(const char *text)
{
	char copy[4096];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	cgroup_layout_parse(copy, &layout);
}

START_TEST(v2_is_one_tree)
{
	parse("31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 "
	      "rw,nsdelegate\n");
	ck_assert_int_eq(layout.mode, CGROUP_MODE_V2);
	ck_assert_str_eq(layout.mounts[CGROUP_UNIFIED], "/sys/fs/cgroup");
	ck_assert_str_eq(layout.mounts[CGROUP_MEMORY], "");
}
END_TEST

START_TEST(v1_controllers_may_be_joint)
{
	parse("31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
	      "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup "
	      "rw,cpu,cpuacct\n"
	      "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	      "32 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n");
	ck_assert_int_eq(layout.mode, CGROUP_MODE_V1);
	ck_assert_str_eq(layout.mounts[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct");
	ck_assert_str_eq(layout.mounts[CGROUP_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct");
	ck_assert_str_eq(layout.mounts[CGROUP_MEMORY], "/sys/fs/cgroup/memory");
	ck_assert_str_eq(layout.mounts[CGROUP_PIDS], "");
}
END_TEST

START_TEST(v1_controllers_beside_an_empty_v2_tree_are_hybrid)
{
	parse("34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	ck_assert_int_eq(layout.mode, CGROUP_MODE_HYBRID);
}
END_TEST

START_TEST(a_v1_mount_for_systemd_alone_leaves_v2)
{
	parse("40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
	      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	ck_assert_int_eq(layout.mode, CGROUP_MODE_V2);
	ck_assert_str_eq(layout.mounts[CGROUP_UNIFIED], "/sys/fs/cgroup/unified");
}
END_TEST

START_TEST(the_usual_mount_point_wins)
{
	parse("50 31 0:28 / /var/lib/x/cgroup rw - cgroup2 cgroup2 rw\n"
	      "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	      "51 31 0:28 / /mnt/sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	ck_assert_str_eq(layout.mounts[CGROUP_UNIFIED], "/sys/fs/cgroup");
	parse("50 31 0:28 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
	ck_assert_str_eq(layout.mounts[CGROUP_UNIFIED], "/my groups");
}
END_TEST

START_TEST(broken_lines_are_skipped)
{
	parse("");
	ck_assert_int_eq(layout.mode, CGROUP_MODE_NONE);
	parse("31 23 0:28 / /sys/fs/cgroup rw\n- cgroup2\n31 23 0:28 / /x rw -\n31 23 0:28 / /x rw "
	      "- cgroup2\n"
	      "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup");
	ck_assert_int_eq(layout.mode, CGROUP_MODE_NONE);
}
END_TEST

static void open_fixture(struct cgroup_tree *t, const char *name)
{
	int root, proc, sys;

	scratch_make();
	recorded_copy(name);
	root = recorded_dir(".");
	proc = recorded_dir("proc");
	sys = recorded_dir("sys");
	cgroup_tree_init(t);
	ck_assert_int_eq(cgroup_tree_open(t, root, proc, sys, false, &recorded_error), 0);
	(void)close(root);
	(void)close(proc);
	(void)close(sys);
}

static bool has(int dir, const char *file)
{
	return dir >= 0 && faccessat(dir, file, F_OK, 0) == 0;
}

START_TEST(the_tree_of_each_controller_is_opened)
{
	struct cgroup_tree t;

	open_fixture(&t, "cgroup-v1");
	ck_assert_int_eq(t.mode, CGROUP_MODE_V1);
	ck_assert(has(cgroup_tree_fd(&t, CGROUP_CPUACCT), "docker/cgroup.procs") == false);
	ck_assert(has(cgroup_tree_fd(&t, CGROUP_CPUACCT), "cpuacct.usage"));
	ck_assert(has(cgroup_tree_fd(&t, CGROUP_CPU), "cpu.stat"));
	ck_assert(has(cgroup_tree_walk_fd(&t), "memory.stat"));
	ck_assert(!t.partial);
	cgroup_tree_done(&t);
	scratch_remove();

	open_fixture(&t, "cgroup-v2-docker");
	ck_assert_int_eq(t.mode, CGROUP_MODE_V2);
	ck_assert_int_eq(cgroup_tree_fd(&t, CGROUP_MEMORY), cgroup_tree_walk_fd(&t));
	ck_assert(has(cgroup_tree_walk_fd(&t), "cgroup.controllers"));
	ck_assert(!t.partial);
	cgroup_tree_done(&t);
	scratch_remove();
}
END_TEST

START_TEST(the_empty_v2_tree_of_a_hybrid_machine_is_not_read)
{
	struct cgroup_tree t;

	open_fixture(&t, "cgroup-hybrid");
	ck_assert_int_eq(t.mode, CGROUP_MODE_HYBRID);
	ck_assert(has(cgroup_tree_walk_fd(&t), "memory.stat"));
	ck_assert(!has(cgroup_tree_fd(&t, CGROUP_CPU), "cgroup.controllers"));
	cgroup_tree_done(&t);
	scratch_remove();
}
END_TEST

START_TEST(a_namespace_of_its_own_is_noticed)
{
	struct cgroup_tree t;
	int root, proc, sys;

	scratch_make();
	recorded_copy("cgroup-v2-docker");
	recorded_write("sys/fs/cgroup/cgroup.type", "domain\n");
	root = recorded_dir(".");
	proc = recorded_dir("proc");
	sys = recorded_dir("sys");
	cgroup_tree_init(&t);
	ck_assert_int_eq(cgroup_tree_open(&t, root, proc, sys, false, NULL), 0);
	ck_assert(t.partial);
	cgroup_tree_done(&t);
	(void)close(root);
	(void)close(proc);
	(void)close(sys);
	scratch_remove();
}
END_TEST

RUN_TESTS("cgroup", v2_is_one_tree, v1_controllers_may_be_joint,
	v1_controllers_beside_an_empty_v2_tree_are_hybrid, a_v1_mount_for_systemd_alone_leaves_v2,
	the_usual_mount_point_wins, broken_lines_are_skipped, the_tree_of_each_controller_is_opened,
	the_empty_v2_tree_of_a_hybrid_machine_is_not_read, a_namespace_of_its_own_is_noticed)
