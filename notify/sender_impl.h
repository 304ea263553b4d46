/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the sender share. For notify/sender*.c alone.
 */
#ifndef NOTIFY_SENDER_IMPL_H
#define NOTIFY_SENDER_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify/sender.h"

struct lane;
struct test_call;

struct sender {
	struct sender_options o;
	int64_t last_now_ms;
	struct lane **lanes; /* one per channel, in the order of the configuration */
	size_t n_lanes;
	struct test_call *tests;
	uint32_t random;
};

/* The wall clock. One that was set back takes all planned times with it, so that nothing waits for
 * hours that have been lived through already. */
int64_t sender_now(struct sender *s);
uint32_t sender_random(struct sender *s);
void sender_changed(struct sender *s);
struct lane *sender_lane(struct sender *s, const char *channel); /* NULL: none */

/* Ends all tests that are under way; each is told why. */
void sender_end_tests(struct sender *s, const char *why);

#endif
