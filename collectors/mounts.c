/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/mounts.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/procfs.h"

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Space, tab, newline and backslash are written as \040, \011, \012, \134. */
static void unescape(char *text)
{
	char *to = text;

	for (char *p = text; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && is_octal(p[2]) &&
			is_octal(p[3])) {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

static int missing(struct err *e, const char *what)
{
	return err_set(e, EINVAL, "%s is missing", what);
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"; fields like
 * master:1 may be there in any number. */
int mount_parse_line(char *line, struct mount_line *out, struct err *e)
{
	struct mount_line l = {0};
	uint64_t id, parent, major, minor;
	char *field;

	if (!proc_next_u64(&line, &id) || !proc_next_u64(&line, &parent))
		return err_set(e, EINVAL, "the mount's number is not a number");
	if (!proc_next_u64(&line, &major) || *line++ != ':' || !proc_next_u64(&line, &minor) ||
		major > UINT32_MAX || minor > UINT32_MAX)
		return err_set(e, EINVAL, "field 3 is not a device number");
	l.major = (unsigned)major;
	l.minor = (unsigned)minor;
	if (!proc_next_field(&line, &l.root) || !proc_next_field(&line, &l.point) ||
		!proc_next_field(&line, &l.options))
		return missing(e, "root, mount point or options");
	do {
		if (!proc_next_field(&line, &field))
			return missing(e, "the separator \"-\"");
	} while (strcmp(field, "-") != 0);
	if (!proc_next_field(&line, &l.type) || !proc_next_field(&line, &l.source))
		return missing(e, "filesystem type or source");
	if (!proc_next_field(&line, &l.super_options))
		l.super_options = line; /* "" */
	unescape(l.root);
	unescape(l.point);
	unescape(l.source);
	*out = l;
	return 0;
}

static bool is_one_of(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

#define ONE_OF(list, s) is_one_of(list, ARRAY_LEN(list), s)

enum mount_kind mount_kind_of(const char *type)
{
	static const char *const pseudo[] = {"autofs", "binder", "binfmt_misc", "bpf", "cgroup",
		"cgroup2", "configfs", "debugfs", "devfs", "devpts", "devtmpfs", "efivarfs",
		"functionfs", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fuse.snapfuse",
		"fusectl", "hugetlbfs", "mqueue", "nfsd", "none", "nsfs", "proc", "pstore", "ramfs",
		"resctrl", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "smackfs", "sysfs",
		"tracefs", "usbfs", "xenfs"};
	static const char *const memory[] = {"overlay", "overlayfs", "aufs", "tmpfs"};
	static const char *const image[] = {
		"cramfs", "erofs", "iso9660", "romfs", "squashfs", "udf"};
	static const char *const remote[] = {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs",
		"fuse", "fuseblk", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
		"orangefs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"};

	if (ONE_OF(pseudo, type))
		return MOUNT_PSEUDO;
	if (ONE_OF(memory, type))
		return MOUNT_MEMORY;
	if (ONE_OF(image, type))
		return MOUNT_IMAGE;
	if (ONE_OF(remote, type) || str_starts(type, "fuse."))
		return MOUNT_REMOTE;
	return MOUNT_LOCAL;
}

/* What container engines and package systems mount for themselves, and the files a container
 * gets from its host. */
static bool is_private(const char *point)
{
	static const char *const below[] = {"/dev/", "/proc/", "/snap/", "/sys/",
		"/var/lib/containers/storage/", "/var/lib/docker/", "/var/lib/kubelet/"};
	static const char *const files[] = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};

	for (size_t i = 0; i < ARRAY_LEN(below); i++)
		if (str_starts(point, below[i]))
			return true;
	return ONE_OF(files, point);
}

bool mount_watched_by_default(const char *type, const char *point, bool network_filesystems)
{
	if (is_private(point))
		return false;
	switch (mount_kind_of(type)) {
	case MOUNT_LOCAL:
		return true;
	case MOUNT_REMOTE:
		return network_filesystems;
	case MOUNT_MEMORY:
		return strcmp(point, "/") == 0 ||
		       (strcmp(type, "tmpfs") == 0 &&
			       (strcmp(point, "/tmp") == 0 || strcmp(point, "/var/tmp") == 0));
	case MOUNT_IMAGE:
	case MOUNT_PSEUDO:
		break;
	}
	return false;
}

/* "rw,relatime" or "ro,..." */
static bool is_read_only(const char *options)
{
	return str_starts(options, "ro") && (options[2] == ',' || !options[2]);
}

void mount_done(struct mount *m)
{
	free(m->point);
	free(m->type);
	free(m->source);
}

static void drop(struct mounts *t, size_t i)
{
	mount_done(&t->list[i]);
	memmove(t->list + i, t->list + i + 1, (t->n - i - 1) * sizeof(*t->list));
	t->n--;
}

/* What was mounted here before cannot be reached any more. */
static void hide(struct mounts *t, const char *point)
{
	for (size_t i = t->n; i > 0; i--)
		if (strcmp(t->list[i - 1].point, point) == 0)
			drop(t, i - 1);
}

static struct mount *append(struct mounts *t)
{
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->list = realloc(t->list, t->room * sizeof(*t->list));
		if (!t->list)
			abort();
	}
	return &t->list[t->n++];
}

void mounts_add(struct mounts *t, const struct mount_line *l, const struct collect_options *o)
{
	enum mount_kind kind = mount_kind_of(l->type);
	bool by_default = mount_watched_by_default(l->type, l->point, o->network_filesystems);
	bool watched = kind != MOUNT_PSEUDO && (kind != MOUNT_REMOTE || o->network_filesystems) &&
		       str_matches_any(o->filesystems.list, o->filesystems.n, l->point, by_default);

	hide(t, l->point);
	/* Remote ones stay in the table until its end for the sake of what is mounted below them. */
	if ((!watched && kind != MOUNT_REMOTE) || t->n >= MOUNTS_MAX)
		return;
	*append(t) = (struct mount){
		.major = l->major,
		.minor = l->minor,
		.point = str_dup(l->point),
		.type = str_dup(l->type),
		.source = str_dup(l->source),
		.whole = strcmp(l->root, "/") == 0,
		.read_only = is_read_only(l->options) || is_read_only(l->super_options),
		.watched = watched,
		.may_hang = kind == MOUNT_REMOTE,
	};
}

static bool is_below(const char *point, const char *parent)
{
	size_t n = strlen(parent);

	return strncmp(point, parent, n) == 0 && (point[n] == '/' || (n == 1 && point[1]));
}

/* The path to a mount below a remote one leads through that one. */
static void mark_hanging(struct mounts *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < t->n && !t->list[i].may_hang; j++)
			if (t->list[j].may_hang && is_below(t->list[i].point, t->list[j].point))
				t->list[i].may_hang = true;
}

/* Which of two mounts of one filesystem stands for it: the whole before a part, then the one
 * nearer to the root. */
static bool is_better(const struct mount *a, const struct mount *b)
{
	if (a->whole != b->whole)
		return a->whole;
	return strlen(a->point) < strlen(b->point);
}

static void keep_best(struct mounts *t, size_t i)
{
	for (size_t j = t->n; j > i + 1; j--) {
		struct mount *a = &t->list[i];
		struct mount *b = &t->list[j - 1];

		if (a->major != b->major || a->minor != b->minor)
			continue;
		if (is_better(b, a)) {
			struct mount swap = *a;

			*a = *b;
			*b = swap;
		}
		drop(t, j - 1);
	}
}

void mounts_finish(struct mounts *t)
{
	mark_hanging(t);
	for (size_t i = t->n; i > 0; i--)
		if (!t->list[i - 1].watched)
			drop(t, i - 1);
	for (size_t i = 0; i < t->n; i++)
		keep_best(t, i);
}

void mounts_done(struct mounts *t)
{
	for (size_t i = 0; i < t->n; i++)
		mount_done(&t->list[i]);
	free(t->list);
	*t = (struct mounts){0};
}
