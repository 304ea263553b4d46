/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/body_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"

struct body_spool {
	struct body_spools *of;
	struct peer_key client;
	enum body_spool_state state;
	struct buf memory;
	int fd; /* -1: it is in memory */
	uint64_t size;
	off_t at; /* of body_spool_read() */
};

void body_spools_init(struct body_spools *s, const char *folder)
{
	*s = (struct body_spools){.folder = folder};
	peer_counts_init(&s->clients, BODY_SPOOL_FILES_MAX);
}

void body_spools_done(struct body_spools *s)
{
	peer_counts_done(&s->clients);
}

struct body_spool *body_spool_new(struct body_spools *of, const struct peer_key *client)
{
	struct body_spool *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->of = of;
	s->client = *client;
	s->fd = -1;
	buf_init(&s->memory, BODY_SPOOL_MEMORY_MAX);
	return s;
}

static void give_up_file(struct body_spool *s)
{
	if (s->fd < 0)
		return;
	(void)close(s->fd);
	s->fd = -1;
	s->of->n--;
	peer_counts_remove(&s->of->clients, &s->client);
}

void body_spool_free(struct body_spool *s)
{
	if (!s)
		return;
	give_up_file(s);
	buf_done(&s->memory);
	free(s);
}

static void fail(struct body_spool *s, enum body_spool_state state)
{
	s->state = state;
	give_up_file(s);
	buf_done(&s->memory);
}

/* Some file systems have no files without a name, so one is made and its name taken away; a folder that cannot be written
 * leaves memory. */
static int open_file(const char *folder)
{
	_cleanup_(free_p) char *name = str_format("%s/agent-delivery-XXXXXX", folder);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) {
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(name);
	}
	return fd >= 0 ? fd : memfd_create("delivery", MFD_CLOEXEC);
}

static bool may_have_file(const struct body_spool *s)
{
	return s->of->n < BODY_SPOOL_FILES_MAX &&
	       (peer_is_private(&s->client) ||
		       peer_counts_get(&s->of->clients, &s->client) < BODY_SPOOL_FILES_PER_CLIENT);
}

static void write_all(struct body_spool *s, const char *data, size_t n)
{
	while (n > 0 && s->state == BODY_SPOOL_FINE) {
		ssize_t r = write(s->fd, data, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			log_warning("a delivery cannot be kept: %s", err_text(-errno));
			fail(s, BODY_SPOOL_FAILED);
			return;
		}
		data += r;
		n -= (size_t)r;
	}
}

static void move_to_file(struct body_spool *s)
{
	if (!may_have_file(s)) {
		fail(s, BODY_SPOOL_BUSY);
		return;
	}
	s->fd = open_file(s->of->folder);
	if (s->fd < 0) {
		log_warning("a delivery cannot be kept: %s", err_text(-errno));
		fail(s, BODY_SPOOL_FAILED);
		return;
	}
	s->of->n++;
	peer_counts_add(&s->of->clients, &s->client);
	write_all(s, buf_str(&s->memory), s->memory.len);
	buf_done(&s->memory);
}

bool body_spool_add(struct body_spool *s, const void *data, size_t n)
{
	s->size += n;
	if (s->size > BODY_SPOOL_MAX && s->state == BODY_SPOOL_FINE)
		fail(s, BODY_SPOOL_TOO_LARGE);
	if (s->state == BODY_SPOOL_FINE && s->fd < 0 && s->size > BODY_SPOOL_MEMORY_MAX)
		move_to_file(s);
	if (s->state == BODY_SPOOL_FINE && s->fd < 0)
		buf_add(&s->memory, data, n);
	else if (s->state == BODY_SPOOL_FINE)
		write_all(s, data, n);
	return s->size <= 2 * (uint64_t)BODY_SPOOL_MAX;
}

enum body_spool_state body_spool_state(const struct body_spool *s)
{
	return s->state;
}

uint64_t body_spool_size(const struct body_spool *s)
{
	return s->size;
}

bool body_spool_is_file(const struct body_spool *s)
{
	return s->fd >= 0;
}

int body_spool_open(struct body_spool *s, struct err *e)
{
	_cleanup_(close_p) int fd = -1;

	if (s->fd >= 0) {
		fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? err_sys(e, "a second descriptor of a delivery") : take_fd(&fd);
	}
	fd = memfd_create("delivery", MFD_CLOEXEC);
	/* Memory takes all of it or nothing. */
	if (fd < 0 || write(fd, buf_str(&s->memory), s->memory.len) != (ssize_t)s->memory.len)
		return err_sys(e, "a delivery in memory");
	return take_fd(&fd);
}

ssize_t body_spool_read(void *spool, void *to, size_t n, struct err *e)
{
	struct body_spool *s = spool;
	ssize_t r;

	if (s->fd < 0) {
		size_t left = s->memory.len - (size_t)s->at;

		r = (ssize_t)(n < left ? n : left);
		memcpy(to, buf_str(&s->memory) + s->at, (size_t)r);
	} else {
		do
			r = pread(s->fd, to, n, s->at);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return err_sys(e, "read a delivery");
	}
	s->at += r;
	return r;
}
