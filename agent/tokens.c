/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/tokens.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/random.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

static void file_of(char *to, size_t size, enum role role)
{
	(void)snprintf(to, size, "token.%s", role_name(role));
}

static char *slot_of(struct tokens *t, enum role role)
{
	return role == ROLE_ADMIN ? t->admin : t->viewer;
}

const char *tokens_get(const struct tokens *t, enum role role)
{
	return role == ROLE_ADMIN ? t->admin : t->viewer;
}

int tokens_rotate(struct tokens *t, enum role role, int state_fd, struct err *e)
{
	char name[32], text[TOKEN_SIZE + 1];
	char *slot = slot_of(t, role);

	random_hex(slot, TOKEN_BYTES);
	file_of(name, sizeof(name), role);
	(void)snprintf(text, sizeof(text), "%s\n", slot);
	return fs_write_atomic(state_fd, name, text, strlen(text), 0600, e);
}

/* -ENOENT when there is no file; other errors mean that it cannot be used. */
static int read_token(struct tokens *t, enum role role, int state_fd, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);
	char name[32];
	int r;

	file_of(name, sizeof(name), role);
	r = fs_read(state_fd, name, &b, e);
	if (r == 0)
		r = fs_check_secret(state_fd, name, e);
	if (r < 0)
		return r;
	while (b.len && strchr(" \r\n\t", b.data[b.len - 1]))
		b.data[--b.len] = '\0';
	/* A user may have put a token of his own choice there. */
	if (b.len < 16 || b.len >= TOKEN_SIZE ||
		strspn(b.data, "0123456789abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != b.len)
		return err_set(e, EBADMSG,
			"%s must hold 16 to %d letters, digits, - or _; remove it to get a new one",
			name, TOKEN_SIZE - 1);
	(void)str_copy(slot_of(t, role), TOKEN_SIZE, b.data);
	return 0;
}

int tokens_load(struct tokens *t, int state_fd, struct err *e)
{
	static const enum role roles[] = {ROLE_VIEWER, ROLE_ADMIN};
	int result = 0;

	t->fresh = false;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		int r = read_token(t, roles[i], state_fd, e);

		if (r == -ENOENT) {
			t->fresh = t->fresh || roles[i] == ROLE_ADMIN;
			r = tokens_rotate(t, roles[i], state_fd, e);
		} else if (r < 0) {
			/* An unusable file is left for its owner to see; nobody gets in with it. */
			random_hex(slot_of(t, roles[i]), TOKEN_BYTES);
		}
		if (r < 0)
			result = r;
	}
	return result;
}

enum role tokens_check(const struct tokens *t, const char *token)
{
	bool admin = secrets_equal(token, t->admin);
	bool viewer = secrets_equal(token, t->viewer);

	return admin ? ROLE_ADMIN : viewer ? ROLE_VIEWER : ROLE_NONE;
}
