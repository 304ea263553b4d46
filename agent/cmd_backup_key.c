/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup key`: a pair of keys for encryption, and what to do with each half.
 */
#include <string.h>

#include "agent/cmd.h"
#include "backup/age.h"

static int print_json(const char *identity, const char *recipient)
{
	json_t *out = json_pack("{s:s, s:s}", "recipient", recipient, "identity", identity);
	int r = cmd_print_json(out);

	json_decref(out);
	return r;
}

/* In words, the secret half on a line of its own. */
static int print_keys(const char *identity, const char *recipient)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(8192);

	buf_addf(&b,
		"This pair of keys was made now and is kept nowhere: what you do not copy is "
		"gone.\n\n"
		"1. The PRIVATE key opens the backups. Keep it away from this server, in two "
		"places: a\n"
		"   password manager, a sheet of paper in a safe. Without it no backup can ever "
		"be\n"
		"   opened, by nobody.\n\n"
		"     %s\n\n"
		"2. The public key closes them. It is no secret. Put these lines into the job in\n"
		"   /etc/agent/agent.conf once you have kept the private one; key_exported says "
		"that\n"
		"   you have:\n\n"
		"     encrypt = [ \"%s\" ];\n"
		"     key_exported = true;\n\n"
		"3. To restore: put the private key into a file of mode 0600 and name it,\n"
		"     agent backup restore JOB --identity FILE\n"
		"   The program age opens them, too: age -d -i FILE.\n"
		"   To let this server verify and try restores by itself, it needs the private "
		"key: name\n"
		"   the file in identity_file. Who takes over the server then can read the "
		"backups.\n",
		identity, recipient);
	return cmd_print(&b);
}

int cmd_backup_key(const struct command_call *c)
{
	char identity[AGE_IDENTITY_SIZE], recipient[AGE_RECIPIENT_SIZE];
	struct err e;
	int r = age_keygen(identity, recipient, &e);

	if (r < 0)
		return cmd_fail(r, &e);
	r = c->flags[FLAG_JSON] ? print_json(identity, recipient) : print_keys(identity, recipient);
	explicit_bzero(identity, sizeof(identity));
	return r;
}
