/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"

/* xterm's private modes: 1049 alternate screen, 25 cursor, 7 line wrap. */
static const char enter_sequence[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_sequence[] = "\033[?7h\033[?25h\033[?1049l";

static const struct {
	const char *bytes;
	int key;
} sequences[] = {
	{"\033[A", KEY_UP},
	{"\033OA", KEY_UP},
	{"\033[B", KEY_DOWN},
	{"\033OB", KEY_DOWN},
	{"\033[5~", KEY_PAGE_UP},
	{"\033[6~", KEY_PAGE_DOWN},
	{"\033[H", KEY_HOME},
	{"\033OH", KEY_HOME},
	{"\033[1~", KEY_HOME},
	{"\033[F", KEY_END},
	{"\033OF", KEY_END},
	{"\033[4~", KEY_END},
};

int screen_key(const char *bytes, size_t n, size_t *used)
{
	size_t i = 1;

	*used = 1;
	if (bytes[0] != '\033')
		return (unsigned char)bytes[0] ? (unsigned char)bytes[0] : KEY_OTHER;
	for (size_t k = 0; k < sizeof(sequences) / sizeof(*sequences); k++) {
		size_t len = strlen(sequences[k].bytes);

		if (n >= len && memcmp(bytes, sequences[k].bytes, len) == 0) {
			*used = len;
			return sequences[k].key;
		}
	}
	/* ECMA-48: CSI, parameters 0x20 to 0x3f, a final byte from 0x40 on. */
	if (n > 1 && (bytes[1] == '[' || bytes[1] == 'O')) {
		for (i = 2; i < n && bytes[i] >= 0x20 && bytes[i] < 0x40; i++)
			;
		i += i < n;
	}
	*used = i;
	return KEY_OTHER;
}

static int write_all(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t r = write(STDOUT_FILENO, text, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		text += r;
		n -= (size_t)r;
	}
	return 0;
}

static int set_raw(struct screen *s)
{
	struct termios raw = s->before;

	/* Signals by key stay on: Ctrl-C and Ctrl-Z arrive through the signalfd. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
		return -1;
	return write_all(enter_sequence, sizeof(enter_sequence) - 1);
}

static void set_cooked(const struct screen *s)
{
	(void)write_all(leave_sequence, sizeof(leave_sequence) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

static void signals(sigset_t *set)
{
	static const int wanted[] = {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

	(void)sigemptyset(set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		(void)sigaddset(set, wanted[i]);
}

int screen_enter(struct screen *s, struct err *e)
{
	sigset_t set;

	*s = (struct screen){.signal_fd = -1, .wake_fd = -1};
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(e, ENOTTY, "this needs a terminal");
	signals(&set);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_sys(e, "signalfd");
	if (tcgetattr(STDIN_FILENO, &s->before) < 0)
		return err_sys(e, "read the terminal's settings");
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->entered = true;
	if (set_raw(s) < 0)
		return err_sys(e, "set up the terminal");
	return 0;
}

void screen_leave(struct screen *s)
{
	sigset_t set;

	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
	s->signal_fd = -1;
	if (!s->entered)
		return;
	set_cooked(s);
	s->entered = false;
	signals(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int screen_draw(const struct buf *lines, struct err *e)
{
	_cleanup_(buf_done) struct buf frame = BUF_INIT(lines->len * 4 + 64);

	buf_adds(&frame, "\033[H");
	for (const char *p = buf_str(lines); *p;) {
		size_t n = strcspn(p, "\n");
		bool last = !p[n] || !p[n + 1];

		/* Erased first: behind a line that ends at the edge it would take the last
		 * character. The last line erases all below too, and has no newline, or the
		 * screen would scroll. */
		buf_adds(&frame, last ? "\033[J" : "\033[2K");
		buf_add(&frame, p, n);
		p += n + (p[n] == '\n');
		if (!last)
			buf_adds(&frame, "\r\n");
	}
	return write_all(buf_str(&frame), frame.len) < 0 ? err_sys(e, "write to the terminal") : 0;
}

/* Ctrl-Z: gives the terminal back, stops, and takes it again when continued. */
static int stop_for_a_while(struct screen *s, struct err *e)
{
	set_cooked(s);
	(void)raise(SIGSTOP);
	return set_raw(s) < 0 ? err_sys(e, "set up the terminal") : SCREEN_RESIZED;
}

static int take_signal(struct screen *s, struct err *e)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return SCREEN_RESIZED;
	if (info.ssi_signo == SIGTSTP)
		return stop_for_a_while(s, e);
	return info.ssi_signo == SIGWINCH ? SCREEN_RESIZED : SCREEN_END;
}

static int take_key(struct screen *s, int *key)
{
	size_t used;

	*key = screen_key(s->keys, s->n_keys, &used);
	s->n_keys -= used;
	memmove(s->keys, s->keys + used, s->n_keys);
	return SCREEN_KEY;
}

int screen_wait(struct screen *s, int *key, struct err *e)
{
	struct pollfd p[] = {{.fd = s->signal_fd, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = s->wake_fd, .events = POLLIN}};
	ssize_t n;

	if (s->n_keys)
		return take_key(s, key);
	while (poll(p, 3, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait");
	if (p[0].revents)
		return take_signal(s, e);
	if (!p[1].revents)
		return SCREEN_WAKE;
	n = read(STDIN_FILENO, s->keys, sizeof(s->keys));
	if (n <= 0)
		return SCREEN_END; /* the terminal is gone */
	s->n_keys = (size_t)n;
	return take_key(s, key);
}
