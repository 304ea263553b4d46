/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum {
	SENSORS_MAX = 256,
	SCAN_SAMPLES = 45, /* drivers are loaded rarely: 15 minutes at 20 s */
	NAME_BYTES = 64,
};

int sensor_parse(const char *text, double *out_celsius, struct err *e)
{
	char number[32];
	int64_t v;
	int r;

	(void)snprintf(number, sizeof(number), "%.*s", (int)strcspn(text, "\n"), text);
	r = str_to_i64(number, &v, e);
	if (r < 0)
		return r;
	if (v < -100000 || v > 200000)
		return err_set(e, ERANGE, "%s is no temperature", number);
	*out_celsius = (double)v / 1000;
	return 0;
}

void sensor_chip_name(char *to, size_t size, const char *driver, const char *device)
{
	if (!*device)
		(void)snprintf(to, size, "%s", driver);
	else if (str_starts(device, driver))
		(void)snprintf(to, size, "%s", device);
	else
		(void)snprintf(to, size, "%s-%s", driver, device);
}

unsigned sensor_number(const char *file_name)
{
	unsigned n = 0;

	if (!str_starts(file_name, "temp"))
		return 0;
	file_name += strlen("temp");
	for (; *file_name >= '0' && *file_name <= '9' && n < 100000; file_name++)
		n = n * 10 + (unsigned)(*file_name - '0');
	return strcmp(file_name, "_input") == 0 ? n : 0;
}

struct sensor {
	char path[3 * NAME_BYTES]; /* below /sys */
	char chip[2 * NAME_BYTES];
	char key[3 * NAME_BYTES + 32];
	char label[NAME_BYTES];
	struct kept_file file;
};

struct sensor_state {
	struct sensor *sensors;
	size_t n;
	unsigned scanned; /* sample number; 0: never */
};

static void forget(struct sensor_state *s)
{
	for (size_t i = 0; i < s->n; i++)
		kept_file_close(&s->sensors[i].file);
	free(s->sensors);
	s->sensors = NULL;
	s->n = 0;
}

/* One line of text, without its end; "" when there is none. */
static void read_name(int dirfd, const char *path, char *to, size_t size)
{
	if (proc_read(dirfd, path, to, size, NULL) < 0)
		to[0] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

/* Name of the device behind a hwmon folder: the last part of the link. */
static void read_device(int dirfd, char *to, size_t size)
{
	char link[PATH_MAX];
	ssize_t n = readlinkat(dirfd, "device", link, sizeof(link) - 1);
	const char *last;

	to[0] = '\0';
	if (n <= 0)
		return;
	link[n] = '\0';
	last = strrchr(link, '/');
	(void)str_copy(to, size, last ? last + 1 : link);
}

static struct sensor *add(struct sensor_state *s)
{
	if (s->n == SENSORS_MAX)
		return NULL;
	if (s->n % 16 == 0) {
		s->sensors = realloc(s->sensors, (s->n + 16) * sizeof(*s->sensors));
		if (!s->sensors)
			abort();
	}
	s->sensors[s->n] = (struct sensor){.path = ""};
	return &s->sensors[s->n++];
}

/* Where a scan is: one chip of /sys/class/hwmon. */
struct scan {
	struct sensor_state *s;
	const char *folder; /* "hwmon0" */
	char chip[2 * NAME_BYTES];
};

static bool is_taken(const struct sensor_state *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->sensors[i].key, key) == 0)
			return true;
	return false;
}

/* Chip and label together name one sensor to Prometheus, too. */
static bool is_labelled(const struct sensor_state *s, const struct sensor *t)
{
	for (size_t i = 0; i < s->n; i++)
		if (&s->sensors[i] != t && strcmp(s->sensors[i].chip, t->chip) == 0 &&
			strcmp(s->sensors[i].label, t->label) == 0)
			return true;
	return false;
}

/* One file of a chip's folder. */
static int scan_file(void *user, int dirfd, const char *name)
{
	struct scan *x = user;
	unsigned number = sensor_number(name);
	char key[sizeof(((struct sensor *)0)->key)];
	char chip[sizeof(x->chip)];
	char file[NAME_BYTES];
	struct sensor *t;

	if (!number)
		return 0;
	(void)str_copy(chip, sizeof(chip), x->chip);
	(void)snprintf(key, sizeof(key), "%s-temp%u", chip, number);
	if (is_taken(x->s, key)) { /* two chips of one driver, and no device to tell them apart */
		(void)snprintf(chip, sizeof(chip), "%.*s-%.16s", NAME_BYTES, x->chip, x->folder);
		(void)snprintf(key, sizeof(key), "%s-temp%u", chip, number);
	}
	t = add(x->s);
	if (!t)
		return 1;
	(void)str_copy(t->key, sizeof(t->key), key);
	(void)str_copy(t->chip, sizeof(t->chip), chip);
	(void)snprintf(t->path, sizeof(t->path), "class/hwmon/%.*s/temp%u_input", NAME_BYTES,
		x->folder, number);
	(void)snprintf(file, sizeof(file), "temp%u_label", number);
	read_name(dirfd, file, t->label, sizeof(t->label));
	if (!t->label[0] || is_labelled(x->s, t))
		(void)snprintf(t->label, sizeof(t->label), "temp%u", number);
	return 0;
}

static int scan_chip(void *user, int dirfd, const char *name)
{
	struct scan *x = user;
	_cleanup_(close_p) int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char driver[NAME_BYTES], device[NAME_BYTES];

	if (fd < 0)
		return 0;
	x->folder = name;
	read_name(fd, "name", driver, sizeof(driver));
	read_device(fd, device, sizeof(device));
	sensor_chip_name(x->chip, sizeof(x->chip), driver[0] ? driver : name, device);
	return fs_list(fd, ".", scan_file, x, NULL) > 0;
}

static int scan_zone(void *user, int dirfd, const char *name)
{
	struct scan *x = user;
	char file[2 * NAME_BYTES];
	struct sensor *t;

	if (!str_starts(name, "thermal_zone") || strlen(name) >= NAME_BYTES)
		return 0;
	t = add(x->s);
	if (!t)
		return 1;
	(void)snprintf(file, sizeof(file), "%s/type", name);
	read_name(dirfd, file, t->chip, NAME_BYTES);
	(void)snprintf(t->key, sizeof(t->key), "%s-%.*s", t->chip, NAME_BYTES, name);
	(void)snprintf(t->label, sizeof(t->label), "%.*s", NAME_BYTES - 1, name);
	(void)snprintf(t->path, sizeof(t->path), "class/thermal/%.*s/temp", NAME_BYTES, name);
	return 0;
}

static void scan(struct sensor_state *s, const struct collect_ctx *ctx)
{
	struct scan x = {.s = s};

	forget(s);
	(void)fs_list(ctx->sys_fd, "class/hwmon", scan_chip, &x, NULL);
	if (s->n == 0)
		(void)fs_list(ctx->sys_fd, "class/thermal", scan_zone, &x, NULL);
	s->scanned = registry_sample(ctx->registry);
}

/* False when the sensor is gone. */
static bool collect_sensor(struct sensor *t, const struct collect_ctx *ctx)
{
	struct entity *e;
	double celsius;
	char text[32];
	int r = proc_read_kept(&t->file, ctx->sys_fd, t->path, text, sizeof(text), NULL);

	if (r == -ENOENT || r == -ENODEV)
		return false;
	e = registry_get(ctx->registry, &class_sensor, t->key);
	if (!e)
		return true;
	entity_read_at(e, ctx->now_ns);
	if (entity_is_new(ctx, e)) {
		entity_label(e, "chip", t->chip);
		entity_label(e, "sensor", t->label);
	}
	if (r < 0)
		entity_missing(e, SENSOR_temperature_celsius, "the sensor gives no reading");
	else if (sensor_parse(text, &celsius, NULL) < 0)
		entity_missing(
			e, SENSOR_temperature_celsius, "what the sensor reads is no temperature");
	else
		entity_gauge(e, SENSOR_temperature_celsius, celsius);
	return true;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct sensor_state *s = state;
	bool gone = false;

	(void)e;
	if (!s->scanned || registry_sample(ctx->registry) - s->scanned >= SCAN_SAMPLES)
		scan(s, ctx);
	for (size_t i = 0; i < s->n; i++)
		gone |= !collect_sensor(&s->sensors[i], ctx);
	if (gone)
		s->scanned = 0;
	return s->n ? 0 : COLLECTOR_ABSENT;
}

static void done(void *state)
{
	forget(state);
}

const struct collector collector_sensor = {
	.name = "sensor",
	.doc = "Temperatures",
	.state_size = sizeof(struct sensor_state),
	.collect = collect,
	.done = done,
};
