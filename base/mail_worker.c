/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mail_worker.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mail_session.h"
#include "base/str.h"
#include "base/wire.h"

enum {
	CONNECT_TIMEOUT_MS = 15000,
	/* curl says QUIT to a server that refused something and waits minutes for its answer; so
	 * much is enough after a refusal. */
	AFTER_REFUSAL_MS = 5000,
	/* For QUIT after the result was printed. */
	GOODBYE_S = 2,
};

struct job {
	CURL *easy;
	struct curl_slist *to;
	const char *data;
	size_t left;
	struct mail_session session;
	int64_t refused_at_ms; /* 0: it was not */
	char error[CURL_ERROR_SIZE];
};

static size_t on_read(char *to, size_t size, size_t n, void *user)
{
	struct job *j = user;
	size_t len = size * n < j->left ? size * n : j->left;

	memcpy(to, j->data, len);
	j->data += len;
	j->left -= len;
	return len;
}

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct job *j = user;
	bool go_on = mail_session_reply(&j->session, data, size * n);

	j->refused_at_ms = j->session.status >= 400 ? clock_mono_ms() : 0;
	return go_on ? size * n : 0;
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *user)
{
	struct job *j = user;

	(void)easy;
	if (type == CURLINFO_HEADER_OUT)
		mail_session_command(&j->session, data, len);
	return 0;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct job *j = user;

	(void)a, (void)b, (void)c, (void)d;
	return j->refused_at_ms && clock_mono_ms() - j->refused_at_ms > AFTER_REFUSAL_MS;
}

static int errno_of(CURL *easy, CURLcode code, const char *message)
{
	long os_errno = 0;

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return EINVAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		(void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
		return os_errno > 0 ? (int)os_errno : ECONNREFUSED;
	case CURLE_LOGIN_DENIED:
		return EACCES;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_USE_SSL_FAILED:
		return EPROTO;
	case CURLE_SSL_CONNECT_ERROR:
		/* A connection that broke may do so again, or not. */
		return strstr(message, "SYSCALL") || strstr(message, "reset") ? EIO : EPROTO;
	default:
		return EIO;
	}
}

#define SET(j, option, value) (void)curl_easy_setopt((j)->easy, option, value)

static void set_limits(struct job *j, long timeout_ms)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(j, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
	SET(j, CURLOPT_PROTOCOLS, CURLPROTO_SMTP | CURLPROTO_SMTPS);
#endif
	SET(j, CURLOPT_NOSIGNAL, 1L);
	SET(j, CURLOPT_PROXY, "");
	SET(j, CURLOPT_TIMEOUT_MS, timeout_ms);
	SET(j, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	SET(j, CURLOPT_NOPROGRESS, 0L);
	SET(j, CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(j, CURLOPT_XFERINFODATA, j);
}

static void set_security(struct job *j, const char *ca_file, int require_tls)
{
	SET(j, CURLOPT_USE_SSL, (long)(require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (!ca_file)
		return;
	SET(j, CURLOPT_CAINFO, ca_file);
	SET(j, CURLOPT_CAPATH, NULL);
}

static void set_login(struct job *j, const char *user, const char *password)
{
	if (!user)
		return;
	SET(j, CURLOPT_USERNAME, user);
	SET(j, CURLOPT_PASSWORD, password ? password : "");
	/* Of what a server offers, curl would take GSSAPI or NTLM first, and not try another when
	 * those fail. */
	SET(j, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5");
}

/* The name said in EHLO is the path of curl's URL. */
static void set_url(struct job *j, const char *url, const char *helo)
{
	_cleanup_(free_p) char *whole = NULL;
	const char *host = strstr(url, "://");
	char *escaped;

	if (!helo || !host || strchr(host + 3, '/')) {
		SET(j, CURLOPT_URL, url);
		return;
	}
	escaped = curl_easy_escape(j->easy, helo, 0);
	whole = str_format("%s/%s", url, escaped);
	curl_free(escaped);
	SET(j, CURLOPT_URL, whole);
}

static void set_message(struct job *j, const char *from, const json_t *to)
{
	size_t i;
	const json_t *one;

	json_array_foreach(to, i, one) j->to = curl_slist_append(j->to, json_string_value(one));
	SET(j, CURLOPT_MAIL_FROM, from);
	SET(j, CURLOPT_MAIL_RCPT, j->to);
	/* mail_session.h decides. */
	SET(j, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	SET(j, CURLOPT_UPLOAD, 1L);
	SET(j, CURLOPT_INFILESIZE_LARGE, (curl_off_t)j->left);
	SET(j, CURLOPT_READFUNCTION, on_read);
	SET(j, CURLOPT_READDATA, j);
}

static void set_ears(struct job *j)
{
	SET(j, CURLOPT_ERRORBUFFER, j->error);
	SET(j, CURLOPT_HEADERFUNCTION, on_header);
	SET(j, CURLOPT_HEADERDATA, j);
	SET(j, CURLOPT_VERBOSE, 1L);
	SET(j, CURLOPT_DEBUGFUNCTION, on_debug);
	SET(j, CURLOPT_DEBUGDATA, j);
}

static void print_result(const struct job *j, int error, const char *message)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);

	buf_addf(&b, "{\"error\":%d,\"status\":%d,\"message\":", error, j->session.status);
	buf_add_json_string(&b, message);
	buf_adds(&b, ",\"reply\":");
	buf_add_json_string(&b, buf_str(&j->session.reply));
	buf_adds(&b, "}\n");
	(void)fwrite(buf_str(&b), 1, b.len, stdout);
	(void)fflush(stdout);
}

static void tell(struct job *j, CURLcode code)
{
	const char *message = *j->error ? j->error : curl_easy_strerror(code);
	int error = code == CURLE_OK ? 0 : errno_of(j->easy, code, message);
	char text[256];

	error = mail_session_outcome(&j->session, error, message, text, sizeof(text));
	print_result(j, error, text);
}

static void leave(int signo)
{
	(void)signo;
	_exit(0);
}

/* Says QUIT. The result is printed already; a server that does not answer is left alone. */
static void say_goodbye(struct job *j)
{
	const struct sigaction left = {.sa_handler = leave};

	(void)sigaction(SIGALRM, &left, NULL);
	(void)alarm(GOODBYE_S);
	SET(j, CURLOPT_NOPROGRESS, 1L);
	curl_easy_cleanup(j->easy);
}

/* `line` is the head of the input; the message is in the job already. */
static int send_mail(struct job *j, json_t *line)
{
	const char *url, *from, *user = NULL, *password = NULL, *ca_file = NULL, *helo = NULL;
	json_int_t timeout_ms;
	int require_tls;
	json_t *to;

	if (json_unpack(line, "{s:s, s:s, s:o, s:b, s:I, s?s, s?s, s?s, s?s}", "url", &url, "from",
		    &from, "to", &to, "require_tls", &require_tls, "timeout_ms", &timeout_ms,
		    "user", &user, "password", &password, "ca_file", &ca_file, "helo", &helo) < 0)
		return -EINVAL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(j->easy = curl_easy_init()))
		return -EIO;
	set_limits(j, (long)timeout_ms);
	set_security(j, ca_file, require_tls);
	set_login(j, user, password);
	set_url(j, url, helo);
	set_message(j, from, to);
	set_ears(j);
	tell(j, curl_easy_perform(j->easy));
	say_goodbye(j);
	return 0;
}

static int read_input(struct buf *b)
{
	for (;;) {
		char *to = buf_reserve(b, 65536);
		ssize_t n = to ? read(STDIN_FILENO, to, 65536) : -1;

		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		buf_grew(b, (size_t)n);
	}
}

int mail_worker_main(void)
{
	_cleanup_(buf_done) struct buf input = BUF_INIT(CHILD_INPUT_MAX + 65536);
	struct job j = {.data = NULL};
	const char *end;
	json_t *line;
	int r;

	if (read_input(&input) < 0 || !(end = memchr(buf_str(&input), '\n', input.len)))
		return 1;
	line = wire_parse(buf_str(&input), (size_t)(end - buf_str(&input)), NULL);
	j.data = end + 1;
	j.left = input.len - (size_t)(end + 1 - buf_str(&input));
	mail_session_init(&j.session);
	r = line ? send_mail(&j, line) : -EINVAL;
	mail_session_done(&j.session);
	curl_slist_free_all(j.to);
	json_decref(line);
	return r == 0 ? 0 : 1;
}
