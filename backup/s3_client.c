/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_client.h"

#include <openssl/crypto.h>

#include "base/clock.h"

enum { CREDENTIALS_FILE_MAX = 16 * 1024 };

int s3_init(struct s3 *s, const json_t *settings, const struct store_context *c, struct err *e)
{
	*s = (struct s3){.net = c->net,
		.journal = c->journal,
		.secret_read = c->secret_read,
		.bandwidth_bytes = c->bandwidth_bytes,
		.notice = c->notice,
		.notice_user = c->notice_user};
	return s3_settings_from_json(settings, &s->settings, e);
}

void s3_done(struct s3 *s)
{
	s3_settings_done(&s->settings);
	s3_credentials_clear(&s->keys);
	s->has_keys = false;
}

static int read_keys(const struct s3 *s, struct s3_credentials *out, struct err *e)
{
	const char *file = s->settings.credentials_file;
	struct buf text = BUF_INIT(CREDENTIALS_FILE_MAX);
	int r = s->secret_read(file, &text, e);

	if (r == 0)
		r = err_wrap(e, s3_credentials_parse(buf_str(&text), out, e), "%s", file);
	if (text.data)
		OPENSSL_cleanse(text.data, text.cap);
	buf_done(&text);
	return err_wrap(e, r, "credentials_file");
}

int s3_keys_need(struct s3 *s, struct err *e)
{
	int r = s->has_keys ? 0 : read_keys(s, &s->keys, e);

	s->has_keys = r == 0;
	return r;
}

int s3_keys_renew(struct s3 *s, struct err *e)
{
	struct s3_credentials now = {.access_key_id = ""};
	int r = read_keys(s, &now, e);

	if (r == 0 && !s3_credentials_are_equal(&now, &s->keys)) {
		s->keys = now;
		r = 1;
	}
	s3_credentials_clear(&now);
	return r;
}

int64_t s3_now_s(const struct s3 *s)
{
	return clock_wall_ms() / 1000 + s->clock_off_s;
}

void s3_learn_clock(struct s3 *s, int64_t date_s)
{
	s->clock_off_s = date_s - clock_wall_ms() / 1000;
}
