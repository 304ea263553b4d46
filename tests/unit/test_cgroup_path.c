/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "collectors/cgroup_path.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD_UID "1d5b3c2a-6b1f-4c52-9d1e-0f9b8a7c6d5e"
#define POD_UID_ "1d5b3c2a_6b1f_4c52_9d1e_0f9b8a7c6d5e"

static const struct row {
	const char *path;
	enum cgroup_kind kind;
	const char *engine, *id, *name, *pod;
} rows[] = {
	/* Docker: cgroupfs driver, systemd driver, rootless, a parent of one's own. */
	{"docker/" ID, CGROUP_CONTAINER, "docker", ID, "", ""},
	{"/docker/" ID "/", CGROUP_CONTAINER, "docker", ID, "", ""},
	{"system.slice/docker-" ID ".scope", CGROUP_CONTAINER, "docker", ID, "", ""},
	{"user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope",
		CGROUP_CONTAINER, "docker", ID, "", ""},
	{"user.slice/user-1000.slice/user@1000.service/app.slice/docker.service/docker/" ID,
		CGROUP_CONTAINER, "docker", ID, "", ""},
	{"shop/" ID, CGROUP_CONTAINER, "", ID, "", ""},
	{"shop.slice/docker-" ID ".scope", CGROUP_CONTAINER, "docker", ID, "", ""},
	{"system.slice:docker:" ID, CGROUP_CONTAINER, "docker", ID, "", ""},
	{"ecs/0123456789abcdef0123456789abcdef/" ID, CGROUP_CONTAINER, "", ID, "", ""},
	{"docker", CGROUP_FOLDER, "", "", "", ""},
	{"docker/buildkit", CGROUP_IGNORE, "", "", "", ""},
	{"docker/buildkit/" ID, CGROUP_IGNORE, "", "", "", ""},
	{"docker/" ID "0", CGROUP_FOLDER, "", "", "", ""},
	/* Podman. */
	{"machine.slice/libpod-" ID ".scope", CGROUP_CONTAINER, "podman", ID, "", ""},
	{"machine.slice/libpod-" ID ".scope/container", CGROUP_IGNORE, "", "", "", ""},
	{"machine.slice/libpod-" ID ".scope/init.scope", CGROUP_IGNORE, "", "", "", ""},
	{"machine.slice/libpod-conmon-" ID ".scope", CGROUP_IGNORE, "", "", "", ""},
	{"machine.slice/machine-libpod_pod_" ID ".slice/libpod-" ID ".scope", CGROUP_CONTAINER,
		"podman", ID, "", ""},
	{"libpod_parent/libpod-" ID, CGROUP_CONTAINER, "podman", ID, "", ""},
	{"libpod_parent/libpod-conmon-" ID, CGROUP_IGNORE, "", "", "", ""},
	{"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
		CGROUP_CONTAINER, "podman", ID, "", ""},
	{"system.slice/web.service/libpod-payload-" ID, CGROUP_CONTAINER, "podman", ID, "", ""},
	{"system.slice/web.service/runtime", CGROUP_IGNORE, "", "", "", ""},
	{"user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-" ID,
		CGROUP_CONTAINER, "podman", ID, "", ""},
	/* Kubernetes. */
	{"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_UID_
	 ".slice/cri-containerd-" ID ".scope",
		CGROUP_CONTAINER, "containerd", ID, "", POD_UID},
	{"kubepods.slice/kubepods-pod" POD_UID_ ".slice/crio-" ID ".scope", CGROUP_CONTAINER,
		"cri-o", ID, "", POD_UID},
	{"kubepods.slice/kubepods-pod" POD_UID_ ".slice/crio-conmon-" ID ".scope", CGROUP_IGNORE,
		"", "", "", ""},
	{"kubepods/burstable/pod" POD_UID "/" ID, CGROUP_CONTAINER, "containerd", ID, "", POD_UID},
	{"kubepods/pod" POD_UID "/" ID, CGROUP_CONTAINER, "containerd", ID, "", POD_UID},
	{"kubepods/burstable/pod" POD_UID, CGROUP_FOLDER, "", "", "", POD_UID},
	{"system.slice/containerd.service/kubepods-besteffort-pod" POD_UID_
	 ".slice:cri-containerd:" ID,
		CGROUP_CONTAINER, "containerd", ID, "", POD_UID},
	{"system.slice/nerdctl-" ID ".scope", CGROUP_CONTAINER, "containerd", ID, "", ""},
	/* LXC, Incus, Proxmox. */
	{"lxc.payload.web", CGROUP_CONTAINER, "lxc", "", "web", ""},
	{"lxc.monitor.web", CGROUP_IGNORE, "", "", "", ""},
	{"lxc/web", CGROUP_CONTAINER, "lxc", "", "web", ""},
	{"lxc/101", CGROUP_CONTAINER, "lxc", "", "101", ""},
	{"lxc/101/ns", CGROUP_IGNORE, "", "", "", ""},
	{"lxc.payload.web/system.slice/nginx.service", CGROUP_IGNORE, "", "", "", ""},
	{"qemu.slice/100.scope", CGROUP_CONTAINER, "qemu", "", "100", ""},
	/* nspawn, libvirt. */
	{"machine.slice/systemd-nspawn@web.service", CGROUP_CONTAINER, "nspawn", "", "web", ""},
	{"machine.slice/web.service", CGROUP_CONTAINER, "nspawn", "", "web", ""},
	{"machine.slice/machine-my\\x2dweb.scope", CGROUP_CONTAINER, "nspawn", "", "my-web", ""},
	{"machine.slice/machine-qemu\\x2d3\\x2ddb\\x2done.scope", CGROUP_CONTAINER, "libvirt", "",
		"db-one", ""},
	{"machine.slice/machine-lxc\\x2d77\\x2dbox.scope", CGROUP_CONTAINER, "libvirt", "", "box",
		""},
	{"machine.slice/machine-qemu\\x2d3\\x2ddb.scope/libvirt/vcpu0", CGROUP_IGNORE, "", "", "",
		""},
	{"machine/db.libvirt-qemu", CGROUP_CONTAINER, "libvirt", "", "db", ""},
	{"machine/qemu-2-db.libvirt-qemu", CGROUP_CONTAINER, "libvirt", "", "db", ""},
	/* systemd. */
	{"system.slice/nginx.service", CGROUP_SERVICE, "", "", "nginx", ""},
	{"system.slice/system-postgresql.slice/postgresql@15-main.service", CGROUP_SERVICE, "", "",
		"postgresql@15-main", ""},
	{"a.slice/a-b.slice/job.service", CGROUP_SERVICE, "", "", "job", ""},
	{"system.slice/nginx.service/sub.service", CGROUP_IGNORE, "", "", "", ""},
	{"user.slice/user-1000.slice/user@1000.service", CGROUP_FOLDER, "", "", "", ""},
	{"user.slice/user-1000.slice/user@1000.service/app.slice/x.service", CGROUP_FOLDER, "", "",
		"", ""},
	{"user.slice/user-1000.slice/session-3.scope", CGROUP_IGNORE, "", "", "", ""},
	{"user.slice/user-1000.slice/user-runtime-dir@1000.service", CGROUP_IGNORE, "", "", "", ""},
	{"system.slice", CGROUP_FOLDER, "", "", "", ""},
	{"", CGROUP_FOLDER, "", "", "", ""},
	{"init.scope", CGROUP_IGNORE, "", "", "", ""},
	{"system.slice/home.mount", CGROUP_IGNORE, "", "", "", ""},
	{"system.slice/dev-vda1.swap", CGROUP_IGNORE, "", "", "", ""},
	{"system.slice/docker.socket", CGROUP_IGNORE, "", "", "", ""},
	{"system.slice/.service", CGROUP_FOLDER, "", "", "", ""},
	/* Folders of unknown names are looked into, but not without end. */
	{"a/b", CGROUP_FOLDER, "", "", "", ""},
	{"a/b/c", CGROUP_IGNORE, "", "", "", ""},
};

START_TEST(every_kind_of_path_is_told_apart)
{
	const struct row *r = &rows[_i];
	struct cgroup_name n;

	cgroup_path_classify(r->path, &n);
	ck_assert_msg(n.kind == r->kind, "%s: kind %d", r->path, (int)n.kind);
	ck_assert_msg(strcmp(n.engine, r->engine) == 0, "%s: engine '%s'", r->path, n.engine);
	ck_assert_msg(strcmp(n.id, r->id) == 0, "%s: id '%s'", r->path, n.id);
	ck_assert_msg(strcmp(n.name, r->name) == 0, "%s: name '%s'", r->path, n.name);
	ck_assert_msg(strcmp(n.pod, r->pod) == 0, "%s: pod '%s'", r->path, n.pod);
	if (r->kind == CGROUP_CONTAINER || r->kind == CGROUP_IGNORE)
		ck_assert_msg(!n.descend, "%s: is looked into", r->path);
	else
		ck_assert_msg(n.descend, "%s: is not looked into", r->path);
}
END_TEST

/* C.4, trap 3. */
START_TEST(nested_containers_are_not_counted_twice)
{
	static const char *const inside[] = {
		("docker/" ID "/docker/" ID),
		("system.slice/docker-" ID ".scope/docker/" ID),
		("system.slice/docker-" ID ".scope/system.slice/nginx.service"),
		("system.slice/docker-" ID ".scope/init.scope"),
		("machine.slice/libpod-" ID ".scope/container/libpod_parent/libpod-" ID),
		("lxc.payload.web/docker/" ID),
	};
	struct cgroup_name n;

	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		cgroup_path_classify(inside[i], &n);
		ck_assert_msg(n.kind == CGROUP_IGNORE && !n.descend, "%s", inside[i]);
	}
}
END_TEST

START_TEST(hostile_paths_are_bounded)
{
	char path[4096];
	struct cgroup_name n;

	memset(path, 'a', 300);
	memcpy(path + 300, ".service", sizeof(".service"));
	cgroup_path_classify(path, &n);
	ck_assert_int_eq(n.kind, CGROUP_IGNORE);
	memset(path, 'a', 230);
	memcpy(path + 230, ".service", sizeof(".service"));
	cgroup_path_classify(path, &n);
	ck_assert_int_eq(n.kind, CGROUP_SERVICE);
	ck_assert_uint_eq(strlen(n.name), CGROUP_NAME_MAX);
	*path = '\0';
	for (size_t i = 0; i < 500; i++)
		memcpy(path + i * 8, "x.slice/", 9);
	cgroup_path_classify(path, &n);
	ck_assert_int_eq(n.kind, CGROUP_IGNORE);
}
END_TEST

START_TEST(unit_names_are_decoded)
{
	char out[32];

	cgroup_unescape(out, sizeof(out), "a\\x2db\\x5fc");
	ck_assert_str_eq(out, "a-b_c");
	cgroup_unescape(out, sizeof(out), "a\\x2");
	ck_assert_str_eq(out, "a\\x2");
	cgroup_unescape(out, sizeof(out), "a\\x00b");
	ck_assert_str_eq(out, "a\\x00b");
	cgroup_unescape(out, 4, "abcdef");
	ck_assert_str_eq(out, "abc");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cgroup_path");
	TCase *t = tcase_create("core");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, every_kind_of_path_is_told_apart, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(t, nested_containers_are_not_counted_twice);
	tcase_add_test(t, hostile_paths_are_bounded);
	tcase_add_test(t, unit_names_are_decoded);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
