/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of what belongs to the agent: configuration, port, problems, state folder, measurements,
 * free space.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/doctor_checks.h"
#include "agent/listen.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

static void add_name(void *user, const char *name)
{
	struct buf *names = user;

	/* What --listen gave is no difference to the files. */
	if (strcmp(name, "listen") != 0)
		buf_addf(names, "%s%s", names->len ? ", " : "", name);
}

/* Whether the running agent has taken what the files say. */
static void compare_config(
	const struct doctor_context *c, const struct config *files, struct doctor_finding *f)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(300);

	if (c->problems)
		(void)config_diff(c->config, files, add_name, &names);
	if (names.len || names.overflow)
		doctor_fault(f, DOCTOR_WARNING, "agent config reload",
			"the files have changed since they were read: %s%s", buf_str(&names),
			names.overflow ? " and more" : "");
	else
		doctor_ok(f, "no mistakes");
}

void doctor_config(const struct doctor_context *c, struct doctor_finding *f)
{
	_cleanup_(config_free_p) struct config *files = NULL;
	struct mistakes m = {NULL, 0, 0};

	if (config_load(c->config_path, NULL, 0, &files, &m) < 0)
		doctor_fault(f, DOCTOR_FAILED, "agent config check lists all mistakes.",
			"%zu mistake%s: %s", mistakes_count(&m), mistakes_count(&m) == 1 ? "" : "s",
			m.list[0]);
	else
		compare_config(c, files, f);
	mistakes_done(&m);
}

void doctor_port(const struct doctor_context *c, struct doctor_finding *f)
{
	const char *address = config_string(c->config, "listen");
	char bound[64];
	struct err e;
	int fd;

	if (c->listening) {
		doctor_ok(f, "the agent listens on %s", c->listening);
		return;
	}
	fd = listen_tcp(address, bound, sizeof(bound), &e);
	if (fd >= 0) {
		(void)close(fd);
		doctor_ok(f, "%s is free", address);
	} else if (fd == -EADDRINUSE) {
		doctor_fault(f, DOCTOR_FAILED,
			"Stop that program (ss -ltnp shows it), or set the option listen.",
			"%s is in use by another program", address);
	} else {
		doctor_fault(f, DOCTOR_FAILED,
			"Set the option listen to an address of this server.", "%s", e.msg);
	}
}

void doctor_problems(const struct doctor_context *c, struct doctor_finding *f)
{
	size_t n = c->problems ? problems_count(c->problems) : 0;

	if (!c->problems)
		doctor_ok(f, "the agent is not running");
	else if (!n)
		doctor_ok(f, "none");
	else
		doctor_fault(f, DOCTOR_WARNING, "agent status shows them all.", "%zu: %s", n,
			problems_at(c->problems, 0)->text);
}

static int count_file(void *user, int dirfd, const char *name)
{
	(void)dirfd;
	*(size_t *)user += str_ends(name, ".rrd");
	return 0;
}

static int count_folder(void *user, int dirfd, const char *name)
{
	(void)fs_list(dirfd, name, count_file, user, NULL);
	return 0;
}

void doctor_rrd(const struct doctor_context *c, struct doctor_finding *f)
{
	_cleanup_(free_p) char *path = str_format("%s/rrd", c->state_dir);
	size_t n = 0;
	struct err e;
	int r = fs_list(AT_FDCWD, path, count_folder, &n, &e);

	if (r == -ENOENT)
		doctor_ok(f, "%s will be made at the first start", path);
	else if (r < 0)
		doctor_fault(f, DOCTOR_FAILED, "Give the folder to the user the agent runs as.",
			"%s", e.msg);
	else if (access(path, W_OK | X_OK) < 0)
		doctor_fault(f, DOCTOR_FAILED, "Give the folder to the user the agent runs as.",
			"%s cannot be written: %s; no history is kept", path, err_text(-errno));
	else
		doctor_ok(f, "%zu file%s in %s", n, n == 1 ? "" : "s", path);
}

/* The path, or the nearest folder above it that exists: "", never longer than `size`. */
static void existing_part(const char *path, char *to, size_t size)
{
	struct stat st;

	(void)str_copy(to, size, path);
	while (*to && stat(to, &st) < 0) {
		char *slash = strrchr(to, '/');

		if (!slash)
			(void)str_copy(to, size, ".");
		else if (slash == to)
			to[1] = '\0';
		else
			*slash = '\0';
	}
}

void doctor_space(const struct doctor_context *c, struct doctor_finding *f)
{
	static const char cure[] = "Free some space, or move the state folder with --state.";
	struct statvfs v;
	char path[4096], left[32];
	double free_bytes;

	existing_part(c->state_dir, path, sizeof(path));
	if (statvfs(path, &v) < 0) {
		doctor_fault(f, DOCTOR_FAILED, cure, "%s: %s", path, err_text(-errno));
		return;
	}
	free_bytes = (double)v.f_bavail * (double)v.f_frsize;
	str_human_bytes(left, sizeof(left), free_bytes);
	/* Files of one entity take 1 MB at most; the database and its journal a few more. */
	if (free_bytes < 10e6)
		doctor_fault(f, DOCTOR_FAILED, cure, "only %s free for %s", left, c->state_dir);
	else if (free_bytes < 200e6 || (v.f_files && v.f_favail < 1000))
		doctor_fault(f, DOCTOR_WARNING, cure, "only %s and %lu files free for %s", left,
			(unsigned long)v.f_favail, c->state_dir);
	else
		doctor_ok(f, "%s free", left);
}

static bool is_in_memory(const char *path)
{
	struct statfs s;

	if (statfs(path, &s) < 0)
		return false;
	return (unsigned long)s.f_type == TMPFS_MAGIC || (unsigned long)s.f_type == RAMFS_MAGIC;
}

/* What matters when the folder does not exist: whether it can be made. */
static void judge_missing_folder(const char *path, struct doctor_finding *f)
{
	char parent[4096];

	existing_part(path, parent, sizeof(parent));
	if (access(parent, W_OK | X_OK) < 0)
		doctor_fault(f, DOCTOR_FAILED,
			"Run the agent as root, or name a folder of yours with --state.",
			"%s does not exist and cannot be made in %s: %s", path, parent,
			err_text(-errno));
	else
		doctor_ok(f, "%s will be made at the first start", path);
}

static void open_to_all(const char *path, struct doctor_finding *f)
{
	_cleanup_(free_p) char *cure = str_format("chmod o-rwx %s", path);

	doctor_fault(f, DOCTOR_WARNING, cure, "%s is open to all users of this server", path);
}

void doctor_state_folder(const struct doctor_context *c, struct doctor_finding *f)
{
	const char *path = c->state_dir;
	struct stat st;

	if (stat(path, &st) < 0)
		judge_missing_folder(path, f);
	else if (!S_ISDIR(st.st_mode))
		doctor_fault(
			f, DOCTOR_FAILED, "Name a folder with --state.", "%s is no folder", path);
	else if (access(path, W_OK | X_OK) < 0)
		doctor_fault(f, DOCTOR_FAILED,
			"Mount it for writing, or give it to the user the agent runs as.",
			"%s cannot be written: %s; nothing is kept", path, err_text(-errno));
	else if (st.st_mode & S_IRWXO)
		open_to_all(path, f);
	else if (is_in_memory(path))
		doctor_fault(f, DOCTOR_WARNING, "Name a folder on a disk with --state.",
			"%s lies in memory: all is lost at a restart of the server", path);
	else
		doctor_ok(f, "%s", path);
}
