/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/tcp.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"
#include "collectors/tcp_states.h"

static const struct proc_key snmp_keys[] = {
	{"CurrEstab", offsetof(struct tcp_snmp, established)},
	{"OutSegs", offsetof(struct tcp_snmp, segments_sent)},
	{"RetransSegs", offsetof(struct tcp_snmp, retransmits)},
};

static const struct proc_key netstat_keys[] = {
	{"ListenOverflows", offsetof(struct tcp_netstat, listen_overflows)},
};

static const struct proc_key sockstat_keys[] = {
	{"tw", offsetof(struct tcp_sockstat, time_wait)},
	{"orphan", offsetof(struct tcp_sockstat, orphans)},
};

static int take(const struct proc_key *keys, size_t n, const char *name, const char *value,
	void *out, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v;
		double d;

		if (strcmp(keys[i].key, name) != 0)
			continue;
		if (!proc_u64(value, &v))
			return err_set(e, EINVAL, "%s is not a number", name);
		d = (double)v;
		memcpy((char *)out + keys[i].offset, &d, sizeof(d));
	}
	return 0;
}

/* "Tcp: Name Name ..." and below it "Tcp: 1 2 ...". */
static int take_columns(
	char *names, char *values, const struct proc_key *keys, size_t n, void *out, struct err *e)
{
	char *name, *value;
	int r = 0;

	while (r == 0 && proc_next_field(&names, &name)) {
		if (!proc_next_field(&values, &value))
			return err_set(e, EINVAL, "there is no value for %s", name);
		r = take(keys, n, name, value, out, e);
	}
	return r;
}

static int parse_columns(char *text, const char *prefix, const struct proc_key *keys, size_t n,
	void *out, struct err *e)
{
	unsigned number = 0;
	char *line, *names = NULL;

	while (proc_next_line(&text, &line)) {
		int r;

		number++;
		if (!str_starts(line, prefix))
			continue;
		line += strlen(prefix);
		if (!names) {
			names = line;
			continue;
		}
		r = take_columns(names, line, keys, n, out, e);
		return r < 0 ? err_wrap(e, r, "line %u", number) : 0;
	}
	return err_set(e, EINVAL, "there are no lines \"%s\"", prefix);
}

int tcp_parse_snmp(char *text, struct tcp_snmp *out, struct err *e)
{
	struct tcp_snmp v = {NAN, NAN, NAN};
	int r = parse_columns(text, "Tcp:", snmp_keys, ARRAY_LEN(snmp_keys), &v, e);

	if (r < 0)
		return r;
	*out = v;
	return 0;
}

int tcp_parse_netstat(char *text, struct tcp_netstat *out, struct err *e)
{
	struct tcp_netstat v = {NAN};
	int r = parse_columns(text, "TcpExt:", netstat_keys, ARRAY_LEN(netstat_keys), &v, e);

	if (r < 0)
		return r;
	*out = v;
	return 0;
}

/* "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0" */
int tcp_parse_sockstat(char *text, struct tcp_sockstat *out, struct err *e)
{
	struct tcp_sockstat v = {NAN, NAN};
	unsigned number = 0;
	char *line, *name, *value;

	while (proc_next_line(&text, &line)) {
		number++;
		if (!str_starts(line, "TCP:"))
			continue;
		line += strlen("TCP:");
		while (proc_next_field(&line, &name)) {
			int r = proc_next_field(&line, &value)
					? take(sockstat_keys, ARRAY_LEN(sockstat_keys), name, value,
						  &v, e)
					: err_set(e, EINVAL, "there is no value for %s", name);

			if (r < 0)
				return err_wrap(e, r, "line %u", number);
		}
		*out = v;
		return 0;
	}
	return err_set(e, EINVAL, "there is no line \"TCP:\"");
}

enum {
	SNMP_MAX = 8 * 1024,
	NETSTAT_MAX = 16 * 1024,
};

struct tcp_state {
	struct kept_file snmp;
	struct kept_file netstat;
	struct kept_file sockstat;
	int diag_fd_plus_1;
};

static int collect_snmp(
	struct tcp_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	struct tcp_snmp v;
	double again, sent;
	char text[SNMP_MAX];
	int r = proc_read_kept(&s->snmp, ctx->proc_fd, "net/snmp", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = tcp_parse_snmp(text, &v, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "net/snmp", r, e);
	gauge_if_known(host, HOST_tcp_established, v.established);
	counter_if_known(host, HOST_tcp_segments_sent_per_second, v.segments_sent);
	counter_if_known(host, HOST_tcp_retransmits_per_second, v.retransmits);
	again = entity_increase(host, HOST_tcp_retransmits_per_second);
	sent = again + entity_increase(host, HOST_tcp_segments_sent_per_second);
	if (sent > 0)
		entity_gauge(host, HOST_tcp_retransmit_percent, 100 * again / sent);
	else if (sent <= 0)
		entity_gauge(host, HOST_tcp_retransmit_percent, 0);
	return 0;
}

static int collect_netstat(
	struct tcp_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	struct tcp_netstat v;
	char text[NETSTAT_MAX];
	int r = proc_read_kept(&s->netstat, ctx->proc_fd, "net/netstat", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = tcp_parse_netstat(text, &v, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "net/netstat", r, e);
	counter_if_known(host, HOST_tcp_listen_overflows_per_second, v.listen_overflows);
	return 0;
}

static int collect_sockstat(
	struct tcp_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	struct tcp_sockstat v;
	char text[1024];
	int r = proc_read_kept(&s->sockstat, ctx->proc_fd, "net/sockstat", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = tcp_parse_sockstat(text, &v, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "net/sockstat", r, e);
	gauge_if_known(host, HOST_tcp_time_wait, v.time_wait);
	gauge_if_known(host, HOST_tcp_orphans, v.orphans);
	return 0;
}

/* A kernel without tcp_diag still has the files. */
static int collect_states(
	struct tcp_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	struct tcp_states v;
	int r = ctx->live ? tcp_states_ask(&s->diag_fd_plus_1, &v, NULL) : -ENOTSUP;

	if (r < 0)
		r = tcp_states_read(ctx->proc_fd, &v, e);
	if (r < 0)
		return r;
	entity_gauge(host, HOST_tcp_close_wait, (double)v.close_wait);
	entity_gauge(host, HOST_tcp_syn_received, (double)v.syn_received);
	return 0;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	static int (*const parts[])(struct tcp_state *, const struct collect_ctx *, struct entity *,
		struct err *) = {collect_snmp, collect_netstat, collect_sockstat, collect_states};
	struct tcp_state *s = state;
	struct entity *host = host_entity(ctx);
	int result = 0;

	for (size_t i = 0; host && i < ARRAY_LEN(parts); i++) {
		int r = parts[i](s, ctx, host, result < 0 ? NULL : e);

		if (result == 0)
			result = r;
	}
	return result;
}

static void done(void *state)
{
	struct tcp_state *s = state;

	kept_file_close(&s->snmp);
	kept_file_close(&s->netstat);
	kept_file_close(&s->sockstat);
	if (s->diag_fd_plus_1)
		(void)close(s->diag_fd_plus_1 - 1);
}

const struct collector collector_tcp = {
	.name = "tcp",
	.doc = "TCP connections by state, retransmits, listen overflows",
	.state_size = sizeof(struct tcp_state),
	.collect = collect,
	.done = done,
};
