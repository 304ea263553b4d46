/* SPDX-License-Identifier: Apache-2.0
 *
 * main() of a fuzz target in the ordinary test run: feeds it each file given, once. The name of the
 * file is printed first, so that the last line of a crash names the culprit.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Far more than any corpus file; what a fuzzer makes is smaller still. */
enum { INPUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	_cleanup_(fclose_p) FILE *f = fopen(path, "re");
	_cleanup_(free_p) uint8_t *buffer = malloc(INPUT_MAX);
	_cleanup_(free_p) uint8_t *data = NULL;
	size_t n;

	if (!f || !buffer) {
		perror(path);
		return 1;
	}
	n = fread(buffer, 1, INPUT_MAX, f);
	if (ferror(f) || n == INPUT_MAX) {
		(void)fprintf(stderr, "%s: unreadable or too large\n", path);
		return 1;
	}
	/* A block of just this size lets AddressSanitizer see a read past the end. */
	data = malloc(n ? n : 1);
	if (!data)
		return 1;
	for (size_t i = 0; i < n; i++)
		data[i] = buffer[i];
	(void)LLVMFuzzerTestOneInput(data, n);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		(void)fprintf(stderr, "%s\n", argv[i]);
		failed |= replay(argv[i]);
	}
	return failed;
}
