/* SPDX-License-Identifier: Apache-2.0
 *
 * The parsers of the collectors of this server. The first byte chooses the parser, the rest is the
 * file. Nothing in a file may make them read beyond it, and what they accept keeps what their
 * headers promise.
 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "collectors/cpu.h"
#include "collectors/disk.h"
#include "collectors/interface.h"
#include "collectors/kernel.h"
#include "collectors/load.h"
#include "collectors/memory.h"
#include "collectors/mounts.h"
#include "collectors/pressure.h"
#include "collectors/procfs.h"
#include "collectors/sensor.h"
#include "collectors/tcp.h"
#include "collectors/tcp_states.h"
#include "collectors/updates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_core(void *user, unsigned number, const struct cpu_ticks *t)
{
	unsigned *cores = user;

	assert(number <= 65535 && t);
	(*cores)++;
}

static void fuzz_stat(char *text)
{
	struct cpu_shares shares = {0};
	struct proc_stat s;
	unsigned cores = 0;

	if (stat_parse(text, &s, count_core, &cores, NULL) < 0)
		return;
	assert(s.cores == (cores ? cores : 1));
	cpu_shares_add(&shares, &s.all, s.cores);
	for (unsigned i = 0; i < CPU_MODES; i++)
		assert(shares.total[i] >= 0);
}

static void fuzz_load(char *text)
{
	struct load l;

	if (load_parse(text, &l, NULL) == 0)
		assert(l.average[0] >= 0 && l.tasks >= 0);
}

static void fuzz_memory(char *text)
{
	struct memory m;

	if (memory_parse(text, &m, NULL) == 0)
		assert(m.total >= 0 && m.available >= 0);
}

static void fuzz_arc(char *text)
{
	double bytes;

	if (memory_parse_arc(text, &bytes, NULL) == 0)
		assert(bytes >= 0);
}

static void fuzz_pressure(char *text)
{
	struct pressure p;

	if (pressure_parse(text, &p, NULL) == 0)
		assert(p.some >= 0 && (isnan(p.full) || p.full >= 0));
}

static void fuzz_kernel(char *text)
{
	char *other = str_dup(text);
	struct file_handles f;
	struct vmstat v;
	double up;

	(void)vmstat_parse(text, &v, NULL);
	if (file_handles_parse(other, &f, NULL) == 0)
		assert(f.used >= 0 && f.max >= 0);
	(void)uptime_parse(other, &up, NULL);
	free(other);
}

static void fuzz_snmp(char *text)
{
	struct tcp_snmp v;

	(void)tcp_parse_snmp(text, &v, NULL);
}

static void fuzz_netstat(char *text)
{
	struct tcp_netstat v;

	(void)tcp_parse_netstat(text, &v, NULL);
}

static void fuzz_sockstat(char *text)
{
	struct tcp_sockstat v;

	(void)tcp_parse_sockstat(text, &v, NULL);
}

static void fuzz_tcp_table(char *text)
{
	struct tcp_states s = {0, 0};
	char *line;

	while (proc_next_line(&text, &line))
		(void)tcp_states_add_line(line, &s, NULL);
}

static void fuzz_diskstats(char *text)
{
	struct wide_counter w = {0};
	char *line;

	while (proc_next_line(&text, &line)) {
		struct disk_line d;

		if (disk_parse_line(line, &d, NULL) != 1)
			continue;
		assert(d.name[0]);
		(void)disk_skipped_by_default(d.name);
		assert(wide_counter_add(&w, d.read_ms) >= (double)(uint32_t)d.read_ms);
	}
}

static void fuzz_net_dev(char *text)
{
	char *line;

	while (proc_next_line(&text, &line)) {
		struct interface_line i;

		if (interface_parse_line(line, &i, NULL) != 1)
			continue;
		assert(i.name[0]);
		(void)interface_skipped_by_default(i.name);
	}
}

/* The table has each device once, and only what is watched. */
static void fuzz_mountinfo(char *text)
{
	const struct collect_options options = {.network_filesystems = true};
	struct mounts t = {0};
	char *line;

	while (proc_next_line(&text, &line)) {
		struct mount_line l;

		if (mount_parse_line(line, &l, NULL) == 0)
			mounts_add(&t, &l, &options);
	}
	mounts_finish(&t);
	for (size_t i = 0; i < t.n; i++) {
		assert(t.list[i].watched);
		for (size_t j = 0; j < i; j++)
			assert(t.list[i].major != t.list[j].major ||
				t.list[i].minor != t.list[j].minor);
	}
	mounts_done(&t);
}

static void fuzz_sensor(char *text)
{
	double celsius;

	if (sensor_parse(text, &celsius, NULL) == 0)
		assert(celsius >= -100 && celsius <= 200);
	(void)sensor_number(text);
}

static void fuzz_updates(char *text)
{
	unsigned all = 0, security = 0;

	(void)updates_parse_notice(text, &all, &security);
	updates_parse_apt_simulation(text, &all, &security);
	assert(security <= all);
	(void)kernel_replaces(text, "6.1.0-18-amd64");
	(void)kernel_replaces("6.1.0-18-amd64", text);
}

static const struct {
	char chosen_by;
	void (*run)(char *text);
} parsers[] = {
	{'s', fuzz_stat},
	{'l', fuzz_load},
	{'m', fuzz_memory},
	{'a', fuzz_arc},
	{'p', fuzz_pressure},
	{'k', fuzz_kernel},
	{'n', fuzz_snmp},
	{'x', fuzz_netstat},
	{'o', fuzz_sockstat},
	{'t', fuzz_tcp_table},
	{'d', fuzz_diskstats},
	{'i', fuzz_net_dev},
	{'f', fuzz_mountinfo},
	{'h', fuzz_sensor},
	{'u', fuzz_updates},
};

static void fuzz_datagram(const uint8_t *data, size_t size)
{
	struct tcp_states s = {0, 0};
	/* A copy of just this size, aligned as the header asks. */
	void *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	assert(tcp_states_add_datagram(copy, size, &s) <= 1);
	assert(s.close_wait + s.syn_received <= size / 16);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	if (data[0] == 'g')
		fuzz_datagram(data + 1, size - 1);
	text = str_ndup((const char *)data + 1, size - 1);
	for (size_t i = 0; i < sizeof(parsers) / sizeof(*parsers); i++)
		if ((uint8_t)parsers[i].chosen_by == data[0])
			parsers[i].run(text);
	free(text);
	return 0;
}
