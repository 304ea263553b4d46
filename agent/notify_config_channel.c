/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify_config_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/secret.h"
#include "base/fs.h"
#include "base/str.h"

enum { TEMPLATE_MAX = 64 * 1024 };

/* The options that say where and as whom; each type takes some of them, the first of a kind is the
 * one that is named when it is missing. */
static const char *const type_options[] = {"ca_file", "chat", "command", "content_type", "from",
	"password_file", "secret_file", "security", "server", "server_type", "template_file",
	"thread", "to", "token_file", "topic", "url", "url_file", "user"};

static const struct type_row {
	const char *type;
	const char *takes; /* names with a space between */
	const char *url, *secret, *to; /* what `needs` of the type calls by these names */
} type_rows[] = {
	{"alertmanager", "url url_file token_file user password_file ca_file", "url", "token_file",
		NULL},
	{"command", "command", NULL, NULL, NULL},
	{"discord", "url_file thread ca_file", "url_file", NULL, NULL},
	{"dokploy", "url url_file token_file server_type ca_file", "url", "token_file", NULL},
	{"email", "server security user password_file from to ca_file", "server", "password_file",
		"to"},
	{"gotify", "url url_file token_file ca_file", "url", "token_file", NULL},
	{"ntfy", "url url_file topic token_file user password_file ca_file", "url", "token_file",
		"topic"},
	{"slack", "url_file ca_file", "url_file", NULL, NULL},
	{"teams", "url_file ca_file", "url_file", NULL, NULL},
	{"telegram", "token_file chat thread url ca_file", "url", "token_file", "chat"},
	{"webhook", "url url_file secret_file template_file content_type ca_file", "url",
		"secret_file", NULL},
};

static const struct type_row *row_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(type_rows); i++)
		if (strcmp(type_rows[i].type, type) == 0)
			return &type_rows[i];
	return NULL;
}

static bool takes(const struct type_row *row, const char *option)
{
	size_t n = strlen(option);

	for (const char *p = row->takes; *p; p += *p == ' ') {
		if (strcspn(p, " ") == n && memcmp(p, option, n) == 0)
			return true;
		p += strcspn(p, " ");
	}
	return false;
}

void channel_texts_done(struct channel_texts *t)
{
	if (t->secret)
		explicit_bzero(t->secret, strlen(t->secret));
	if (t->url)
		explicit_bzero(t->url, strlen(t->url));
	free(t->secret);
	free(t->url);
	free(t->template);
	free(t->command);
	*t = (struct channel_texts){0};
}

static void mistake(const struct config_block *b, struct mistakes *m, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void mistake(const struct config_block *b, struct mistakes *m, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	config_block_mistake(b, m, text);
}

/* An option of another type would be without effect, which is not what was meant. */
static void check_options(
	const struct config_block *b, const struct type_row *row, struct mistakes *m)
{
	for (size_t i = 0; i < ARRAY_LEN(type_options); i++) {
		const char *o = type_options[i];

		if (!config_block_has(b, o) || takes(row, o))
			continue;
		if (strcmp(o, "url") == 0 && takes(row, "url_file"))
			mistake(b, m,
				"url: whoever knows this address can write to the channel: put it "
				"into a file of mode 0600 and name that in url_file");
		else
			mistake(b, m, "%s: is not of the type %s, which takes %s", o, row->type,
				row->takes);
	}
}

/* The one of these options that is set; NULL for none. */
static const char *one_of(
	const struct config_block *b, const char *const *options, size_t n, struct mistakes *m)
{
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!config_block_has(b, options[i]))
			continue;
		if (found)
			mistake(b, m, "%s: only one of %s and %s can be set", options[i], found,
				options[i]);
		found = options[i];
	}
	return found;
}

/* What this process cannot have is "" and makes *t incomplete, unless it must have it. */
static char *read_secret(const struct config_block *b, const char *option, bool with_secrets,
	struct channel_texts *t, struct mistakes *m)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(SECRET_MAX);
	struct err e;
	int r = secret_read(config_block_string(b, option), &text, &e);

	if (r == 0)
		return buf_take(&text);
	if (with_secrets || r == -EINVAL || r == -EFBIG)
		mistake(b, m, "%s: %s", option, e.msg);
	t->incomplete = true;
	return str_dup("");
}

static char *read_template(const struct config_block *b, struct mistakes *m)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(TEMPLATE_MAX);
	const char *path = config_block_string(b, "template_file");
	struct stat st;
	struct err e;

	if (!path)
		return NULL;
	/* A pipe would hold the agent up. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		mistake(b, m, "template_file: %s is not a regular file", path);
	else if (fs_read(AT_FDCWD, path, &text, &e) < 0)
		mistake(b, m, "template_file: %s", e.msg);
	return buf_take(&text);
}

/* smtp://host:port, or smtps:// where TLS comes first. */
static char *mail_url(const char *server, const char *security)
{
	const char *colon = strrchr(server, ':');
	bool has_port = colon && !strchr(colon, ']');
	bool tls = strcmp(security, "tls") == 0;
	const char *port = tls ? ":465" : strcmp(security, "none") == 0 ? ":25" : ":587";

	return str_format("%s://%s%s", tls ? "smtps" : "smtp", server, has_port ? "" : port);
}

static void take_address(const struct config_block *b, bool with_secrets, struct channel_texts *t,
	struct mistakes *m)
{
	static const char *const options[] = {"server", "url", "url_file"};
	const char *option = one_of(b, options, ARRAY_LEN(options), m);
	const char *security = config_block_string(b, "security");

	if (!option)
		return;
	if (strcmp(option, "server") == 0)
		t->url = mail_url(
			config_block_string(b, "server"), security ? security : "starttls");
	else if (strcmp(option, "url") == 0)
		t->url = str_dup(config_block_string(b, "url"));
	else
		t->url = read_secret(b, option, with_secrets, t, m);
}

static void take_secret(const struct config_block *b, bool with_secrets, struct channel_texts *t,
	struct mistakes *m)
{
	static const char *const options[] = {"password_file", "secret_file", "token_file"};
	const char *option = one_of(b, options, ARRAY_LEN(options), m);

	if (option)
		t->secret = read_secret(b, option, with_secrets, t, m);
}

static void take_receivers(const struct config_block *b, struct channel *out, struct mistakes *m)
{
	static const char *const options[] = {"chat", "to", "topic"};
	const char *option = one_of(b, options, ARRAY_LEN(options), m);
	const char *const *list;
	size_t n = option ? config_block_list(b, option, &list) : 0;

	for (size_t i = 0; i < n && i < CHANNEL_TO_MAX; i++)
		out->to[out->n_to++] = list[i];
}

static void take_command(const struct config_block *b, struct channel_texts *t)
{
	const char *const *list;
	size_t n = config_block_list(b, "command", &list);

	if (!n)
		return;
	t->command = calloc(n + 1, sizeof(*t->command));
	if (!t->command)
		abort();
	for (size_t i = 0; i < n; i++)
		t->command[i] = list[i];
}

static void take_where(const struct config_block *b, bool with_secrets, struct channel_texts *t,
	struct channel *out, struct mistakes *m)
{
	take_address(b, with_secrets, t, m);
	take_secret(b, with_secrets, t, m);
	take_receivers(b, out, m);
	take_command(b, t);
	t->template = read_template(b, m);
	out->url = t->url;
	out->secret = t->secret;
	out->template = t->template;
	out->command = t->command;
	out->user = config_block_string(b, "user");
	out->from = config_block_string(b, "from");
	out->thread = config_block_string(b, "thread");
	out->ca_file = config_block_string(b, "ca_file");
	out->security = config_block_string(b, "security");
	if (!out->security && strcmp(out->type->name, "email") == 0)
		out->security = "starttls";
	out->server_type = config_block_string(b, "server_type");
	out->content_type = config_block_string(b, "content_type");
}

static void take_quiet(const struct config_block *b, struct channel *out)
{
	const char *const *list;
	size_t n = config_block_list(b, "quiet", &list);
	int r;

	for (size_t i = 0; i < n && out->n_quiet < CHANNEL_QUIET_MAX; i++) {
		r = quiet_parse(list[i], &out->quiet[out->n_quiet], NULL);
		out->n_quiet += r == 0; /* checked with the option */
	}
}

static void take_what_and_when(const struct config_block *b, struct channel *out)
{
	out->pictures = config_block_bool(b, "pictures");
	out->min_severity = (enum severity)config_block_choice(b, "min_severity");
	out->events.n = config_block_list(b, "events", &out->events.list);
	out->entities.n = config_block_list(b, "entities", &out->entities.list);
	out->recoveries = config_block_bool(b, "recoveries");
	take_quiet(b, out);
	/* "info" is no choice: nothing would wait. */
	out->quiet_below = (enum severity)(config_block_choice(b, "quiet_below") + 1);
	out->group_ms = config_block_duration_ms(b, "group");
	out->per_minute = (unsigned)config_block_int(b, "per_minute");
}

/* What the type needs, under the names that the user writes. */
static bool check_needs(const struct config_block *b, const struct type_row *row,
	const struct channel *c, struct mistakes *m)
{
	const struct {
		const char *need, *option;
		bool there;
	} needs[] = {{"url", row->url, c->url != NULL}, {"secret", row->secret, c->secret != NULL},
		{"to", row->to, c->n_to > 0}, {"from", "from", c->from != NULL},
		{"user", "user", c->user != NULL}, {"command", "command", c->command != NULL}};
	const struct type_row all = {NULL, c->type->needs ? c->type->needs : "", NULL, NULL, NULL};
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		if (needs[i].there || !takes(&all, needs[i].need) || !needs[i].option)
			continue;
		mistake(b, m, "the type %s needs %s", row->type, needs[i].option);
		good = false;
	}
	return good;
}

void notify_config_channel(const struct config_block *b, bool with_secrets,
	struct channel_texts *texts, struct channel *out, struct mistakes *m)
{
	const char *type = config_block_string(b, "type");
	const struct type_row *row = row_of(type);
	size_t before = mistakes_count(m);
	const char *said;
	struct err e;

	*out = (struct channel){.name = b->name,
		.type = channel_type_find(type),
		.origin = config_block_origin(b, NULL)};
	if (!row || !out->type) {
		mistake(b, m, "type: %s cannot be used in this build", type);
		return;
	}
	if (strlen(b->name) >= CHANNEL_NAME_MAX)
		mistake(b, m, "the name is longer than %d bytes", CHANNEL_NAME_MAX - 1);
	check_options(b, row, m);
	take_where(b, with_secrets, texts, out, m);
	take_what_and_when(b, out);
	if (mistakes_count(m) > before || !check_needs(b, row, out, m) || texts->incomplete ||
		channel_check(out, &e) == 0)
		return;
	/* It names the channel; so does the mistake. */
	said = strstr(e.msg, "\": ");
	config_block_mistake(b, m, said ? said + 3 : e.msg);
}
