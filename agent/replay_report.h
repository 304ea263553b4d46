/* SPDX-License-Identifier: Apache-2.0
 *
 * What `agent alerts test` found, for people and for programs. Pure.
 */
#ifndef AGENT_REPLAY_REPORT_H
#define AGENT_REPLAY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/replay.h"
#include "agent/term.h"
#include "base/buf.h"
#include "collectors/entity.h"

/* One rule over one entity. */
struct replay_result {
	const struct rule *rule;
	const struct entity *entity;
	struct replay replay;
};

struct replay_report {
	int64_t from_ms, to_ms;
	int64_t interval_ms;
	int64_t first_ms; /* of the first known value; INT64_MAX: none */
	int64_t coarsest_ms; /* rows of the history used */
	int64_t coarse_until_ms; /* later rows are samples */
	bool labels_unknown; /* and a rule asks for some */
	const struct rule **rules; /* those that were tried; the array is owned */
	size_t n_rules;
	struct replay_result *results;
	size_t n;
};

void replay_report_print(const struct replay_report *r, const struct term *t, struct buf *out);
/* {"from_ms","to_ms","rules":[{"rule","metric","origin","entities","messages","firing","nearest":{..}}],
 *  "events":[{"time_ms","rule","class","entity","metric","what","severity","value","fired_ms"}]} */
void replay_report_json(const struct replay_report *r, struct buf *out);

/* What one rule came to. */
struct replay_sum {
	size_t entities, fired, firing, messages;
	size_t more; /* messages past REPLAY_EVENTS_MAX */
	const struct replay_result *nearest; /* NULL: no value */
};
struct replay_sum replay_sum_up(const struct replay_report *r, const struct rule *rule);

/* A message and whom it is about. */
struct replay_row {
	const struct replay_result *result;
	const struct replay_event *event;
};
/* All messages in the order of time; free() it. */
struct replay_row *replay_rows(const struct replay_report *r, size_t *out_n);
void replay_report_done(struct replay_report *r);

#endif
