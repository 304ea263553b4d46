/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the store `directory`: keys are paths below a folder. Nothing outside of it is ever touched: no key has "..", and
 * symbolic links below it are not followed.
 */
#ifndef BACKUP_DIRECTORY_H
#define BACKUP_DIRECTORY_H

#include "backup/store.h"

/* What an unfinished upload is named until it is whole; listings do not show it. */
#define DIRECTORY_PART ".part"

enum { DIRECTORY_KEY_MAX = 1024 };

struct directory {
	struct store store;
	const char *path, *prefix;
	struct journal *journal; /* NULL: none */
};

/* Where a key's file is. Release with directory_place_done(). */
struct directory_place {
	int fd; /* of the folder it is in */
	char full[DIRECTORY_KEY_MAX]; /* prefix and key */
	const char *name; /* its last part */
};

/* The folder itself; made when missing and `make`, but not what is above it: a missing parent is more likely a disk that is
 * not mounted. -ENOENT. */
int directory_root(const struct directory *d, bool make, struct err *e);
/* -EINVAL for a key that is none; -ENOENT without its folder, unless `make`. */
int directory_place(const struct directory *d, const char *key, bool make,
	struct directory_place *out, struct err *e);
static inline void directory_place_done(struct directory_place *p)
{
	close_p(&p->fd);
}
/* After an object's end: the folders above it that are empty now, up to the store's own. */
void directory_tidy(const struct directory *d, const struct directory_place *p);
/* -EINVAL: empty parts, "..", hidden parts, other characters than store.h says. */
int directory_check_key(const char *full, struct err *e);

int directory_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e);
int directory_read(struct store *s, const char *key, int64_t offset, int64_t bytes,
	struct reader **out, struct err *e);
int directory_list(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e);
int directory_unfinished(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e);

#endif
