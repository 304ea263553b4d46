/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "agent/deploy_hook_processes.h"
#include "agent/deploy_hook_run.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

struct sweep {
	const char *cgroup;
	bool is_ending; /* something is, still */
};

/* The folder is what they are known by: it stays until the last is gone. */
static bool end_processes(void *user, const char *folder)
{
	struct sweep *s = user;

	if (deploy_hook_processes_signal(0, folder, SIGKILL) == 0)
		return true;
	s->is_ending = true;
	return false;
}

static int sweep_cgroup(void *user, int dirfd, const char *name)
{
	struct sweep *s = user;
	_cleanup_(free_p) char *path = NULL;

	(void)dirfd;
	if (!str_starts(name, DEPLOY_HOOK_CGROUP_PREFIX))
		return 0;
	path = str_format("%s/%s", s->cgroup, name);
	(void)deploy_cgroup_signal(path, SIGKILL);
	if (deploy_cgroup_remove(path, NULL) < 0)
		s->is_ending = true;
	return 0;
}

int deploy_hook_run_sweep(const char *runtime_dir, const char *cgroup)
{
	struct sweep s = {cgroup, false};

	deploy_hook_folder_sweep(runtime_dir, end_processes, &s);
	if (cgroup)
		(void)fs_list(AT_FDCWD, cgroup, sweep_cgroup, &s, NULL);
	return s.is_ending;
}
