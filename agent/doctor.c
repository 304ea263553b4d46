/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/doctor_checks.h"
#include "base/str.h"

const struct doctor_check doctor_checks[] = {
	{"backups", "the backup jobs, by what became of the last runs", doctor_backups},
	{"cgroup", "the cgroup hierarchy and its controllers", doctor_cgroup},
	{"channels", "the channels for messages, by what became of the last ones", doctor_channels},
	{"clock", "whether a time service keeps the clock right", doctor_clock},
	{"config", "the configuration files", doctor_config},
	{"engines", "the sockets of Docker and Podman", doctor_engines},
	{"libraries", "the libraries in use", doctor_libraries},
	{"port", "the address of the dashboard", doctor_port},
	{"pressure", "the kernel's pressure information", doctor_pressure},
	{"problems", "what the running agent complains about", doctor_problems},
	{"rrd", "the folder of measurements", doctor_rrd},
	{"space", "free space for the state folder", doctor_space},
	{"state", "the state folder and its permissions", doctor_state_folder},
	{"user", "the user the agent runs as", doctor_user},
	{NULL, NULL, NULL},
};

__attribute__((format(printf, 3, 0))) static void put(
	char *to, size_t size, const char *fmt, va_list ap)
{
	char text[1024];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)str_copy(to, size, text);
}

void doctor_ok(struct doctor_finding *f, const char *fmt, ...)
{
	va_list ap;

	f->state = DOCTOR_OK;
	f->cure[0] = '\0';
	va_start(ap, fmt);
	put(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

void doctor_fault(
	struct doctor_finding *f, enum doctor_state state, const char *cure, const char *fmt, ...)
{
	va_list ap;

	f->state = state;
	(void)str_copy(f->cure, sizeof(f->cure), cure);
	va_start(ap, fmt);
	put(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

const char *doctor_state_name(enum doctor_state s)
{
	switch (s) {
	case DOCTOR_OK:
		return "ok";
	case DOCTOR_WARNING:
		return "warning";
	case DOCTOR_FAILED:
		return "failed";
	}
	return "";
}

void doctor_json(const struct doctor_context *c, struct buf *out)
{
	buf_addc(out, '[');
	for (const struct doctor_check *k = doctor_checks; k->name; k++) {
		struct doctor_finding f = {DOCTOR_OK, "", ""};

		k->run(c, &f);
		buf_addf(out, "%s{\"name\":\"%s\",\"state\":\"%s\",\"text\":",
			k == doctor_checks ? "" : ",", k->name, doctor_state_name(f.state));
		buf_add_json_string(out, f.text);
		buf_adds(out, ",\"cure\":");
		buf_add_json_string(out, f.cure);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}
