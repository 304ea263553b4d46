/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the collectors in the order of their registry, keeps their states, and turns what they
 * report into problems: an error is shown until the collector works again, and never stops the
 * others.
 */
#ifndef COLLECTORS_SAMPLER_H
#define COLLECTORS_SAMPLER_H

#include <stdint.h>

#include "base/err.h"
#include "collectors/collector.h"

struct sampler;

/* `root` is "/" or the root of a recorded tree (then system calls beside the files are not
 * used). `options`, `registry` and `problems` stay the caller's and must outlive the sampler. */
int sampler_new(const char *root, const struct collect_options *options, struct registry *registry,
	struct problems *problems, struct sampler **out, struct err *e);
void sampler_free(struct sampler *s);

/* The descriptors and options the collectors work with, for whoever adds more entities. */
const struct collect_ctx *sampler_context(const struct sampler *s);

/* Starts a sample and runs all collectors. Returns the context they had, for whoever adds more
 * (valid until the next call). */
const struct collect_ctx *sampler_collect(struct sampler *s, int64_t wall_ms);

/* New options from a reload: collectors start anew, counters of the registry go on. */
void sampler_set_options(struct sampler *s, const struct collect_options *options);

#endif
