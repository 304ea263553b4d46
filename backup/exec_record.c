/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/exec_record.h"

#include <stdio.h>
#include <stdlib.h>

#include "backup/container_processes.h"
#include "backup/lease.h"
#include "base/cleanup.h"
#include "base/str.h"

static char *folder;

void exec_record_set_folder(const char *state_dir)
{
	free(folder);
	folder = state_dir ? str_format("%s/backup/execs", state_dir) : NULL;
}

struct lease *exec_record_new(const char *container_id, const char *mark)
{
	_cleanup_(free_p) char *text = str_format("%s %s\n", container_id, mark);
	struct lease *l = NULL;

	if (folder && lease_new(folder, text, &l, NULL) < 0)
		return NULL;
	return l;
}

struct sweep {
	size_t ended, left;
};

static bool end_one(void *user, const char *text)
{
	char id[129], mark[CONTAINER_MARK_SIZE];
	struct sweep *s = user;
	size_t found = 0, left = 0;

	if (sscanf(text, "%128[0-9a-f] %32[0-9a-f]", id, mark) == 2)
		left = container_end(id, mark, &found);
	s->ended += found - left;
	s->left += left;
	return left == 0;
}

void exec_record_sweep(size_t *ended, size_t *left)
{
	struct sweep s = {0, 0};

	if (folder)
		lease_sweep(folder, end_one, &s);
	*ended = s.ended;
	*left = s.left;
}
