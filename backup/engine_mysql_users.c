/* SPDX-License-Identifier: Apache-2.0
 *
 * Users and their rights as a script that this program writes from SHOW CREATE USER and SHOW GRANTS: the tools of MySQL have
 * no option for it, and that of MariaDB gives up at the first user it stumbles over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_mysql.h"
#include "backup/sql_split.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { ACCOUNT_SIZE = 1024, ACCOUNTS_MAX = 10000 };

static const char USERS_SQL[] = "SELECT HEX(user), HEX(host) FROM mysql.user WHERE user NOT IN"
				" ('mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema')"
				" ORDER BY 1, 2;\n";

/* "`a`@`%`"; a role of MariaDB has no host. */
static void add_account(struct args *to, const char *user, const char *host)
{
	struct buf b = BUF_INIT(ACCOUNT_SIZE - 1);

	mysql_add_name(&b, user);
	if (*host) {
		buf_addc(&b, '@');
		mysql_add_name(&b, host);
	}
	args_add(to, buf_str(&b));
	buf_done(&b);
}

static int list_accounts(const struct engine_call *c, struct args *out, struct err *e)
{
	struct buf text = BUF_INIT(4 * 1024 * 1024);
	char *at, *columns[2], user[MYSQL_NAME_MAX], host[MYSQL_NAME_MAX];
	int r = mysql_script(c, NULL, USERS_SQL, PLACE_DEADLINE_MS, &text, e);

	at = text.data;
	while (r == 0 && at && mysql_next_row(&at, columns, 2)) {
		if (out->n == ACCOUNTS_MAX)
			r = err_set(e, E2BIG, "more than %d users", ACCOUNTS_MAX);
		else if (mysql_unhex(columns[0], user, sizeof(user)) &&
			 mysql_unhex(columns[1], host, sizeof(host)))
			add_account(out, user, host);
	}
	buf_done(&text);
	return r;
}

int mysql_users_count(const struct engine_call *c, struct counts *out, struct err *e)
{
	struct args accounts = {NULL, 0};
	int r = list_accounts(c, &accounts, e);

	memset(out, 0, sizeof(*out));
	/* A server that a drill restores to has users of its own. */
	if (r == 0)
		counts_set(out, "users", (int64_t)accounts.n, true);
	args_done(&accounts);
	return r;
}

/* What --batch writes as \n, \t, \0 and \\. */
static void add_unescaped(struct buf *out, const char *p)
{
	for (; *p; p++) {
		if (*p != '\\' || !p[1]) {
			buf_addc(out, *p);
			continue;
		}
		p++;
		buf_addc(out, *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == '0' ? '\0' : *p);
	}
}

/* One question per account, one statement per line of the answers. */
static int ask_all(const struct engine_call *c, const struct args *accounts, const char *question,
	struct buf *out, size_t *answers, struct err *e)
{
	struct buf sql = BUF_INIT(MYSQL_SCRIPT_MAX), text = BUF_INIT(MYSQL_SCRIPT_MAX);
	char *at, *columns[1];
	int r;

	/* Hashes that are no text, of MySQL from 8.0.17 on. */
	buf_adds(&sql, "/*!80017 SET SESSION print_identified_with_as_hex = 1 */;\n");
	for (size_t i = 0; i < accounts->n; i++)
		buf_addf(&sql, "%s %s;\n", question, accounts->v[i]);
	r = mysql_script_lenient(c, buf_str(&sql), &text, e);
	at = text.data;
	while (r == 0 && at && mysql_next_row(&at, columns, 1)) {
		add_unescaped(out, columns[0]);
		buf_adds(out, ";\n");
		(*answers)++;
	}
	buf_done(&sql);
	buf_done(&text);
	return r;
}

/* Roles of MariaDB are no users: they are made by another statement. */
static void split_roles(const struct args *accounts, struct args *users, struct buf *out)
{
	for (size_t i = 0; i < accounts->n; i++) {
		if (strstr(accounts->v[i], "`@`"))
			args_add(users, accounts->v[i]);
		else
			buf_addf(out, "CREATE ROLE %s;\n", accounts->v[i]);
	}
}

static int write_script(const struct engine_call *c, const struct mysql_server *s,
	const struct args *accounts, struct buf *out, struct err *e)
{
	struct args users = {NULL, 0};
	size_t made = 0, rights = 0;
	struct err text;
	int r;

	buf_addf(out, "-- Users and their rights\n-- Server version %s\n\n", s->version);
	split_roles(accounts, &users, out);
	r = ask_all(c, &users, "SHOW CREATE USER", out, &made, e);
	buf_addc(out, '\n');
	if (r == 0)
		r = ask_all(c, accounts, "SHOW GRANTS FOR", out, &rights, e);
	buf_adds(out, "\n-- Dump completed\n");
	if (r == 0 && made < users.n && c->warn) {
		(void)err_set(&text, EINVAL,
			"%zu of %zu users could not be read and are not in the backup",
			users.n - made, users.n);
		c->warn(c->user, text.msg);
	}
	args_done(&users);
	if (r == 0 && out->overflow)
		r = err_set(
			e, EFBIG, "the users' rights are more than %d MiB", MYSQL_SCRIPT_MAX >> 20);
	return r;
}

/* A source out of memory. */
struct memory {
	struct source source;
	struct buf text;
	size_t at;
};

static int memory_fd(struct source *s)
{
	(void)s;
	return -1;
}

static ssize_t memory_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct memory *m = (struct memory *)s;
	size_t left = m->text.len - m->at;

	(void)e;
	if (n > left)
		n = left;
	memcpy(to, buf_str(&m->text) + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

static int memory_finish(struct source *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static void memory_free(struct source *s)
{
	struct memory *m = (struct memory *)s;

	buf_done(&m->text);
	free(m);
}

int mysql_users_dump(const struct engine_call *c, const struct mysql_server *s, struct source **out,
	struct err *e)
{
	static const struct source_ops ops = {memory_fd, memory_read, memory_finish, memory_free};
	struct memory *m = calloc(1, sizeof(*m));
	struct args accounts = {NULL, 0};
	int r;

	if (!m)
		abort();
	m->source.ops = &ops;
	buf_init(&m->text, MYSQL_SCRIPT_MAX);
	r = list_accounts(c, &accounts, e);
	if (r == 0)
		r = write_script(c, s, &accounts, &m->text, e);
	args_done(&accounts);
	if (r < 0)
		memory_free(&m->source);
	else
		*out = &m->source;
	return r;
}

/* The account at p, in any of the quotes there are, as add_account() writes it. */
static bool read_account(const char *p, const char *end, char *to, size_t size)
{
	char name[2][MYSQL_NAME_MAX] = {"", ""};
	struct buf b = BUF_INIT(ACCOUNT_SIZE - 1);

	for (int i = 0; i < 2; i++) {
		char quote = p < end && (*p == '\'' || *p == '"') ? *p : '`';

		if (!sql_name(&p, end, quote, name[i], sizeof(name[i])))
			return false;
		if (i == 0 && (p == end || *p++ != '@'))
			break;
	}
	mysql_add_name(&b, name[0]);
	if (*name[1]) {
		buf_addc(&b, '@');
		mysql_add_name(&b, name[1]);
	}
	(void)str_copy(to, size, buf_str(&b));
	buf_done(&b);
	return true;
}

/* Behind the last " TO " or " FOR " outside of quotes; NULL. */
static const char *behind_word(const char *text, size_t len, const char *word)
{
	const char *found = NULL, *end = text + len;
	size_t n = strlen(word);
	char quote = 0;

	for (const char *p = text; p < end; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '`' || *p == '\'' || *p == '"')
			quote = *p;
		else if ((size_t)(end - p) > n && memcmp(p, word, n) == 0 && !found)
			found = p + n;
	}
	return found;
}

/* Whom the statement is about. */
static bool statement_account(const char *text, size_t len, char *to, size_t size, bool *creates)
{
	const char *p, *end = text + len;

	*creates = sql_begins(text, len, "CREATE USER", &p) ||
		   sql_begins(text, len, "CREATE ROLE", &p);
	if (*creates)
		return read_account(p, end, to, size);
	if (sql_begins(text, len, "GRANT", &p))
		p = behind_word(text, len, " TO ");
	else if (sql_begins(text, len, "SET DEFAULT ROLE", &p))
		p = behind_word(text, len, " FOR ");
	else
		return false;
	return p && read_account(p, end, to, size);
}

static bool is_among(const char *const *have, const char *account)
{
	for (; *have; have++)
		if (strcmp(*have, account) == 0)
			return true;
	return false;
}

void mysql_users_filter(
	const char *script, size_t len, const char *const *have, struct buf *out, size_t *made)
{
	struct sql_script s = {script, script + len, SQL_MYSQL};
	char account[ACCOUNT_SIZE];
	const char *text;
	bool creates;
	size_t n;

	*made = 0;
	while (sql_next(&s, &text, &n)) {
		if (!statement_account(text, n, account, sizeof(account), &creates) ||
			is_among(have, account))
			continue;
		*made += creates;
		buf_add(out, text, n);
		buf_addc(out, '\n');
	}
}

void mysql_users_only_rights(const struct buf *script, struct buf *out)
{
	struct sql_script s = {buf_str(script), buf_str(script) + script->len, SQL_MYSQL};
	const char *text, *rest;
	size_t n;

	while (sql_next(&s, &text, &n)) {
		if (sql_begins(text, n, "CREATE", &rest))
			continue;
		buf_add(out, text, n);
		buf_addc(out, '\n');
	}
}

bool mysql_first_error(const char *printed, char *to, size_t size)
{
	static const char syntax[] = "(42000)"; /* these quote what was sent, password hashes too */
	const char *p = printed, *end;

	while (p && strncmp(p, "ERROR ", 6) != 0) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return false;
	end = p + strcspn(p, "\n");
	if (memmem(p, (size_t)(end - p), syntax, strlen(syntax)))
		end = p + strcspn(p, ":\n");
	(void)snprintf(to, size, "%.*s", (int)(end - p), p);
	return true;
}

void mysql_users_rights(const struct engine_call *c, const struct buf *later)
{
	struct buf printed = BUF_INIT(PLACE_STDERR_MAX);
	char first[300] = "";
	struct err text;

	if (later->len == 0)
		return;
	if (mysql_script_printed(c, buf_str(later), &printed, &text) < 0)
		(void)snprintf(first, sizeof(first), "%.290s", text.msg);
	else
		(void)mysql_first_error(buf_str(&printed), first, sizeof(first));
	if (*first && c->warn) {
		(void)err_set(&text, EINVAL, "not all rights of users could be given: %s", first);
		c->warn(c->user, text.msg);
	}
	buf_done(&printed);
}

struct target {
	struct sink sink;
	const struct engine_call *call;
	struct buf script;
	struct buf *later;
};

static int target_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct target *t = (struct target *)s;

	buf_add(&t->script, data, n);
	return t->script.overflow
		       ? err_set(e, EFBIG, "the users are more than %d MiB", MYSQL_SCRIPT_MAX >> 20)
		       : 0;
}

/* Twice: a user may name a role as its own that comes later. */
static int make_users(const struct engine_call *c, const struct args *have,
	const struct buf *script, size_t made, struct err *e)
{
	struct args now = {NULL, 0};
	struct err text;
	int r = mysql_script_lenient(c, buf_str(script), NULL, e);

	if (r == 0)
		r = mysql_script_lenient(c, buf_str(script), NULL, e);
	if (r == 0)
		r = list_accounts(c, &now, e);
	if (r == 0 && now.n < have->n + made && c->warn) {
		(void)err_set(&text, EINVAL, "%zu of %zu users could not be made",
			have->n + made - now.n, made);
		c->warn(c->user, text.msg);
	}
	args_done(&now);
	return r;
}

static int target_finish(struct sink *s, struct err *e)
{
	struct target *t = (struct target *)s;
	struct buf script = BUF_INIT(MYSQL_SCRIPT_MAX);
	struct args have = {NULL, 0};
	size_t made;
	int r;

	if (t->call->prefix) /* a drill on the job's own server */
		return 0;
	r = list_accounts(t->call, &have, e);
	if (r == 0)
		mysql_users_filter(
			buf_str(&t->script), t->script.len, args_list(&have), &script, &made);
	if (r == 0 && script.len > 0)
		r = make_users(t->call, &have, &script, made, e);
	if (r == 0)
		mysql_users_only_rights(&script, t->later);
	args_done(&have);
	buf_done(&script);
	return r;
}

static void target_free(struct sink *s)
{
	struct target *t = (struct target *)s;

	buf_done(&t->script);
	free(t);
}

int mysql_users_target(
	const struct engine_call *c, struct buf *later, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {target_write, target_finish, target_free};
	struct target *t = calloc(1, sizeof(*t));

	(void)e;
	if (!t)
		abort();
	t->sink.ops = &ops;
	t->call = c;
	t->later = later;
	buf_init(&t->script, MYSQL_SCRIPT_MAX);
	*out = &t->sink;
	return 0;
}
