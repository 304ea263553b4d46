/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

/* Moves past a whole number; false when there is none. Doubles hold every counter of a real
 * machine (2^53). */
static bool take_number(const char **p, double *out)
{
	const char *s = *p;
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > UINT64_MAX / 10 - 1)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*out = (double)v;
	*p = s;
	return true;
}

static const char *next_line(const char *p)
{
	const char *eol = strchr(p, '\n');

	return eol ? eol + 1 : p + strlen(p);
}

static bool starts(const char *text, const char *key, size_t len)
{
	return *text == *key && strncmp(text, key, len) == 0;
}

size_t cgroup_flat_keyed(const char *text, const struct cgroup_key *keys, size_t n)
{
	size_t found = 0;

	for (; *text; text = next_line(text)) {
		for (size_t i = 0; i < n; i++) {
			const char *p = text + keys[i].len;

			if (!starts(text, keys[i].name, keys[i].len) || *p != ' ')
				continue;
			p++;
			if (take_number(&p, keys[i].out))
				found++;
			break;
		}
		if (found == n)
			break;
	}
	return found;
}

static bool take_max(const char **p, double *out)
{
	if (strncmp(*p, "max", 3) != 0)
		return take_number(p, out);
	*p += 3;
	*out = INFINITY;
	return true;
}

static bool at_end(const char *p)
{
	return *p == '\0' || *p == '\n';
}

bool cgroup_number(const char *text, double *out)
{
	double v;

	if (!take_max(&text, &v) || !at_end(text))
		return false;
	*out = v;
	return true;
}

bool cgroup_cpu_max(const char *text, double *out_cores)
{
	double max, period;

	if (!take_max(&text, &max) || *text++ != ' ' || !take_number(&text, &period) ||
		!at_end(text) || period <= 0)
		return false;
	*out_cores = max / period;
	return true;
}

bool cgroup_pressure_some(const char *text, double *out_usec)
{
	static const char key[] = " total=";
	const char *p, *end;

	while (*text && strncmp(text, "some ", 5) != 0)
		text = next_line(text);
	end = next_line(text);
	p = strstr(text, key);
	if (!p || p >= end)
		return false;
	p += sizeof(key) - 1;
	return take_number(&p, out_usec);
}

unsigned cgroup_cpu_list_count(const char *text)
{
	enum { CPUS_MAX = 1 << 16 };
	double count = 0;

	while (!at_end(text)) {
		double first, last;

		if (!take_number(&text, &first))
			return 0;
		last = first;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &last))
				return 0;
		}
		if (last < first || last >= CPUS_MAX)
			return 0;
		count += last - first + 1;
		if (*text == ',')
			text++;
		else if (!at_end(text))
			return 0;
	}
	return count < CPUS_MAX ? (unsigned)count : 0;
}

/* "8:0" and the blank behind it. */
static bool take_device(const char **p, unsigned *major, unsigned *minor)
{
	const char *s = *p;
	double a, b;

	if (!take_number(&s, &a) || *s++ != ':' || !take_number(&s, &b) || *s != ' ')
		return false;
	if (a > UINT32_MAX || b > UINT32_MAX)
		return false;
	*major = (unsigned)a;
	*minor = (unsigned)b;
	*p = s + 1;
	return true;
}

static void add_io_key(const char *p, struct cgroup_io *io)
{
	static const struct {
		char name[8];
		size_t offset;
	} keys[] = {
		{"rbytes=", offsetof(struct cgroup_io, read_bytes)},
		{"wbytes=", offsetof(struct cgroup_io, written_bytes)},
		{"rios=", offsetof(struct cgroup_io, reads)},
		{"wios=", offsetof(struct cgroup_io, writes)},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t len = strlen(keys[i].name);
		const char *number = p + len;
		double v;

		if (strncmp(p, keys[i].name, len) == 0 && take_number(&number, &v))
			*(double *)((char *)io + keys[i].offset) += v;
	}
}

void cgroup_io_stat(const char *text, cgroup_device_fn counts, void *user, struct cgroup_io *out)
{
	*out = (struct cgroup_io){0, 0, 0, 0};
	for (; *text; text = next_line(text)) {
		const char *p = text;
		unsigned major, minor;

		if (!take_device(&p, &major, &minor) || !counts(user, major, minor))
			continue;
		while (!at_end(p)) {
			add_io_key(p, out);
			p += strcspn(p, " \n");
			p += *p == ' ';
		}
	}
}

size_t cgroup_blkio(
	const char *text, cgroup_device_fn counts, void *user, double *out_read, double *out_write)
{
	double sums[2] = {0, 0};
	size_t lines = 0;

	for (; *text; text = next_line(text)) {
		const char *p = text;
		unsigned major, minor;
		double v;
		bool write;

		if (!take_device(&p, &major, &minor))
			continue;
		lines++;
		write = strncmp(p, "Write ", 6) == 0;
		if (!write && strncmp(p, "Read ", 5) != 0)
			continue;
		p += write ? 6 : 5;
		if (take_number(&p, &v) && counts(user, major, minor))
			sums[write] += v;
	}
	*out_read = sums[0];
	*out_write = sums[1];
	return lines;
}

/* In a container these carry bytes that its uplink (eth0, tap0) carries too. */
static bool is_inner_interface(const char *name, size_t len)
{
	static const char *const prefixes[] = {"br-", "cni", "docker", "dummy", "flannel",
		"nerdctl", "podman", "tun", "veth", "wg"};

	if (len == 2 && strncmp(name, "lo", 2) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* "  eth0: 1296 16 0 0 0 0 0 0 1220 14 ...": 8 fields received, then 8 sent. */
static bool add_interface(const char *line, struct cgroup_net_dev *sum)
{
	enum { FIELDS = 10 };
	double v[FIELDS];
	const char *name = line + strspn(line, " ");
	const char *colon = name + strcspn(name, ":\n");
	const char *p = colon + 1;

	if (*colon != ':' || is_inner_interface(name, (size_t)(colon - name)))
		return false;
	for (size_t i = 0; i < FIELDS; i++) {
		p += strspn(p, " ");
		if (!take_number(&p, &v[i]))
			return false;
	}
	sum->received_bytes += v[0];
	sum->received_packets += v[1];
	sum->sent_bytes += v[8];
	sum->sent_packets += v[9];
	return true;
}

bool cgroup_net_dev(const char *text, struct cgroup_net_dev *out)
{
	struct cgroup_net_dev sum = {0, 0, 0, 0};
	bool any = false;

	for (; *text; text = next_line(text))
		if (add_interface(text, &sum))
			any = true;
	if (any)
		*out = sum;
	return any;
}
