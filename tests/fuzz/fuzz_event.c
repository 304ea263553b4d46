/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An event that was read fits its bound, and is the same after another round. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = BUF_INIT(EVENT_JSON_MAX), second = BUF_INIT(EVENT_JSON_MAX);
	char *text = size ? str_ndup((const char *)data, size) : str_dup("");
	struct event *ev, *again;
	struct err e = {""};

	if (event_from_json(text, &ev, &e) < 0) {
		assert(*e.msg);
		free(text);
		return 0;
	}
	event_to_json(ev, &first);
	assert(!first.overflow);
	assert(event_from_json(buf_str(&first), &again, &e) == 0);
	event_to_json(again, &second);
	assert(strcmp(buf_str(&first), buf_str(&second)) == 0);
	event_free(again);
	event_free(ev);
	buf_done(&first);
	buf_done(&second);
	free(text);
	return 0;
}
