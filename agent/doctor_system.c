/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the machine: cgroups, clock, container engines, libraries, pressure information, user.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/doctor_checks.h"
#include "agent/libraries.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "collectors/cgroup.h"

static void add_word(struct buf *list, const char *word)
{
	buf_addf(list, "%s%s", list->len ? ", " : "", word);
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; *p; p += strcspn(p, " \n"), p += strspn(p, " \n"))
		if (strncmp(p, word, n) == 0 && (p[n] == '\0' || p[n] == ' ' || p[n] == '\n'))
			return true;
	return false;
}

/* Controllers that measurements need and that are not there. */
static void missing_controllers(const struct cgroup_tree *t, struct buf *out)
{
	static const struct {
		const char *v1, *v2;
		enum cgroup_controller controller;
	} needed[] = {{"cpuacct", "cpu", CGROUP_CPUACCT}, {"blkio", "io", CGROUP_BLKIO},
		{"memory", "memory", CGROUP_MEMORY}, {"pids", "pids", CGROUP_PIDS}};
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	bool unified = t->mode == CGROUP_MODE_V2;

	if (unified)
		(void)fs_read(cgroup_tree_fd(t, CGROUP_UNIFIED), "cgroup.controllers", &text, NULL);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (unified ? !has_word(buf_str(&text), needed[i].v2)
			    : cgroup_tree_fd(t, needed[i].controller) < 0)
			add_word(out, unified ? needed[i].v2 : needed[i].v1);
}

static void judge_cgroup(const struct cgroup_tree *t, struct doctor_finding *f)
{
	_cleanup_(buf_done) struct buf missing = BUF_INIT(256);

	missing_controllers(t, &missing);
	if (t->mode == CGROUP_MODE_NONE)
		doctor_fault(f, DOCTOR_FAILED,
			"Mount it: mount -t cgroup2 none /sys/fs/cgroup (in a container: -v "
			"/sys/fs/cgroup:/sys/fs/cgroup:ro).",
			"no cgroup hierarchy is mounted: containers and services cannot be "
			"measured");
	else if (t->partial)
		doctor_fault(f, DOCTOR_WARNING, "Start the agent's container with --cgroupns=host.",
			"%s, but only a part of the tree can be seen from here",
			cgroup_mode_name(t->mode));
	else if (missing.len)
		doctor_fault(f, DOCTOR_WARNING,
			"Enable them on the kernel's command line, such as cgroup_enable=memory, "
			"and "
			"restart the server.",
			"%s, without %s: these values stay unknown", cgroup_mode_name(t->mode),
			buf_str(&missing));
	else
		doctor_ok(f, "%s, with all controllers", cgroup_mode_name(t->mode));
}

void doctor_cgroup(const struct doctor_context *c, struct doctor_finding *f)
{
	_cleanup_(close_p) int root = fs_open_dir(AT_FDCWD, "/", NULL);
	_cleanup_(close_p) int proc = fs_open_dir(AT_FDCWD, "/proc", NULL);
	_cleanup_(close_p) int sys = fs_open_dir(AT_FDCWD, "/sys", NULL);
	struct cgroup_tree t;
	struct err e;

	(void)c;
	cgroup_tree_init(&t);
	if (cgroup_tree_open(&t, root, proc, sys, true, &e) < 0)
		doctor_fault(f, DOCTOR_FAILED, "Mount /proc and /sys.", "%s", e.msg);
	else
		judge_cgroup(&t, f);
	cgroup_tree_done(&t);
}

void doctor_clock(const struct doctor_context *c, struct doctor_finding *f)
{
	struct timex t;

	(void)c;
	memset(&t, 0, sizeof(t));
	if (adjtimex(&t) < 0)
		doctor_fault(f, DOCTOR_WARNING, "Allow the system call adjtimex.",
			"the state of the clock cannot be read: %s", err_text(-errno));
	else if (t.status & STA_UNSYNC)
		doctor_fault(f, DOCTOR_WARNING,
			"timedatectl set-ntp true, or install chrony. Where the host of a virtual "
			"machine keeps the clock this is no fault.",
			"no time service keeps the clock right; uploads to S3 fail when it is off");
	else
		doctor_ok(f, "synchronised, estimated error %.3f s", (double)t.esterror / 1e6);
}

/* 0 when somebody answers at the socket, else the errno. */
static int try_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	if (!str_copy(address.sun_path, sizeof(address.sun_path), path))
		return ENAMETOOLONG;
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void doctor_engines(const struct doctor_context *c, struct doctor_finding *f)
{
	_cleanup_(buf_done) struct buf answering = BUF_INIT(4096);
	const char *const *sockets;
	size_t n = config_list(c->config, "container_sockets", &sockets);

	for (size_t i = 0; i < n; i++) {
		int r = try_socket(sockets[i]);

		if (r == 0)
			add_word(&answering, sockets[i]);
		if (r == 0 || r == ENOENT || r == ENOTDIR)
			continue;
		doctor_fault(f, DOCTOR_WARNING,
			r == EACCES || r == EPERM
				? "Run the agent as root, or add its user to the group docker."
				: "Start the container engine: systemctl start docker.",
			"%s: %s; names and health of containers are not known from it", sockets[i],
			err_text(-r));
		return;
	}
	if (answering.len)
		doctor_ok(f, "%s", buf_str(&answering));
	else if (n && is_folder(config_string(c->config, "docker_root")))
		doctor_fault(f, DOCTOR_WARNING,
			"Start Docker, or name its socket in the option container_sockets.",
			"%s exists, but no engine answers; names are read from Docker's files",
			config_string(c->config, "docker_root"));
	else
		doctor_ok(f, n ? "no container engine here" : "no sockets configured");
}

void doctor_libraries(const struct doctor_context *c, struct doctor_finding *f)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(500);

	(void)c;
	for (const struct library *l = libraries; l->name; l++)
		buf_addf(&all, "%s%s %s", all.len ? ", " : "", l->name, l->version());
	doctor_ok(f, "%s", buf_str(&all));
}

void doctor_pressure(const struct doctor_context *c, struct doctor_finding *f)
{
	(void)c;
	if (access("/proc/pressure/cpu", R_OK) == 0)
		doctor_ok(f, "available");
	else
		doctor_fault(f, DOCTOR_WARNING,
			"Add psi=1 to the kernel's command line and restart the server.",
			"the kernel gives no pressure information; these charts stay empty");
}

void doctor_user(const struct doctor_context *c, struct doctor_finding *f)
{
	const struct passwd *p = getpwuid(geteuid());

	(void)c;
	if (geteuid() == 0)
		doctor_ok(f, "root");
	else
		doctor_fault(f, DOCTOR_WARNING,
			"Run the agent as root, as the systemd service does.",
			"%s: the network of containers of other users cannot be measured",
			p ? p->pw_name : "not root");
}
