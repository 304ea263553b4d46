/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/api_series.h"
#include "agent/web/auth.h"
#include "agent/web/query.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the query: parameters are text, and a series request that was accepted is within its
 * bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	static struct series_request s;
	char token[AUTH_TOKEN_MAX], session[AUTH_SESSION_LEN + 1];
	struct peer_key k;
	struct query q;

	if (query_parse(text, &q, NULL) == 0) {
		for (size_t i = 0; i < q.n; i++)
			for (const char *p = q.params[i].value; *p; p += str_utf8_char(p))
				assert(str_utf8_char(p));
		if (series_request_parse(&q, 1795237260, 31536000, &s, NULL) == 0) {
			assert(s.n_entities * s.n_metrics * s.points <= SERIES_VALUES_MAX);
			assert(s.from < s.to && s.to - s.from <= 31536000);
		}
		query_done(&q);
	}
	(void)auth_parse_bearer(text, token);
	(void)auth_parse_cookie(text, session);
	(void)auth_host_matches(text, (const char *const[]){"a.example", NULL});
	(void)auth_same_site(text, NULL, text);
	(void)peer_key_parse(text, &k);
	free(text);
	return 0;
}
