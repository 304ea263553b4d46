/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/interface.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum {
	NET_DEV_MAX = 512 * 1024, /* about 4,000 interfaces */
	RECHECK_SAMPLES = 15, /* an interface may join a bond later */
};

int interface_parse_line(char *line, struct interface_line *out, struct err *e)
{
	struct interface_line l = {0};
	/* In the order of the file; NULL: fifo, frame, compressed, multicast. */
	uint64_t *const fields[] = {&l.received_bytes, &l.received_packets, &l.receive_errors,
		&l.receive_drops, NULL, NULL, NULL, NULL, &l.sent_bytes, &l.sent_packets,
		&l.send_errors, &l.send_drops};
	char *colon = strrchr(line, ':');
	uint64_t v;

	if (!colon)
		return 0;
	*colon = '\0';
	line += strspn(line, " \t");
	if (!*line)
		return err_set(e, EINVAL, "there is no interface name");
	l.name = line;
	line = colon + 1;
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		if (!proc_next_u64(&line, &v))
			return err_set(e, EINVAL, "%.32s: field %u is not a number", l.name, i + 2);
		if (fields[i])
			*fields[i] = v;
	}
	*out = l;
	return 1;
}

bool interface_skipped_by_default(const char *name)
{
	static const char *const prefixes[] = {"veth", "docker", "br-", "virbr", "vnet", "cni",
		"flannel", "cali", "tap", "dummy", "ifb", "kube-", "podman", "lxcbr", "lxdbr",
		"incusbr", "nerdctl", "fwbr", "fwpr", "fwln"};

	if (strcmp(name, "lo") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return false;
}

enum interface_rank interface_rank(const struct interface_facts *f)
{
	if (f->type == ARPHRD_LOOPBACK)
		return RANK_NEVER;
	if (f->has_device)
		return f->master_has_device ? RANK_NEVER : RANK_HARDWARE;
	if (f->on_watched_interface)
		return RANK_NEVER;
	return f->type == ARPHRD_ETHER ? RANK_ETHERNET : RANK_OTHER;
}

/* What is known of an interface; kept between samples, in the order of the file. */
struct interface {
	char name[IFNAMSIZ];
	bool watched;
	enum interface_rank rank;
	unsigned checked; /* sample of the last look into /sys */
	struct kept_file operstate;
};

struct interface_state {
	struct kept_file net_dev;
	struct interface *list;
	size_t n;
	size_t room;
};

struct sums {
	double received;
	double sent;
};

static bool is_watched(const struct collect_ctx *ctx, const char *name)
{
	const struct patterns *p = &ctx->options->interfaces;

	return str_matches_any(p->list, p->n, name, !interface_skipped_by_default(name));
}

static bool exists(const struct collect_ctx *ctx, const char *name, const char *what)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "class/net/%.16s/%s", name, what);
	return faccessat(ctx->sys_fd, path, F_OK, 0) == 0;
}

static int is_watched_lower(void *user, int dirfd, const char *name)
{
	static const char prefix[] = "lower_";

	(void)dirfd;
	return str_starts(name, prefix) && is_watched(user, name + strlen(prefix));
}

/* A bond, bridge or VLAN has links lower_NAME to the interfaces it is built upon. */
static bool is_on_watched(const struct collect_ctx *ctx, const char *name)
{
	struct collect_ctx mine = *ctx;
	char path[64];

	(void)snprintf(path, sizeof(path), "class/net/%.16s", name);
	return fs_list(ctx->sys_fd, path, is_watched_lower, &mine, NULL) == 1;
}

static void check(struct interface *i, const struct collect_ctx *ctx)
{
	struct interface_facts f = {.type = ARPHRD_VOID};
	char path[64];
	uint64_t type;

	i->checked = registry_sample(ctx->registry);
	i->watched = is_watched(ctx, i->name);
	if (!i->watched)
		return;
	(void)snprintf(path, sizeof(path), "class/net/%s/type", i->name);
	if (proc_read_u64(ctx->sys_fd, path, &type, NULL) == 0)
		f.type = (unsigned)type;
	f.has_device = exists(ctx, i->name, "device");
	f.master_has_device = exists(ctx, i->name, "master/device");
	f.on_watched_interface = is_on_watched(ctx, i->name);
	i->rank = interface_rank(&f);
}

static void forget(struct interface_state *s, size_t from, size_t to)
{
	if (from == to)
		return;
	for (size_t i = from; i < to; i++)
		kept_file_close(&s->list[i].operstate);
	memmove(s->list + from, s->list + to, (s->n - to) * sizeof(*s->list));
	s->n -= to - from;
}

/* The interface of a name; `at` is where it was in the last sample unless interfaces came or went. */
static struct interface *find(
	struct interface_state *s, size_t at, const char *name, const struct collect_ctx *ctx)
{
	for (size_t j = at; j < s->n; j++) {
		if (strcmp(s->list[j].name, name) != 0)
			continue;
		if (j > at)
			forget(s, at, j);
		return &s->list[at];
	}
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->list = realloc(s->list, s->room * sizeof(*s->list));
		if (!s->list)
			abort();
	}
	memmove(s->list + at + 1, s->list + at, (s->n - at) * sizeof(*s->list));
	s->n++;
	s->list[at] = (struct interface){.rank = RANK_NEVER};
	(void)str_copy(s->list[at].name, sizeof(s->list[at].name), name);
	check(&s->list[at], ctx);
	return &s->list[at];
}

/* Drivers without link detection say "unknown", which is as good as up
 * (Documentation/networking/operstates.rst). */
static void fill_up(struct interface *i, const struct collect_ctx *ctx, struct entity *e)
{
	char path[64], text[32];

	(void)snprintf(path, sizeof(path), "class/net/%s/operstate", i->name);
	if (proc_read_kept(&i->operstate, ctx->sys_fd, path, text, sizeof(text), NULL) < 0) {
		entity_missing(e, INTERFACE_up, "/sys does not tell its state");
		return;
	}
	entity_gauge(
		e, INTERFACE_up, str_starts(text, "up") || str_starts(text, "unknown") ? 1 : 0);
}

static void fill(struct entity *e, const struct interface_line *l)
{
	entity_counter(e, INTERFACE_received_bytes_per_second, (double)l->received_bytes);
	entity_counter(e, INTERFACE_sent_bytes_per_second, (double)l->sent_bytes);
	entity_counter(e, INTERFACE_received_packets_per_second, (double)l->received_packets);
	entity_counter(e, INTERFACE_sent_packets_per_second, (double)l->sent_packets);
	entity_counter(e, INTERFACE_receive_errors_per_second, (double)l->receive_errors);
	entity_counter(e, INTERFACE_send_errors_per_second, (double)l->send_errors);
	entity_counter(e, INTERFACE_receive_drops_per_second, (double)l->receive_drops);
	entity_counter(e, INTERFACE_send_drops_per_second, (double)l->send_drops);
}

static void collect_interface(
	struct interface *i, const struct interface_line *l, const struct collect_ctx *ctx)
{
	struct entity *e = registry_get(ctx->registry, &class_interface, i->name);

	if (!e)
		return;
	if (entity_is_new(ctx, e))
		entity_label(e, "device", i->name);
	entity_read_at(e, ctx->now_ns);
	fill(e, l);
	fill_up(i, ctx, e);
}

/* Goes on behind a bad line; the first one is reported. */
static int collect_lines(
	struct interface_state *s, char *text, const struct collect_ctx *ctx, struct err *e)
{
	unsigned now = registry_sample(ctx->registry);
	unsigned number = 0;
	int result = 0;
	size_t n = 0;
	char *line;

	while (proc_next_line(&text, &line)) {
		struct interface_line l;
		struct interface *i;
		struct err bad;
		int r = interface_parse_line(line, &l, &bad);

		number++;
		if (r < 0 && result == 0)
			result = err_set(e, -r, "line %u: %s", number, bad.msg);
		if (r <= 0 || strlen(l.name) >= IFNAMSIZ)
			continue;
		i = find(s, n++, l.name, ctx);
		if (now - i->checked >= RECHECK_SAMPLES)
			check(i, ctx);
		if (i->watched)
			collect_interface(i, &l, ctx);
	}
	forget(s, n, s->n);
	return result;
}

/* After all lines, when it is known which rank there is. */
static struct sums sum_up(const struct interface_state *s, const struct collect_ctx *ctx)
{
	struct sums sums = {NAN, NAN};
	enum interface_rank best = RANK_NEVER;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].watched && s->list[i].rank > best)
			best = s->list[i].rank;
	for (size_t i = 0; best > RANK_NEVER && i < s->n; i++) {
		const struct entity *e;

		if (!s->list[i].watched || s->list[i].rank != best)
			continue;
		e = registry_find(ctx->registry, &class_interface, s->list[i].name);
		if (!e)
			continue;
		sum_known(&sums.received, entity_value(e, INTERFACE_received_bytes_per_second));
		sum_known(&sums.sent, entity_value(e, INTERFACE_sent_bytes_per_second));
	}
	return sums;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct interface_state *s = state;
	struct entity *host = host_entity(ctx);
	struct sums sums;
	char text[NET_DEV_MAX];
	int r = proc_read_kept(&s->net_dev, ctx->proc_fd, "net/dev", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = collect_lines(s, text, ctx, e);
	sums = sum_up(s, ctx);
	if (host) {
		gauge_if_known(host, HOST_network_received_bytes_per_second, sums.received);
		gauge_if_known(host, HOST_network_sent_bytes_per_second, sums.sent);
	}
	return r < 0 ? proc_wrap(ctx->proc_fd, "net/dev", r, e) : 0;
}

static void done(void *state)
{
	struct interface_state *s = state;

	kept_file_close(&s->net_dev);
	forget(s, 0, s->n);
	free(s->list);
}

const struct collector collector_interface = {
	.name = "interface",
	.doc = "Traffic, errors and drops of each network interface",
	.state_size = sizeof(struct interface_state),
	.collect = collect,
	.done = done,
};
