/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backup/s3_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_item(void *user, const struct store_object *o, const char *id)
{
	(void)user;
	assert(*o->key && strlen(o->key) < sizeof(o->key));
	assert(strlen(o->etag) < sizeof(o->etag));
	assert(!id || strlen(id) < S3_UPLOAD_ID_MAX);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct s3_error said;
	struct s3_page page;
	char id[64];
	size_t n;

	s3_error_parse(body, size, &said);
	assert(strlen(said.code) < sizeof(said.code) &&
		strlen(said.message) < sizeof(said.message));
	if (s3_answer_text(body, size, "InitiateMultipartUploadResult/UploadId", id, sizeof(id),
		    NULL) == 0)
		assert(strlen(id) < sizeof(id));
	(void)s3_answer_count(body, size, "ListPartsResult/Part", &n, NULL);
	(void)s3_answer_is(body, size, "CompleteMultipartUploadResult");
	for (int uploads = 0; uploads < 2; uploads++)
		if (s3_page_parse(body, size, uploads, on_item, NULL, &page, NULL) == 0)
			assert(!page.is_truncated || *page.next || *page.next_id);
	return 0;
}
