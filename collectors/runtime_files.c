/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/runtime_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* An OCI config.json with a long seccomp profile has 100 kB; Podman's list a few hundred bytes a
 * container. */
enum { FILE_MAX_BYTES = 4 << 20 };

/* Where Kubernetes' container runtimes put bundles; k3s has a containerd of its own. */
static const char *const bundles[] = {
	"run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json",
	"run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json",
	"run/containers/storage/overlay-containers/%s/userdata/config.json",
};

/* The folder is named after the storage driver; volatile: containers started with --rm. */
static const char *const podman_lists[] = {"overlay-containers/containers.json",
	"overlay-containers/volatile-containers.json", "vfs-containers/containers.json",
	"btrfs-containers/containers.json", "zfs-containers/containers.json"};

void runtime_id(char to[CONTAINER_ID_MAX + 1], const struct cgroup_name *name)
{
	if (*name->id)
		(void)str_copy(to, CONTAINER_ID_MAX + 1, name->id);
	else
		(void)snprintf(to, CONTAINER_ID_MAX + 1, "%.10s/%.50s", name->engine, name->name);
}

static const char *below_root(const char *path)
{
	return path + strspn(path, "/");
}

static int read_json(int root_fd, const char *path, json_t **out, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX_BYTES);
	json_error_t where;
	int r = fs_read(root_fd, path, &text, e);

	if (r == 0) {
		*out = json_loadb(buf_str(&text), text.len, 0, &where);
		if (!*out)
			r = err_set(e, EINVAL, "%s:%d: %s", path, where.line, where.text);
	}
	buf_done(&text);
	return r;
}

static int read_docker(
	const struct runtime_files *f, const char *id, struct container_info *out, struct err *e)
{
	char path[PATH_MAX];
	const char *root = below_root(f->docker_root);
	json_t *object, *host;
	int r;

	(void)snprintf(path, sizeof(path), "%s/containers/%s/config.v2.json", root, id);
	r = read_json(f->root_fd, path, &object, e);
	if (r < 0)
		return r;
	/* The network mode is in a file of its own. */
	(void)snprintf(path, sizeof(path), "%s/containers/%s/hostconfig.json", root, id);
	if (read_json(f->root_fd, path, &host, NULL) == 0)
		(void)json_object_set_new(object, "HostConfig", host);
	r = container_info_from_inspect(object, out, e);
	json_decref(object);
	if (r == 0)
		out->engine = "docker";
	return r;
}

static int read_podman(
	const struct runtime_files *f, const char *id, struct container_info *out, struct err *e)
{
	char path[PATH_MAX];
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LEN(podman_lists); i++) {
		json_t *list;

		(void)snprintf(
			path, sizeof(path), "%s/%s", below_root(f->podman_root), podman_lists[i]);
		r = read_json(f->root_fd, path, &list, e);
		if (r < 0)
			continue;
		r = container_info_from_podman(list, id, out, e);
		json_decref(list);
	}
	return r;
}

static int read_bundle(
	const struct runtime_files *f, const char *id, struct container_info *out, struct err *e)
{
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LEN(bundles); i++) {
		char path[PATH_MAX];
		char *tail = strstr(bundles[i], "%s");
		json_t *object;

		(void)snprintf(path, sizeof(path), "%.*s%s%s", (int)(tail - bundles[i]), bundles[i],
			id, tail + 2);
		r = read_json(f->root_fd, path, &object, e);
		if (r < 0)
			continue;
		r = container_info_from_oci(object, id, out, e);
		json_decref(object);
	}
	return r;
}

/* "hostname: web" of a container, "name: web" of a virtual machine. Snapshots follow in sections
 * of their own. */
static int read_proxmox(const struct runtime_files *f, const struct cgroup_name *name,
	struct container_info *out, struct err *e)
{
	bool vm = strcmp(name->engine, "qemu") == 0;
	const char *key = vm ? "name:" : "hostname:";
	char path[PATH_MAX];
	struct buf text = BUF_INIT(64 << 10);
	char *save, *line;
	int r;

	(void)snprintf(
		path, sizeof(path), "etc/pve/%s/%s.conf", vm ? "qemu-server" : "lxc", name->name);
	r = fs_read(f->root_fd, path, &text, e);
	if (r < 0 || text.len == 0) {
		buf_done(&text);
		return r < 0 ? r : -ENOENT;
	}
	r = -ENOENT;
	for (line = strtok_r(text.data, "\n", &save); line && *line != '[';
		line = strtok_r(NULL, "\n", &save)) {
		if (!str_starts(line, key))
			continue;
		line += strlen(key);
		line += strspn(line, " ");
		container_info_init(out);
		runtime_id(out->id, name);
		out->name = str_ndup(line, strnlen(line, CONTAINER_TEXT_MAX));
		out->stable = str_dup(out->name);
		r = 0;
		break;
	}
	buf_done(&text);
	return r;
}

static int any_bundle(const struct runtime_files *f, const struct cgroup_name *name,
	struct container_info *out, struct err *e)
{
	int r = -ENOENT;

	if (!*name->engine || strcmp(name->engine, "docker") == 0)
		r = read_docker(f, name->id, out, e);
	if (r == -ENOENT && (!*name->engine || strcmp(name->engine, "podman") == 0))
		r = read_podman(f, name->id, out, e);
	if (r == -ENOENT)
		r = read_bundle(f, name->id, out, e);
	return r;
}

int runtime_files_read(const struct runtime_files *f, const struct cgroup_name *name,
	struct container_info *out, struct err *e)
{
	if (*name->id)
		return any_bundle(f, name, out, e);
	if (strcmp(name->engine, "lxc") == 0 || strcmp(name->engine, "qemu") == 0)
		return read_proxmox(f, name, out, e);
	return -ENOENT;
}

struct list {
	runtime_files_fn fn;
	void *user;
};

static int list_one(void *user, int dirfd, const char *name)
{
	struct list *l = user;

	(void)dirfd;
	if (strlen(name) == CONTAINER_ID_MAX &&
		strspn(name, "0123456789abcdef") == CONTAINER_ID_MAX)
		l->fn(l->user, name);
	return 0;
}

int runtime_files_list(
	const struct runtime_files *f, runtime_files_fn fn, void *user, struct err *e)
{
	struct list l = {fn, user};
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/containers", below_root(f->docker_root));
	return fs_list(f->root_fd, path, list_one, &l, e);
}
