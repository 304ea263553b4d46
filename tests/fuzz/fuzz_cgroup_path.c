/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "collectors/cgroup_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the path: a container has an id or a name, and nothing below it is anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = str_ndup((const char *)data, size);
	char *below = str_format("%s/docker", path);
	struct cgroup_name n, in;
	char out[16];

	cgroup_path_classify(path, &n);
	assert(strlen(n.id) <= CGROUP_ID_MAX && strlen(n.name) <= CGROUP_NAME_MAX);
	assert(n.kind != CGROUP_CONTAINER || *n.id || *n.name);
	assert(n.kind != CGROUP_SERVICE || *n.name);
	assert(n.descend == (n.kind == CGROUP_FOLDER || n.kind == CGROUP_SERVICE));
	if (!n.descend) {
		cgroup_path_classify(below, &in);
		assert(in.kind == CGROUP_IGNORE);
	}
	cgroup_unescape(out, sizeof(out), path);
	assert(memchr(out, '\0', sizeof(out)));
	free(below);
	free(path);
	return 0;
}
