/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum { NAME_MAX_BYTES = 64, FIRST_LINE_BYTES = 256 };

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-';
}

void hook_file_done(struct hook_file *f)
{
	free(f->path);
	free(f->problem);
	*f = (struct hook_file){NULL, NULL, false};
}

/* Who owns it can change it, and everybody with the right to write. */
static char *check_owner(const char *path, const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return str_format("%s is of the user %u, who could change it: chown root %s", path,
			(unsigned)st->st_uid, path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return str_format("%s can be changed by others (mode %04o): chmod go-w %s", path,
			(unsigned)(st->st_mode & 07777), path);
	return NULL;
}

/* The folders from `root` on down to the file, both resolved. Who may write into one of them may put another file there. */
static char *check_folders(const char *root, const char *file)
{
	char part[PATH_MAX];

	for (const char *at = file + strlen(root); at; at = strchr(at + 1, '/')) {
		struct stat st;
		char *problem;

		(void)snprintf(part, sizeof(part), "%.*s", (int)(at - file), file);
		if (stat(part, &st) < 0)
			return str_format("%s: %s", part, strerror(errno));
		problem = check_owner(part, &st);
		if (problem)
			return problem;
	}
	return NULL;
}

/* What the kernel would say of it is "Exec format error", or "not found" of a file that is there. */
static char *check_start(const char *path)
{
	_cleanup_(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char line[FIRST_LINE_BYTES] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	char *end;

	if (n < 0)
		return str_format("%s cannot be read: %s", path, strerror(errno));
	if (n >= 4 && memcmp(line, "\177ELF", 4) == 0)
		return NULL;
	if (!str_starts(line, "#!"))
		return str_format("%s does not start with #! and an interpreter", path);
	end = strchr(line, '\n');
	if (end && end > line && end[-1] == '\r')
		return str_format(
			"%s has the line ends of Windows: sed -i 's/\\r$//' %s", path, path);
	return NULL;
}

static char *check_file(const char *root, const char *path)
{
	char real_root[PATH_MAX], real[PATH_MAX];
	size_t n;
	struct stat st;
	char *problem;

	if (!realpath(path, real) || !realpath(root, real_root) || stat(real, &st) < 0)
		return str_format("%s: %s", path, strerror(errno));
	n = strlen(real_root);
	if (strncmp(real, real_root, n) != 0 || real[n] != '/')
		return str_format("%s is a link to %s, which is not in %s", path, real, root);
	if (!S_ISREG(st.st_mode))
		return str_format("%s is not a regular file", path);
	problem = check_folders(real_root, real);
	if (!problem)
		problem = check_owner(real, &st);
	if (problem)
		return problem;
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return str_format("%s is not executable: chmod +x %s", path, path);
	if (access(real, X_OK) < 0)
		return str_format("%s cannot be run: %s", path, strerror(errno));
	return check_start(real);
}

static void find(
	const char *const *folders, const char *stage, const char *name, struct hook_file *out)
{
	for (size_t i = 0; folders[i]; i++) {
		_cleanup_(free_p) char *path = str_format("%s/%s/%s", folders[i], stage, name);
		struct stat st;

		if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		out->problem = check_file(folders[i], path);
		out->is_override = folders[i + 1] != NULL;
		out->path = TAKE_PTR(path);
		return;
	}
}

void hook_find(
	const char *const *folders, const char *stage, const char *name, struct hook_file *out)
{
	*out = (struct hook_file){NULL, NULL, false};
	if (!name_is_valid(stage) || !name_is_valid(name))
		out->problem = str_format(
			"%.64s/%.64s cannot be a hook: only a-z, 0-9 and - may be in a name", stage,
			name);
	else
		find(folders, stage, name, out);
}

/* What editors and packages leave beside a file. */
static bool is_left_over(const char *name)
{
	static const char *const ends[] = {"~", ".bak", ".sample", ".orig", ".swp"};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_ends(name, ends[i]))
			return true;
	return name[0] == '.' || strstr(name, ".dpkg-") || strstr(name, ".rpm");
}

void hook_list_done(struct hook_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		hook_file_done(&l->files[i]);
	free(l->files);
	*l = (struct hook_list){NULL, 0};
}

struct names {
	char *name[HOOK_LIST_MAX];
	size_t n;
};

static void names_done(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->name[i]);
}

static int take_name(void *user, int dirfd, const char *name)
{
	struct names *n = user;

	(void)dirfd;
	if (is_left_over(name))
		return 0;
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->name[i], name) == 0)
			return 0;
	if (n->n == HOOK_LIST_MAX)
		return -E2BIG;
	n->name[n->n++] = str_dup(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int hook_find_all(
	const char *const *folders, const char *stage, struct hook_list *out, struct err *e)
{
	_cleanup_(names_done) struct names names = {.n = 0};
	struct hook_file *files;

	for (size_t i = 0; folders[i]; i++) {
		_cleanup_(free_p) char *path = str_format("%s/%s", folders[i], stage);
		int r = fs_list(AT_FDCWD, path, take_name, &names, e);

		if (r == -E2BIG)
			return err_set(e, E2BIG, "%s: more than %d hooks", path, HOOK_LIST_MAX);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	qsort(names.name, names.n, sizeof(names.name[0]), by_name);
	files = calloc(names.n ? names.n : 1, sizeof(*files));
	if (!files)
		abort();
	for (size_t i = 0; i < names.n; i++)
		hook_find(folders, stage, names.name[i], &files[i]);
	*out = (struct hook_list){files, names.n};
	return 0;
}

enum hook_verdict hook_judge(int status, bool timed_out)
{
	if (timed_out || !WIFEXITED(status))
		return HOOK_FAILED;
	switch (WEXITSTATUS(status)) {
	case 0:
		return HOOK_DONE;
	case HOOK_TEMPORARY:
		return HOOK_AGAIN;
	case HOOK_NOTHING:
		return HOOK_SKIP;
	default:
		return HOOK_FAILED;
	}
}
