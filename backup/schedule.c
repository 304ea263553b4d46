/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/schedule.h"

/* The scheduled time after that one, or 0. */
static int64_t slot_after(const struct schedule *s, int64_t ms)
{
	time_t t = cron_next(&s->cron, (time_t)(ms / 1000));

	return t < 0 ? 0 : (int64_t)t * 1000;
}

/* FNV-1a (draft-eastlake-fnv), with the bits mixed at the end as SplitMix64 does, because times that are
 * a day apart differ in few bits. */
static uint64_t hash_of(const char *key, int64_t number)
{
	uint64_t h = 14695981039346656037U;

	for (; key && *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211U;
	for (int i = 0; i < 8; i++)
		h = (h ^ ((uint64_t)number >> (8 * i) & 0xff)) * 1099511628211U;
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9U;
	h = (h ^ h >> 27) * 0x94d049bb133111ebU;
	return h ^ h >> 31;
}

int64_t schedule_put_off_ms(const struct schedule *s, int64_t slot_ms)
{
	if (s->jitter_ms <= 0)
		return 0;
	return (int64_t)(hash_of(s->key, slot_ms) % (uint64_t)s->jitter_ms);
}

/* When the scheduled time after that one starts, or 0. */
static int64_t start_after(const struct schedule *s, int64_t ms)
{
	int64_t slot = slot_after(s, ms);

	return slot ? slot + schedule_put_off_ms(s, slot) : 0;
}

struct schedule_verdict schedule_look(const struct schedule *s, int64_t handled_ms, int64_t now_ms)
{
	struct schedule_verdict v = {.handled_ms = handled_ms};

	if (!handled_ms || handled_ms > now_ms + SCHEDULE_CLOCK_MS)
		v.handled_ms = now_ms;
	v.next_ms = start_after(s, v.handled_ms);
	if (!v.next_ms || v.next_ms > now_ms)
		return v;
	v.late = now_ms - v.next_ms > SCHEDULE_LATE_MS;
	v.due = !v.late || s->catch_up;
	v.handled_ms = now_ms;
	v.next_ms = start_after(s, now_ms);
	return v;
}

int64_t schedule_overdue_ms(
	const struct schedule *s, int64_t limit_ms, int64_t last_good_ms, int64_t now_ms)
{
	int64_t base = last_good_ms < now_ms ? last_good_ms : now_ms, slot, next, grace;

	if (limit_ms)
		return base + limit_ms;
	if (!s)
		return 0;
	slot = slot_after(s, base);
	next = slot ? slot_after(s, slot) : 0;
	if (!slot)
		return 0;
	grace = next ? (next - slot) / 4 : 0;
	if (grace < SCHEDULE_OVERDUE_MIN_MS)
		grace = SCHEDULE_OVERDUE_MIN_MS;
	return slot + s->jitter_ms + grace;
}
