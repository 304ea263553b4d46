/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/cpuinfo.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	struct cpuinfo c;

	cpuinfo_parse(text, &c);
	assert(c.cores >= 0 && c.physical_cores >= 0);
	assert(strlen(c.model) < sizeof(c.model));
	free(text);
	return 0;
}
