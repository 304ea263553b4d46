/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* Where a command in a terminal finds what the unit was given. */
#define CREDENTIALS_OF_UNIT "/run/credentials/agent.service"

static const char *variable_of(const char *source)
{
	return str_starts(source, "env:") ? source + 4 : NULL;
}

static bool is_name(const char *s, const char *also)
{
	bool good = *s && *s != '.';

	for (; good && *s; s++)
		good = isalnum((unsigned char)*s) || strchr(also, *s);
	return good;
}

int secret_parse(const char *source, struct err *e)
{
	const char *variable = variable_of(source);

	if (*source == '/')
		return 0;
	if (variable ? is_name(variable, "_") : is_name(source, "._-"))
		return 0;
	return err_set(e, EINVAL,
		"\"%s\" is neither an absolute path, nor the name of a systemd credential, nor "
		"env:NAME",
		source);
}

/* NULL: there are no credentials. */
static char *credential_path(const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (!folder || *folder != '/')
		folder = access(CREDENTIALS_OF_UNIT, F_OK) == 0 ? CREDENTIALS_OF_UNIT : NULL;
	return folder ? str_format("%s/%s", folder, name) : NULL;
}

int secret_check(const char *source, struct err *e)
{
	_cleanup_(free_p) char *credential = NULL;

	if (*source == '/')
		return fs_check_secret(AT_FDCWD, source, e);
	credential = variable_of(source) ? NULL : credential_path(source);
	return credential ? fs_check_secret(AT_FDCWD, credential, e) : 0;
}

static int read_variable(const char *name, struct buf *out, struct err *e)
{
	const char *value = getenv(name);

	if (!value)
		return err_set(
			e, ENOENT, "the variable %s is not in the agent's environment", name);
	buf_clear(out);
	buf_adds(out, value);
	return out->overflow ? err_set(e, EFBIG, "the variable %s is too long", name) : 0;
}

static int read_credential(const char *name, struct buf *out, struct err *e)
{
	_cleanup_(free_p) char *path = credential_path(name);

	if (!path)
		return err_set(e, ENOENT,
			"there is no systemd credential %s: systemd gave this process none "
			"(LoadCredential=); a file needs its absolute path",
			name);
	return fs_read(AT_FDCWD, path, out, e);
}

static int read_file(const char *path, struct buf *out, struct err *e)
{
	int r = fs_check_secret(AT_FDCWD, path, e);

	return r < 0 ? r : fs_read(AT_FDCWD, path, out, e);
}

static int read_whole(const char *source, struct buf *out, struct err *e)
{
	const char *variable = variable_of(source);
	int r = *source == '/' ? read_file(source, out, e)
		: variable     ? read_variable(variable, out, e)
			       : read_credential(source, out, e);

	if (r < 0)
		return r;
	while (out->len && strchr("\r\n", out->data[out->len - 1]))
		out->data[--out->len] = '\0';
	return out->len ? 0 : err_set(e, EINVAL, "%s is empty", source);
}

/* `also`: control characters that are allowed. */
static int check_text(const char *source, const struct buf *b, const char *also, struct err *e)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if ((c < 0x20 && (!c || !strchr(also, c))) || c == 0x7f)
			return err_set(e, EINVAL, "%s: a secret is %s", source,
				*also ? "text" : "one line of text");
	}
	return 0;
}

int secret_read(const char *source, struct buf *out, struct err *e)
{
	int r = read_whole(source, out, e);

	return r < 0 ? r : check_text(source, out, "", e);
}

int secret_read_text(const char *source, struct buf *out, struct err *e)
{
	int r = read_whole(source, out, e);

	return r < 0 ? r : check_text(source, out, "\t\r\n", e);
}
