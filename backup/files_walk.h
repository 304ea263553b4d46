/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk through a folder's tree, one entry after the other, folders before what is in them. Everything is opened relative to
 * the folder above it and never through a symbolic link, so that a tree which others change meanwhile cannot lead outside.
 * Folders of other filesystems (mount points) are told but not entered. One open descriptor for each level.
 */
#ifndef BACKUP_FILES_WALK_H
#define BACKUP_FILES_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"

enum { FILES_DEPTH_MAX = 1000, FILES_PATH_MAX = 64 * 1024 };

/* Something people should know: what vanished, was skipped. */
typedef void (*files_warn_fn)(void *user, const char *text);

struct files_walk_options {
	const char *root;
	const char *const *exclude; /* patterns (str_matches_any) of paths relative to root */
	size_t n_exclude;
	files_warn_fn warn;
	void *user;
};

struct files_entry {
	const char *path; /* relative to root; "." is root itself */
	const char *link; /* where a symbolic link leads; else NULL */
	int fd; /* of a regular file or folder, open for reading; -1 for others */
	struct stat st;
};

struct files_walk;

int files_walk_new(const struct files_walk_options *o, struct files_walk **out, struct err *e);
void files_walk_free(struct files_walk *w); /* NULL is fine */
DEFINE_CLEANUP(struct files_walk *, files_walk_free);

/* 1: the next one, borrowed until the next call; 0: no more. What cannot be read is an error (a backup without it would not be
 * whole; it can be excluded); what vanished is not. */
int files_walk_next(struct files_walk *w, struct files_entry *out, struct err *e);

/* A path for a message: what is no text is shown as '?', and long ones are cut. */
void files_path_text(char *to, size_t size, const char *path);

#endif
