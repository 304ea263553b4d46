/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_cgroup_home.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* The second with both versions beside each other. */
static const char *find_root(void)
{
	static const char *const usual[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (statfs(usual[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return usual[i];
	return NULL;
}

/* The line "0::/system.slice/agent.service" of proc(5); owned by the caller, NULL: none. */
static char *find_own(void)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);
	char *rest = NULL;

	if (fs_read(AT_FDCWD, "/proc/self/cgroup", &text, NULL) < 0 || !text.data)
		return NULL;
	for (char *line = strtok_r(text.data, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		if (str_starts(line, "0::/"))
			return str_dup(line + strlen("0::"));
	return NULL;
}

/* What systemd writes on a cgroup that is ours to divide; the second is for what root did not make. */
static bool is_delegated(const char *path)
{
	static const char *const names[] = {"trusted.delegate", "user.delegate"};
	char value[2] = "";

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getxattr(path, names[i], value, sizeof(value)) == 1 && value[0] == '1')
			return true;
	return false;
}

static int put(const char *folder, const char *file, const char *text)
{
	_cleanup_(free_p) char *path = str_format("%s/%s", folder, file);
	_cleanup_(close_p) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int make(const char *path, struct err *e)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make cgroup %s", path);
	return 0;
}

/* Each by itself: which there are is the system's choice. */
static void hand_on(const char *path)
{
	static const char *const controllers[] = {"+cpu", "+io", "+memory", "+pids"};

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
		(void)put(path, "cgroup.subtree_control", controllers[i]);
}

/* What systemd started along with us too, such as ExecStartPre= that left something. */
static int move_all(const char *from, const char *to, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("%s/cgroup.procs", from);
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);
	char *rest = NULL;
	int r = fs_read(AT_FDCWD, path, &text, e);

	if (r < 0 || !text.data)
		return r;
	for (char *line = strtok_r(text.data, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		r = put(to, "cgroup.procs", line);
		if (r < 0 && r != -ESRCH)
			return err_set(e, -r, "move process %s into %s: %s", line, to, err_text(r));
	}
	return 0;
}

/* The unit cannot set these itself: its own limits count for hooks too. */
static void bound(const char *ours)
{
	static const char *const limits[][2] = {
		{"memory.high", "AGENT_MEMORY_HIGH"},
		{"memory.max", "AGENT_MEMORY_MAX"},
		{"pids.max", "AGENT_TASKS_MAX"},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const char *value = getenv(limits[i][1]);

		if (value && *value)
			(void)put(ours, limits[i][0], value);
	}
}

int deploy_cgroup_home(const char *root, const char *own, char **out, struct err *e)
{
	_cleanup_(free_p) char *found = own ? NULL : find_own();
	_cleanup_(free_p) char *path = NULL, *ours = NULL, *hooks = NULL;
	int r;

	if (!root)
		root = find_root();
	if (!own)
		own = found;
	if (!root || !own)
		return err_set(e, ENOTSUP, "there is no cgroup v2");
	path = str_format("%s%s", root, own);
	/* After a restart of the daemon alone it is where it moved to before. */
	if (str_ends(path, "/agent") && !is_delegated(path))
		*strrchr(path, '/') = '\0';
	if (!is_delegated(path))
		return err_set(
			e, ENOTSUP, "cgroup %s was not delegated: Delegate=yes is missing", path);
	ours = str_format("%s/agent", path);
	hooks = str_format("%s/hooks", path);
	r = make(ours, e);
	if (r == 0)
		r = make(hooks, e);
	if (r == 0)
		r = move_all(path, ours, e);
	if (r < 0)
		return r;
	hand_on(path);
	hand_on(hooks);
	bound(ours);
	*out = TAKE_PTR(hooks);
	return 0;
}
