/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_path.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

enum {
	COMPONENT_MAX = 255, /* NAME_MAX */
	PLAIN_DEPTH = 2, /* folders of unknown names are looked into this deep: ecs/TASK/ID */
};

/* What the folders walked through so far mean for those below. */
struct walk {
	size_t depth;
	bool docker, podman, kube, qemu, user_manager, service;
	bool machine_slice; /* machine.slice of systemd-machined */
	bool machine_folder; /* libvirt without systemd */
	bool lxc_folder; /* LXC before 4, and Proxmox */
	char pod[40];
};

/* PREFIX<64 hex>SUFFIX. */
static const struct id_rule {
	const char *prefix, *suffix, *engine;
} id_rules[] = {
	{"crio-", "", "cri-o"},
	{"crio-", ".scope", "cri-o"},
	{"cri-containerd-", ".scope", "containerd"},
	{"docker-", ".scope", "docker"},
	{"libpod-", "", "podman"},
	{"libpod-", ".scope", "podman"},
	{"libpod-payload-", "", "podman"},
	{"nerdctl-", ".scope", "containerd"},
};

/* Never a container, never worth a look: monitors beside containers, builders, units without
 * processes of interest. */
static const char *const ignored_prefixes[] = {
	"crio-conmon-", "libpod-conmon-", "lxc.monitor", "lxc.pivot", "user-runtime-dir@"};
static const char *const ignored_names[] = {"buildkit", "init.scope"};
static const char *const ignored_suffixes[] = {".automount", ".device", ".mount", ".partition",
	".path", ".socket", ".swap", ".target", ".timer"};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

void cgroup_unescape(char *to, size_t size, const char *from)
{
	size_t n = 0;

	while (*from && n + 1 < size) {
		int high = -1, low = -1;

		if (from[0] == '\\' && from[1] == 'x') {
			high = hex_digit(from[2]);
			low = high < 0 ? -1 : hex_digit(from[3]);
		}
		if (low >= 0 && (high || low)) {
			to[n++] = (char)(high << 4 | low);
			from += 4;
		} else {
			to[n++] = *from++;
		}
	}
	to[n] = '\0';
}

/* True when exactly 64 hex digits stand at s, followed by `suffix`. */
static bool is_id(const char *s, const char *suffix)
{
	size_t n = 0;

	while (n < CGROUP_ID_MAX && hex_digit(s[n]) >= 0)
		n++;
	return n == CGROUP_ID_MAX && strcmp(s + n, suffix) == 0;
}

static void set_container(struct cgroup_name *out, const char *engine, const char *id)
{
	out->kind = CGROUP_CONTAINER;
	out->engine = engine;
	(void)str_copy(out->id, sizeof(out->id), id);
}

/* A guest known by its name alone. The last `cut` bytes of the name are a suffix. */
static void set_guest(struct cgroup_name *out, const char *engine, const char *name, size_t cut)
{
	size_t n = strlen(name) - cut;

	if (n == 0)
		return;
	if (n > CGROUP_NAME_MAX)
		n = CGROUP_NAME_MAX;
	out->kind = CGROUP_CONTAINER;
	out->engine = engine;
	memcpy(out->name, name, n);
	out->name[n] = '\0';
}

/* Without a prefix only the folders above tell whose id it is. */
static const char *engine_above(const struct walk *w)
{
	if (w->docker)
		return "docker";
	if (w->podman)
		return "podman";
	return w->kube ? "containerd" : "";
}

/* "system.slice:docker:<id>": a runtime with the cgroupfs driver was given a path of the systemd
 * driver. */
static bool take_colon_id(const char *c, struct cgroup_name *out)
{
	const char *id = strrchr(c, ':');

	if (!id || !is_id(id + 1, ""))
		return false;
	if (strstr(c, ":docker:"))
		set_container(out, "docker", id + 1);
	else if (strstr(c, ":libpod:"))
		set_container(out, "podman", id + 1);
	else if (strstr(c, ":crio:"))
		set_container(out, "cri-o", id + 1);
	else
		set_container(out, "containerd", id + 1);
	return true;
}

static bool take_id(const struct walk *w, const char *c, struct cgroup_name *out)
{
	for (size_t i = 0; i < ARRAY_LEN(id_rules); i++) {
		const struct id_rule *r = &id_rules[i];
		size_t n = strlen(r->prefix);

		if (!str_starts(c, r->prefix) || !is_id(c + n, r->suffix))
			continue;
		set_container(out, r->engine, c + n);
		return true;
	}
	if (is_id(c, "")) {
		set_container(out, engine_above(w), c);
		return true;
	}
	return take_colon_id(c, out);
}

static const char *after_number(const char *s)
{
	const char *p = s;

	while (*p >= '0' && *p <= '9')
		p++;
	return p > s && *p == '-' ? p + 1 : NULL;
}

/* libvirt numbers its guests: "qemu-3-NAME", "lxc-3-NAME". Returns NAME, or NULL. */
static const char *libvirt_name(const char *s)
{
	if (str_starts(s, "qemu-"))
		return after_number(s + strlen("qemu-"));
	if (str_starts(s, "lxc-"))
		return after_number(s + strlen("lxc-"));
	return NULL;
}

/* machine.slice: scopes of guests that registered themselves, services of nspawn. */
static bool take_machine(const char *c, struct cgroup_name *out)
{
	static const char nspawn[] = "systemd-nspawn@";
	char text[COMPONENT_MAX + 1];
	const char *name = text;

	cgroup_unescape(text, sizeof(text), c);
	if (str_ends(text, ".service")) {
		if (str_starts(name, nspawn))
			name += strlen(nspawn);
		set_guest(out, "nspawn", name, strlen(".service"));
		return true;
	}
	if (!str_starts(text, "machine-") || !str_ends(text, ".scope"))
		return false;
	name += strlen("machine-");
	if (libvirt_name(name))
		set_guest(out, "libvirt", libvirt_name(name), strlen(".scope"));
	else
		set_guest(out, "nspawn", name, strlen(".scope"));
	return true;
}

/* machine/: libvirt without systemd. */
static bool take_libvirt(const char *c, struct cgroup_name *out)
{
	const char *suffix = strstr(c, ".libvirt-");
	const char *name = libvirt_name(c);

	if (!suffix)
		return false;
	set_guest(out, "libvirt", name && name < suffix ? name : c, strlen(suffix));
	return true;
}

static bool take_guest(const struct walk *w, const char *c, struct cgroup_name *out)
{
	static const char payload[] = "lxc.payload.";

	if (str_starts(c, payload)) {
		set_guest(out, "lxc", c + strlen(payload), 0);
		return true;
	}
	if (w->lxc_folder) {
		set_guest(out, "lxc", c, 0);
		return true;
	}
	if (w->qemu && str_ends(c, ".scope")) {
		set_guest(out, "qemu", c, strlen(".scope"));
		return true;
	}
	if (w->machine_slice)
		return take_machine(c, out);
	return w->machine_folder && take_libvirt(c, out);
}

static bool is_ignored(const char *c)
{
	for (size_t i = 0; i < ARRAY_LEN(ignored_prefixes); i++)
		if (str_starts(c, ignored_prefixes[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(ignored_suffixes); i++)
		if (str_ends(c, ignored_suffixes[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(ignored_names); i++)
		if (strcmp(c, ignored_names[i]) == 0)
			return true;
	return false;
}

/* "kubepods-burstable-pod1d5b_....slice" or "pod1d5b-...": the pod's uid. */
static void take_pod(struct walk *w, const char *c)
{
	const char *uid = str_starts(c, "pod") ? c : strstr(c, "-pod");
	size_t n;

	if (!w->kube || !uid)
		return;
	uid += *uid == '-' ? strlen("-pod") : strlen("pod");
	n = strcspn(uid, ".");
	if (n >= sizeof(w->pod))
		return;
	memcpy(w->pod, uid, n);
	w->pod[n] = '\0';
	for (char *p = w->pod; *p; p++)
		if (*p == '_')
			*p = '-';
}

static void take_service(const struct walk *w, const char *c, struct cgroup_name *out)
{
	size_t n = strlen(c) - strlen(".service");

	out->kind = CGROUP_FOLDER;
	out->descend = true;
	if (w->user_manager || str_starts(c, "user@") || n == 0)
		return;
	out->kind = CGROUP_SERVICE;
	if (n > CGROUP_NAME_MAX)
		n = CGROUP_NAME_MAX;
	memcpy(out->name, c, n);
	out->name[n] = '\0';
}

static void take_folder(const struct walk *w, const char *c, struct cgroup_name *out)
{
	bool slice = str_ends(c, ".slice");
	bool known = w->kube || strcmp(c, "docker") == 0 || strcmp(c, "libpod_parent") == 0;

	if (str_ends(c, ".scope"))
		return;
	if (!slice && !known && (w->service || w->depth >= PLAIN_DEPTH))
		return;
	out->kind = CGROUP_FOLDER;
	out->descend = true;
}

static void classify(const struct walk *w, const char *c, struct cgroup_name *out)
{
	if (w->depth >= CGROUP_DEPTH_MAX || is_ignored(c) || take_id(w, c, out) ||
		take_guest(w, c, out))
		return;
	if (str_ends(c, ".service") && !w->service)
		take_service(w, c, out);
	else
		take_folder(w, c, out);
}

/* Into the folder c. */
static void enter(struct walk *w, const char *c, const struct cgroup_name *n)
{
	w->docker = w->docker || strcmp(c, "docker") == 0;
	w->podman = w->podman || strcmp(c, "libpod_parent") == 0;
	w->kube = w->kube || str_starts(c, "kubepods");
	w->user_manager = w->user_manager || str_starts(c, "user@");
	w->service = w->service || n->kind == CGROUP_SERVICE;
	w->machine_slice = w->machine_slice || strcmp(c, "machine.slice") == 0;
	w->qemu = w->depth == 0 && strcmp(c, "qemu.slice") == 0;
	w->machine_folder = w->depth == 0 && strcmp(c, "machine") == 0;
	w->lxc_folder = w->depth == 0 && strcmp(c, "lxc") == 0;
	take_pod(w, c);
	w->depth++;
}

void cgroup_path_classify(const char *path, struct cgroup_name *out)
{
	struct walk w = {.depth = 0};
	char c[COMPONENT_MAX + 1];

	*out = (struct cgroup_name){.kind = CGROUP_FOLDER, .descend = true, .engine = ""};
	for (;;) {
		bool inside;
		size_t n;

		path += strspn(path, "/");
		if (!*path)
			break;
		n = strcspn(path, "/");
		inside = !out->descend;
		*out = (struct cgroup_name){.kind = CGROUP_IGNORE, .engine = ""};
		if (inside || n >= sizeof(c))
			return;
		memcpy(c, path, n);
		c[n] = '\0';
		path += n;
		classify(&w, c, out);
		enter(&w, c, out);
	}
	if (out->kind != CGROUP_IGNORE)
		(void)str_copy(out->pod, sizeof(out->pod), w.pod);
}
