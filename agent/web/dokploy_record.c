/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/dokploy_record.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define MIB (1024.0 * 1024.0)
#define GIB (1024.0 * MIB)

static double known(double v)
{
	return isfinite(v) ? v : 0;
}

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, ",\"%s\":", name);
	buf_add_json_string(b, text ? text : "");
}

/* The protocol's numbers are texts. */
static void add_decimal(struct buf *b, const char *name, double v)
{
	buf_addf(b, ",\"%s\":\"%.2f\"", name, known(v));
}

static void add_time(struct buf *b, time_t at)
{
	char text[32];

	clock_rfc3339(text, sizeof(text), at);
	buf_addf(b, "{\"timestamp\":\"%s\"", text);
}

void dokploy_server_record(
	struct buf *b, const struct dokploy_facts *f, const struct dokploy_server *s)
{
	add_time(b, s->at);
	add_decimal(b, "cpu", s->cpu_percent);
	add_text(b, "cpuModel", f->cpu_model);
	buf_addf(b, ",\"cpuCores\":%d,\"cpuPhysicalCores\":%d,\"cpuSpeed\":", f->cpu_cores,
		f->cpu_physical_cores);
	buf_add_json_number(b, known(f->cpu_mhz));
	add_text(b, "os", f->os);
	add_text(b, "distro", f->os);
	add_text(b, "kernel", f->kernel);
	add_text(b, "arch", f->architecture);
	add_decimal(b, "memUsed", s->memory_percent);
	add_decimal(b, "memUsedGB", s->memory_used_bytes / GIB);
	add_decimal(b, "memTotal", s->memory_total_bytes / GIB);
	buf_addf(b, ",\"uptime\":%.0f", known(s->uptime_seconds));
	add_decimal(b, "diskUsed", s->disk_percent);
	add_decimal(b, "totalDisk", s->disk_total_bytes / GIB);
	add_decimal(b, "networkIn", s->received_bytes / MIB);
	add_decimal(b, "networkOut", s->sent_bytes / MIB);
	buf_addc(b, '}');
}

struct unit {
	const char *name;
	double bytes;
};

/* Memory in powers of 1024 and traffic in powers of 1000, as `docker stats` has them. */
static const struct unit memory_units[] = {
	{"B", 1}, {"KiB", 1024}, {"MiB", MIB}, {"GiB", GIB}, {"TiB", 1024 * GIB}};
static const struct unit traffic_units[] = {
	{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
enum { UNITS = 5 };

/* The largest unit in which the greatest value is at least 1. */
static const struct unit *choose(const struct unit *units, double greatest)
{
	size_t i = 0;

	while (i + 1 < UNITS && greatest >= units[i + 1].bytes)
		i++;
	return &units[i];
}

/* The greatest of one member of all records. */
static double greatest(const struct dokploy_container *list, size_t n, size_t offset)
{
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		double v;

		memcpy(&v, (const char *)&list[i] + offset, sizeof(v));
		most = fmax(most, known(v));
	}
	return most;
}

static void add_number(struct buf *b, const char *name, double v, double unit)
{
	buf_addf(b, "\"%s\":", name);
	buf_add_json_number(b, round(known(v) / unit * 100) / 100);
}

/* "name":{"a":1.5,"b":2,"aUnit":"MB","bUnit":"kB"} */
struct pair {
	const char *name, *first, *second;
	const struct unit *first_unit, *second_unit;
};

static void add_pair(struct buf *b, const struct pair *p, double first, double second)
{
	buf_addf(b, ",\"%s\":{", p->name);
	add_number(b, p->first, first, p->first_unit->bytes);
	buf_addc(b, ',');
	add_number(b, p->second, second, p->second_unit->bytes);
	buf_addf(b, ",\"%sUnit\":\"%s\",\"%sUnit\":\"%s\"}", p->first, p->first_unit->name,
		p->second, p->second_unit->name);
}

static const struct unit *traffic_unit(
	const struct dokploy_container *list, size_t n, size_t offset)
{
	return choose(traffic_units, greatest(list, n, offset));
}

#define MEMBER(name) offsetof(struct dokploy_container, name)

void dokploy_container_records(struct buf *b, const struct dokploy_container_facts *f,
	const struct dokploy_container *list, size_t n)
{
	const struct unit *used =
		choose(memory_units, greatest(list, n, MEMBER(memory_used_bytes)));
	const struct unit *total = choose(memory_units, known(f->memory_total_bytes));
	const struct pair network = {"Network", "input", "output",
		traffic_unit(list, n, MEMBER(received_bytes)),
		traffic_unit(list, n, MEMBER(sent_bytes))};
	const struct pair disk = {"BlockIO", "read", "write",
		traffic_unit(list, n, MEMBER(read_bytes)),
		traffic_unit(list, n, MEMBER(written_bytes))};

	for (size_t i = 0; i < n; i++) {
		const struct dokploy_container *c = &list[i];

		if (i)
			buf_addc(b, ',');
		add_time(b, c->at);
		buf_addc(b, ',');
		add_number(b, "CPU", c->cpu_percent, 1);
		buf_adds(b, ",\"Memory\":{");
		add_number(b, "percentage", 100 * c->memory_used_bytes / f->memory_total_bytes, 1);
		buf_addc(b, ',');
		add_number(b, "used", c->memory_used_bytes, used->bytes);
		buf_addc(b, ',');
		add_number(b, "total", f->memory_total_bytes, total->bytes);
		buf_addf(b, ",\"usedUnit\":\"%s\",\"totalUnit\":\"%s\"}", used->name, total->name);
		add_pair(b, &network, c->received_bytes, c->sent_bytes);
		add_pair(b, &disk, c->read_bytes, c->written_bytes);
		add_text(b, "Container", f->id);
		add_text(b, "ID", f->id);
		add_text(b, "Name", f->name);
		buf_addc(b, '}');
	}
}

void dokploy_accumulate(const double *rates, size_t n, size_t stride, double seconds,
	double total_now, double *out, size_t out_stride)
{
	double sum = 0, total;

	for (size_t i = 0; i < n; i++)
		sum += known(rates[i * stride]) * seconds;
	total = isfinite(total_now) ? total_now : sum;
	for (size_t i = n; i-- > 0;) {
		out[i * out_stride] = fmax(total, 0);
		total -= known(rates[i * stride]) * seconds;
	}
}

/* What may stand behind an app's name in a container's: ".1.k2x..." or "-1", "_1". */
static bool is_replica(const char *rest)
{
	if (*rest == '.')
		return rest[1] != '\0';
	return (*rest == '-' || *rest == '_') && rest[1] &&
	       strspn(rest + 1, "0123456789") == strlen(rest + 1);
}

int dokploy_match(const char *app, const char *key, const char *container_name)
{
	size_t n;

	app += *app == '/';
	n = strlen(app);
	if (n == 0)
		return 0;
	if (container_name && strcmp(app, container_name) == 0)
		return 3;
	if (strcmp(app, key) == 0)
		return 2;
	if (container_name && strncmp(app, container_name, n) == 0 &&
		is_replica(container_name + n))
		return 1;
	return strncmp(app, key, n) == 0 && is_replica(key + n);
}

void dokploy_short_id(char *to, const char *text)
{
	static const char digits[] = "0123456789abcdef";

	*to = '\0';
	while (text && *text) {
		size_t n = strspn(text, digits);

		if (n >= 12) {
			memcpy(to, text, 12);
			to[12] = '\0';
			return;
		}
		text += n;
		text += strcspn(text, digits);
	}
}

size_t dokploy_limit(const char *text)
{
	uint64_t n;

	if (!text)
		return DOKPLOY_RECORDS_DEFAULT;
	if (strcmp(text, "all") == 0)
		return DOKPLOY_RECORDS_MAX;
	if (str_to_u64(text, &n, NULL) < 0 || n == 0)
		return DOKPLOY_RECORDS_DEFAULT;
	return n < DOKPLOY_RECORDS_MAX ? (size_t)n : DOKPLOY_RECORDS_MAX;
}
