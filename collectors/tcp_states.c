/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/tcp_states.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collectors/procfs.h"

static void count(struct tcp_states *counts, unsigned state)
{
	if (state == TCP_CLOSE_WAIT)
		counts->close_wait++;
	else if (state == TCP_SYN_RECV)
		counts->syn_received++;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "   0: 0100007F:1F90 0100007F:C350 08 ...": the state is the fourth field, two hexadecimal
 * digits. */
int tcp_states_add_line(char *line, struct tcp_states *counts, struct err *e)
{
	char *field = line;
	int high, low;

	for (unsigned i = 0; i < 4; i++) {
		if (!proc_next_field(&line, &field))
			return err_set(e, EINVAL, "field %u is missing", i + 1);
		if (i == 0 && strcmp(field, "sl") == 0)
			return 0;
	}
	high = hex_digit(field[0]);
	low = high < 0 ? -1 : hex_digit(field[1]);
	if (low < 0 || field[2])
		return err_set(e, EINVAL, "field 4 is not a state");
	count(counts, (unsigned)(high * 16 + low));
	return 1;
}

/* The kernel's reason in a message that ends a dump early. */
static int dump_error(const struct nlmsghdr *h)
{
	int code;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(code)))
		return -EBADMSG;
	memcpy(&code, (const char *)h + NLMSG_HDRLEN, sizeof(code));
	return code < 0 && code >= -4095 ? code : -EBADMSG;
}

int tcp_states_add_datagram(const void *datagram, size_t size, struct tcp_states *counts)
{
	const char *p = datagram;
	size_t left = size;

	while (left >= NLMSG_HDRLEN) {
		struct nlmsghdr h;
		struct inet_diag_msg m;
		size_t step;

		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > left)
			return -EBADMSG;
		if (h.nlmsg_type == NLMSG_DONE)
			return 0;
		if (h.nlmsg_type == NLMSG_ERROR)
			return dump_error((const struct nlmsghdr *)(const void *)p);
		if (h.nlmsg_len < NLMSG_LENGTH(sizeof(m)))
			return -EBADMSG;
		memcpy(&m, p + NLMSG_HDRLEN, sizeof(m));
		count(counts, m.idiag_state);
		step = NLMSG_ALIGN(h.nlmsg_len);
		if (step > left)
			step = left;
		p += step;
		left -= step;
	}
	return left ? -EBADMSG : 1;
}

/* The older form of the request: it answers for IPv4 and IPv6 in one walk of the kernel's table,
 * where SOCK_DIAG_BY_FAMILY needs a walk for each. */
static int send_request(int fd)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req q;
	} m;

	memset(&m, 0, sizeof(m));
	m.h.nlmsg_len = NLMSG_LENGTH(sizeof(m.q));
	m.h.nlmsg_type = TCPDIAG_GETSOCK;
	m.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m.q.idiag_family = AF_INET;
	m.q.idiag_states = 1U << TCP_CLOSE_WAIT | 1U << TCP_SYN_RECV;
	return send(fd, &m, m.h.nlmsg_len, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The kernel makes each part of the answer while it is being received, so there is nothing to
 * wait for. */
static int receive_answer(int fd, struct tcp_states *counts)
{
	_Alignas(struct nlmsghdr) char text[16384];
	int r = 1;

	while (r > 0) {
		ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 || (size_t)n > sizeof(text))
			return -EBADMSG;
		r = tcp_states_add_datagram(text, (size_t)n, counts);
	}
	return r;
}

int tcp_states_ask(int *fd_plus_1, struct tcp_states *out, struct err *e)
{
	struct tcp_states counts = {0, 0};
	int r;

	if (!*fd_plus_1)
		*fd_plus_1 = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG) + 1;
	if (!*fd_plus_1)
		return err_sys(e, "sock_diag");
	r = send_request(*fd_plus_1 - 1);
	if (r == 0)
		r = receive_answer(*fd_plus_1 - 1, &counts);
	if (r == 0) {
		*out = counts;
		return 0;
	}
	/* What is left of this answer must not be taken for the next. */
	(void)close(*fd_plus_1 - 1);
	*fd_plus_1 = 0;
	return err_set(e, -r, "sock_diag: %s", err_text(r));
}

struct table {
	struct tcp_states counts;
	struct err *e;
	unsigned line;
};

static int add_line(void *user, char *line)
{
	struct table *t = user;
	int r = tcp_states_add_line(line, &t->counts, t->e);

	t->line++;
	return r < 0 ? err_wrap(t->e, r, "line %u", t->line) : 0;
}

static int read_table(int proc_fd, const char *path, struct tcp_states *counts, struct err *e)
{
	_cleanup_(close_p) int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	struct table t = {*counts, e, 0};
	char text[8192];
	int r;

	if (fd < 0) {
		r = err_set(e, errno, "%s", err_text(errno));
		return proc_wrap(proc_fd, path, r, e);
	}
	r = proc_each_line(fd, text, sizeof(text), add_line, &t);
	if (r < 0)
		return proc_wrap(proc_fd, path, r, e);
	*counts = t.counts;
	return 0;
}

int tcp_states_read(int proc_fd, struct tcp_states *out, struct err *e)
{
	struct tcp_states counts = {0, 0};
	int r = read_table(proc_fd, "net/tcp", &counts, e);

	if (r < 0)
		return r;
	r = read_table(proc_fd, "net/tcp6", &counts, e);
	if (r < 0 && r != -ENOENT)
		return r;
	*out = counts;
	return 0;
}
