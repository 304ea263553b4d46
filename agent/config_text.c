/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

static int include_file(
	struct config_text *t, const char *path, unsigned depth, struct mistakes *m);

void config_text_done(struct config_text *t)
{
	buf_done(&t->text);
	for (size_t i = 0; i < t->n_files; i++)
		free(t->files[i]);
	free(t->files);
	free(t->lines);
	memset(t, 0, sizeof(*t));
}

static void *grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n, size);
	if (!p)
		abort();
	return p;
}

static unsigned add_file(struct config_text *t, const char *name)
{
	t->files = grow(t->files, t->n_files + 1, sizeof(*t->files));
	t->files[t->n_files] = str_dup(name);
	return (unsigned)t->n_files++;
}

static int refuse(const struct config_text *t, struct mistakes *m, unsigned file, unsigned line,
	const char *why)
{
	mistakes_add(m, t->files[file], line, "%s", why);
	return -EINVAL;
}

static int add_line(struct config_text *t, const char *text, size_t n, unsigned file, unsigned line,
	struct mistakes *m)
{
	struct err e;

	if (t->n_lines == t->max_lines) {
		t->max_lines = t->max_lines ? t->max_lines * 2 : 64;
		t->lines = grow(t->lines, t->max_lines, sizeof(*t->lines));
	}
	t->lines[t->n_lines++] = (struct config_line){file, line};
	buf_add(&t->text, text, strnlen(text, n)); /* a NUL byte is reported below */
	buf_addc(&t->text, '\n');
	if (t->text.overflow)
		return refuse(t, m, file, line, "the configuration is larger than 1 MiB");
	if (t->broken)
		return 0;
	if (config_scan_line(&t->scan, text, n, (unsigned)t->n_lines, &e) < 0) {
		t->broken = (unsigned)t->n_lines;
		return refuse(t, m, file, line, e.msg);
	}
	if (t->scan.n_settings > CONFIG_SETTINGS_MAX)
		return refuse(t, m, file, line, "more than 5000 settings");
	return 0;
}

/* The name in `@include "NAME"`, when the line is one: 1; 0 when it is something else. */
static int include_name(const char *text, size_t n, char *to, size_t size)
{
	_cleanup_(free_p) char *line = str_ndup(text, n);
	const char *p = line + strspn(line, " \t");
	size_t len;

	if (!str_starts(p, "@include"))
		return 0;
	p += strlen("@include");
	p += strspn(p, " \t");
	if (*p != '"')
		return 0;
	len = strcspn(++p, "\"");
	if (p[len] != '"' || len == 0 || len >= size)
		return 0;
	memcpy(to, p, len);
	to[len] = '\0';
	p += len + 1;
	p += strspn(p, " \t\r;");
	return *p == '\0' || *p == '#' || str_starts(p, "//");
}

/* All files that match the name, relative to the folder of the including file. */
static int include_all(struct config_text *t, const char *name, unsigned file, unsigned line,
	unsigned depth, struct mistakes *m)
{
	const char *from = t->files[file];
	const char *slash = strrchr(from, '/');
	_cleanup_(free_p) char *path = NULL;
	glob_t found;
	int r = 0;

	if (*name == '/' || !slash)
		path = str_dup(name);
	else
		path = str_format("%.*s/%s", (int)(slash - from), from, name);
	if (glob(path, 0, NULL, &found) != 0) {
		if (strpbrk(name, "*?["))
			return 0;
		mistakes_add(m, from, line, "the included file %s cannot be read: %s", path,
			strerror(access(path, R_OK) < 0 ? errno : ENOENT));
		return -EINVAL;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (include_file(t, found.gl_pathv[i], depth + 1, m) < 0)
			r = -EINVAL;
	globfree(&found);
	return r;
}

static int add_text(struct config_text *t, const char *text, size_t n, unsigned file,
	unsigned depth, bool includes, struct mistakes *m)
{
	const char *end = text + n;
	unsigned line = 0;
	int r = 0;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline ? newline : end) - text);
		char name[1024];

		line++;
		if (t->scan.state != SCAN_CODE || !include_name(text, len, name, sizeof(name)))
			r = add_line(t, text, len, file, line, m) < 0 ? -EINVAL : r;
		else if (!includes)
			r = refuse(t, m, file, line, "@include cannot be used here");
		else if (include_all(t, name, file, line, depth, m) < 0)
			r = -EINVAL;
		if (t->text.overflow || t->scan.n_settings > CONFIG_SETTINGS_MAX)
			return -EINVAL;
		text += len + (newline != NULL);
	}
	return r;
}

/* Who can write the file can have root do what he likes, so it must be root alone. */
static int check_owner(const char *path, struct mistakes *m)
{
	struct stat st;

	if (geteuid() != 0 || stat(path, &st) < 0 || S_ISCHR(st.st_mode))
		return 0;
	if (!(st.st_mode & S_IWOTH) && (!(st.st_mode & S_IWGRP) || st.st_gid == 0))
		return 0;
	mistakes_add(m, path, 0,
		"refused, because others than root can write it; cure: chmod go-w %s", path);
	return -EINVAL;
}

static int read_into(
	struct config_text *t, const char *path, unsigned depth, struct mistakes *m, struct err *e)
{
	_cleanup_(buf_done) struct buf content = BUF_INIT(CONFIG_TEXT_MAX);
	unsigned file;
	int r;

	if (check_owner(path, m) < 0)
		return 0;
	r = fs_read(AT_FDCWD, path, &content, e);
	if (r < 0)
		return r;
	file = add_file(t, path);
	(void)add_text(t, buf_str(&content), content.len, file, depth, true, m);
	return 0;
}

static int include_file(struct config_text *t, const char *path, unsigned depth, struct mistakes *m)
{
	size_t before = mistakes_count(m);
	struct err e;

	if (depth > CONFIG_INCLUDE_DEPTH_MAX || t->n_files >= CONFIG_FILES_MAX) {
		mistakes_add(m, path, 0, "not included: %s",
			depth > CONFIG_INCLUDE_DEPTH_MAX
				? "files include each other more than 8 deep"
				: "more than 200 files");
		return -EINVAL;
	}
	if (read_into(t, path, depth, m, &e) < 0)
		mistakes_add(m, NULL, 0, "%s", e.msg);
	return mistakes_count(m) > before ? -EINVAL : 0;
}

static int finish(struct config_text *t, struct mistakes *m)
{
	unsigned line;
	struct err e;

	if (t->broken || config_scan_end(&t->scan, &line, &e) == 0)
		return 0;
	t->broken = line;
	return refuse(t, m, t->lines[line - 1].file, t->lines[line - 1].line, e.msg);
}

int config_text_read(struct config_text *t, const char *path, struct mistakes *m)
{
	size_t before = mistakes_count(m);
	struct err e;
	int r;

	memset(t, 0, sizeof(*t));
	buf_init(&t->text, CONFIG_TEXT_MAX);
	r = read_into(t, path, 0, m, &e);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		mistakes_add(m, NULL, 0, "%s", e.msg);
	(void)finish(t, m);
	return mistakes_count(m) > before ? -EINVAL : 0;
}

int config_text_from_memory(
	struct config_text *t, const char *name, const char *text, size_t n, struct mistakes *m)
{
	size_t before = mistakes_count(m);

	memset(t, 0, sizeof(*t));
	buf_init(&t->text, CONFIG_TEXT_MAX);
	(void)add_text(t, text, n, add_file(t, name), 0, false, m);
	(void)finish(t, m);
	return mistakes_count(m) > before ? -EINVAL : 0;
}

void config_text_where(
	const struct config_text *t, unsigned line, const char **file, unsigned *file_line)
{
	if (!t->n_lines) {
		*file = t->n_files ? t->files[0] : "";
		*file_line = 0;
		return;
	}
	if (line < 1)
		line = 1;
	if (line > t->n_lines)
		line = (unsigned)t->n_lines; /* an error at the end of the text */
	*file = t->files[t->lines[line - 1].file];
	*file_line = t->lines[line - 1].line;
}

void config_text_line(const struct config_text *t, unsigned line, char *to, size_t size)
{
	const char *p = buf_str(&t->text);
	size_t n;

	while (line > 1 && *p) {
		p += strcspn(p, "\n");
		p += *p == '\n';
		line--;
	}
	n = strcspn(p, "\n");
	if (n >= size)
		n = size - 1;
	memcpy(to, p, n);
	to[n] = '\0';
}
