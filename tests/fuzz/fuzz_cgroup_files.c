/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "collectors/cgroup.h"
#include "collectors/cgroup_net.h"
#include "collectors/cgroup_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool every_other(void *user, unsigned major, unsigned minor)
{
	(void)user;
	return ((major + minor) & 1) == 0;
}

/* Whatever a cgroup file holds: numbers are finite or the one INFINITY that "max" is, never
 * negative. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	double a = NAN, b = NAN, r, w;
	const struct cgroup_key keys[] = {CGROUP_KEY("anon", &a), CGROUP_KEY("oom_kill", &b)};
	struct cgroup_net_dev net;
	struct cgroup_layout *layout = malloc(sizeof(*layout));
	struct cgroup_io io;

	if (!layout)
		abort();
	(void)cgroup_flat_keyed(text, keys, 2);
	assert(isnan(a) || (a >= 0 && isfinite(a)));
	if (cgroup_number(text, &r))
		assert(r >= 0);
	if (cgroup_cpu_max(text, &r))
		assert(r >= 0);
	if (cgroup_pressure_some(text, &r))
		assert(r >= 0 && isfinite(r));
	assert(cgroup_cpu_list_count(text) < 1 << 16);
	cgroup_io_stat(text, every_other, NULL, &io);
	assert(io.read_bytes >= 0 && io.writes >= 0);
	(void)cgroup_blkio(text, every_other, NULL, &r, &w);
	assert(r >= 0 && w >= 0);
	if (cgroup_net_dev(text, &net))
		assert(net.received_bytes >= 0 && net.sent_packets >= 0);
	(void)cgroup_net_parse_link(text);
	(void)cgroup_net_is_member(text, "docker/x");
	cgroup_layout_parse(text, layout);
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		assert(memchr(layout->mounts[i], '\0', sizeof(layout->mounts[i])));
	free(layout);
	free(text);
	return 0;
}
