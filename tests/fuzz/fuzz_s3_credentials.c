/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backup/s3_credentials.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_goes_into_a_header(const char *s, size_t max)
{
	assert(strlen(s) < max);
	for (; *s; s++)
		assert(*s > ' ' && *s <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	struct s3_credentials c;
	struct err e;

	if (s3_credentials_parse(text, &c, &e) == 0) {
		assert(*c.access_key_id && *c.secret_access_key);
		assert_goes_into_a_header(c.access_key_id, sizeof(c.access_key_id));
		assert_goes_into_a_header(c.secret_access_key, sizeof(c.secret_access_key));
		assert_goes_into_a_header(c.session_token, sizeof(c.session_token));
	}
	free(text);
	return 0;
}
