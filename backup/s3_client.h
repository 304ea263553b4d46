/* SPDX-License-Identifier: Apache-2.0
 *
 * One S3 store as all its requests share it: settings, keys, and how far the server's clock is off.
 */
#ifndef BACKUP_S3_CLIENT_H
#define BACKUP_S3_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/s3_credentials.h"
#include "backup/s3_settings.h"
#include "backup/store.h"
#include "base/err.h"

struct s3 {
	struct store *store; /* that it is */
	struct s3_settings settings;
	struct net *net;
	struct journal *journal; /* NULL: none */
	secret_read_fn secret_read;
	int64_t bandwidth_bytes;
	struct s3_credentials keys;
	bool has_keys;
	void (*notice)(void *user, const char *text); /* NULL: nobody listens */
	void *notice_user;
	bool is_noticed; /* once a run will do */
	int64_t clock_off_s; /* the server's less ours, as learnt from its answers */
};

/* The settings are borrowed. */
int s3_init(struct s3 *s, const json_t *settings, const struct store_context *c, struct err *e);
void s3_done(struct s3 *s);

/* The keys, read when there are none yet. */
int s3_keys_need(struct s3 *s, struct err *e);
/* Reads the file again; 1 when there are others now, else 0. */
int s3_keys_renew(struct s3 *s, struct err *e);

/* Now, as the server sees it. */
int64_t s3_now_s(const struct s3 *s);
/* From the Date of an answer. */
void s3_learn_clock(struct s3 *s, int64_t date_s);

#endif
