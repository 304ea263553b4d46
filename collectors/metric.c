/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/metric.h"

#include <string.h>

#include "base/cleanup.h"

#define ROW(name_, ds_, kind_, unit_, scale_, title_, doc_, prom_, prom_labels_, prom_scale_)      \
	{                                                                                          \
		.name = #name_,                                                                    \
		.ds = ds_,                                                                         \
		.kind = kind_,                                                                     \
		.unit = unit_,                                                                     \
		.scale = scale_,                                                                   \
		.title = title_,                                                                   \
		.doc = doc_,                                                                       \
		.prom = prom_,                                                                     \
		.prom_labels = prom_labels_,                                                       \
		.prom_scale = prom_scale_,                                                         \
	},

static const struct metric host_metrics[] = {
#define HOST ROW
#include "collectors/metrics.def"
};
static const struct metric core_metrics[] = {
#define CORE ROW
#include "collectors/metrics.def"
};
static const struct metric filesystem_metrics[] = {
#define FILESYSTEM ROW
#include "collectors/metrics.def"
};
static const struct metric disk_metrics[] = {
#define DISK ROW
#include "collectors/metrics.def"
};
static const struct metric interface_metrics[] = {
#define INTERFACE ROW
#include "collectors/metrics.def"
};
static const struct metric sensor_metrics[] = {
#define SENSOR ROW
#include "collectors/metrics.def"
};
static const struct metric cgroup_metrics[] = {
#define CGROUP ROW
#include "collectors/metrics.def"
};
static const struct metric app_metrics[] = {
#define APP ROW
#include "collectors/metrics.def"
};
static const struct metric agent_metrics[] = {
#define AGENT ROW
#include "collectors/metrics.def"
};

#define METRICS(table) .metrics = table, .n_metrics = ARRAY_LEN(table)

const struct entity_class class_agent = {
	.name = "agent",
	.plural = "agent",
	.doc = "What the agent itself costs.",
	METRICS(agent_metrics),
};
const struct entity_class class_app = {
	.name = "app",
	.plural = "apps",
	.doc = "An app that the agent deploys, as it answers: asked at health.path, at the address "
	       "of the version that serves.",
	METRICS(app_metrics),
	.prom_labels = {{"app", "app"}},
};
const struct entity_class class_container = {
	.name = "container",
	.plural = "containers",
	.doc = "A container, by its stable name.",
	METRICS(cgroup_metrics),
	.prom_labels = {{"id", "id"}, {"image", "image"}, {"name", "name"}},
};
const struct entity_class class_core = {
	.name = "core",
	.plural = "cores",
	.doc = "One CPU.",
	METRICS(core_metrics),
	.prom_labels = {{"cpu", "cpu"}},
};
const struct entity_class class_disk = {
	.name = "disk",
	.plural = "disks",
	.doc = "A whole block device.",
	METRICS(disk_metrics),
	.prom_labels = {{"device", "device"}},
};
const struct entity_class class_filesystem = {
	.name = "filesystem",
	.plural = "filesystems",
	.doc = "A mounted filesystem, by its mount point.",
	METRICS(filesystem_metrics),
	.prom_labels = {{"device", "device"}, {"fstype", "fstype"}, {"mountpoint", "mountpoint"}},
};
const struct entity_class class_host = {
	.name = "host",
	.plural = "host",
	.doc = "This server.",
	METRICS(host_metrics),
};
const struct entity_class class_interface = {
	.name = "interface",
	.plural = "interfaces",
	.doc = "A network interface.",
	METRICS(interface_metrics),
	.prom_labels = {{"device", "device"}},
};
const struct entity_class class_sensor = {
	.name = "sensor",
	.plural = "sensors",
	.doc = "A temperature sensor.",
	METRICS(sensor_metrics),
	.prom_labels = {{"chip", "chip"}, {"sensor", "sensor"}},
};
const struct entity_class class_service = {
	.name = "service",
	.plural = "services",
	.doc = "A systemd service, by its unit name without .service.",
	METRICS(cgroup_metrics),
	.prom_labels = {{"id", "id"}},
};

const struct entity_class *const entity_classes[] = {&class_agent, &class_app, &class_container,
	&class_core, &class_disk, &class_filesystem, &class_host, &class_interface, &class_sensor,
	&class_service, NULL};

const struct entity_class *entity_class_find(const char *name)
{
	for (size_t i = 0; entity_classes[i]; i++)
		if (strcmp(entity_classes[i]->name, name) == 0)
			return entity_classes[i];
	return NULL;
}

int metric_find(const struct entity_class *c, const char *name)
{
	for (size_t i = 0; i < c->n_metrics; i++)
		if (strcmp(c->metrics[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *metric_unit_name(enum metric_unit u)
{
	switch (u) {
	case UNIT_NONE:
		return "none";
	case UNIT_PERCENT:
		return "percent";
	case UNIT_BYTES:
		return "bytes";
	case UNIT_BYTES_PER_SECOND:
		return "bytes_per_second";
	case UNIT_PER_SECOND:
		return "per_second";
	case UNIT_SECONDS:
		return "seconds";
	case UNIT_CORES:
		return "cores";
	case UNIT_CELSIUS:
		return "celsius";
	case UNIT_BOOLEAN:
		return "boolean";
	}
	return "none";
}
