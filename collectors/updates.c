/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/updates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum {
	LOOK_SAMPLES = 15, /* 5 minutes at 20 s */
	NOTICE_MAX = 4096,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where the flavour of a kernel release begins: "-amd64" of "6.1.0-18-amd64", the end when it
 * has none. */
static const char *flavour(const char *release)
{
	const char *p = release;

	while ((p = strchr(p, '-'))) {
		if (!is_digit(p[1]))
			return p;
		p++;
	}
	return release + strlen(release);
}

bool kernel_replaces(const char *installed, const char *running)
{
	const char *ours = flavour(running);
	const char *theirs = flavour(installed);
	char a[128], b[128];

	if (strcmp(ours, theirs) != 0)
		return false;
	(void)snprintf(a, sizeof(a), "%.*s", (int)(theirs - installed), installed);
	(void)snprintf(b, sizeof(b), "%.*s", (int)(ours - running), running);
	return strverscmp(a, b) > 0;
}

/* Reads the number a line begins with. */
static bool leading_number(const char *line, unsigned *out)
{
	unsigned v = 0;

	if (!is_digit(*line))
		return false;
	for (; is_digit(*line) && v < 1000000; line++)
		v = v * 10 + (unsigned)(*line - '0');
	*out = v;
	return true;
}

/* Copies the next line; NULL at the end. */
static const char *next_line(const char *text, char *line, size_t size)
{
	size_t n = strcspn(text, "\n");

	if (!*text)
		return NULL;
	(void)snprintf(line, size, "%.*s", (int)(n < size ? n : size - 1), text);
	return text + n + (text[n] == '\n');
}

bool updates_parse_notice(const char *text, unsigned *all, unsigned *security)
{
	bool known = false;
	unsigned total = 0, urgent = 0, n;
	char line[256];

	while ((text = next_line(text, line, sizeof(line)))) {
		if (!leading_number(line, &n) || strstr(line, "additional"))
			continue; /* those of a paid service */
		if (strstr(line, "security")) {
			urgent = n;
		} else if (strstr(line, "can be")) {
			total = n;
			known = true;
		}
	}
	if (!known)
		return false;
	*all = total;
	*security = urgent;
	return true;
}

/* "Inst NAME [OLD] (NEW ARCHIVE, ARCHIVE [ARCH])" */
void updates_parse_apt_simulation(const char *text, unsigned *all, unsigned *security)
{
	unsigned total = 0, urgent = 0;
	char line[1024];

	while ((text = next_line(text, line, sizeof(line)))) {
		const char *old = strstr(line, " [");
		const char *archives = strchr(line, '(');

		if (!str_starts(line, "Inst ") || !archives || !old || old > archives)
			continue;
		total++;
		if (strstr(archives, "-security") || strstr(archives, "Debian-Security:"))
			urgent++;
	}
	*all = total;
	*security = urgent;
}

struct updates_state {
	unsigned looked; /* sample number; 0: never */
	bool reboot;
	bool known;
	unsigned all;
	unsigned security;
};

struct kernels {
	char running[128];
	bool newer;
};

static int look_at_image(void *user, int dirfd, const char *name)
{
	struct kernels *k = user;
	static const char prefix[] = "vmlinuz-";

	(void)dirfd;
	if (!str_starts(name, prefix) || !kernel_replaces(name + strlen(prefix), k->running))
		return 0;
	k->newer = true;
	return 1;
}

static bool has_newer_kernel(const struct collect_ctx *ctx)
{
	struct kernels k = {.newer = false};

	if (proc_read(ctx->proc_fd, "sys/kernel/osrelease", k.running, sizeof(k.running), NULL) < 0)
		return false;
	k.running[strcspn(k.running, "\n")] = '\0';
	(void)fs_list(ctx->root_fd, "boot", look_at_image, &k, NULL);
	return k.newer;
}

static int look(struct updates_state *s, const struct collect_ctx *ctx, struct err *e)
{
	static const char notice[] = "var/lib/update-notifier/updates-available";
	char text[NOTICE_MAX];
	int r;

	s->looked = registry_sample(ctx->registry);
	s->reboot = faccessat(ctx->root_fd, "run/reboot-required", F_OK, 0) == 0 ||
		    has_newer_kernel(ctx);
	s->known = false;
	r = proc_read(ctx->root_fd, notice, text, sizeof(text), e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	s->known = updates_parse_notice(text, &s->all, &s->security);
	return 0;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	static const char why[] = "not known yet: the package manager is asked once a day";
	struct updates_state *s = state;
	const struct known_updates *asked = ctx->options ? ctx->options->updates : NULL;
	struct entity *host = host_entity(ctx);
	int r = 0;

	if (!host)
		return 0;
	if (!s->looked || registry_sample(ctx->registry) - s->looked >= LOOK_SAMPLES)
		r = look(s, ctx, e);
	entity_gauge(host, HOST_reboot_required, s->reboot);
	if (s->known) {
		entity_gauge(host, HOST_updates_pending, s->all);
		entity_gauge(host, HOST_security_updates_pending, s->security);
	} else if (asked && asked->known) {
		entity_gauge(host, HOST_updates_pending, asked->all);
		entity_gauge(host, HOST_security_updates_pending, asked->security);
	} else {
		entity_missing(host, HOST_updates_pending, why);
		entity_missing(host, HOST_security_updates_pending, why);
	}
	if (r < 0)
		s->looked = 0; /* an error stays until it is gone */
	return r;
}

const struct collector collector_updates = {
	.name = "updates",
	.doc = "Pending reboot and pending updates",
	.state_size = sizeof(struct updates_state),
	.collect = collect,
};
