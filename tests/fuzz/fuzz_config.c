/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration file from memory: whatever it holds gives a configuration or mistakes, never both
 * and never neither.
 */
#include <stdint.h>
#include <stdlib.h>

#include "agent/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mistakes m = {NULL, 0, 0};
	struct config *c = NULL;
	int r = config_from_memory(&options_all, "fuzz.conf", (const char *)data, size, &c, &m);

	if ((r == 0) != (c != NULL) || (r == 0) != (mistakes_count(&m) == 0))
		abort();
	config_free(c);
	mistakes_done(&m);
	return 0;
}
