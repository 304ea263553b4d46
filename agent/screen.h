/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole terminal for a program that redraws itself: alternate screen, keys one at a time,
 * signals as events. Plain ANSI/xterm sequences. The terminal is as before after screen_leave(),
 * which every way out must call; a signal that ends the program arrives as an event, so there is
 * such a way.
 */
#ifndef AGENT_SCREEN_H
#define AGENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/buf.h"
#include "base/err.h"

enum screen_key {
	KEY_NONE,
	/* 1 to 255: that character */
	KEY_UP = 256,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_OTHER, /* a sequence that means nothing here */
};

/* The key that the n bytes (n > 0) begin with; *used is how many it takes. A lone ESC is
 * KEY_OTHER. Pure. */
int screen_key(const char *bytes, size_t n, size_t *used);

struct screen {
	struct termios before;
	int signal_fd;
	int wake_fd; /* a further descriptor to wait for; -1: none */
	bool entered;
	char keys[64]; /* read and not yet taken */
	size_t n_keys;
};

/* -ENOTTY when stdin or stdout is no terminal. */
int screen_enter(struct screen *s, struct err *e);
void screen_leave(struct screen *s); /* can be called twice */

/* Draws a frame: lines ended by '\n', cut to the terminal by the caller. One write, no flicker. */
int screen_draw(const struct buf *lines, struct err *e);

enum screen_event { SCREEN_KEY, SCREEN_WAKE, SCREEN_RESIZED, SCREEN_END };
/* Waits for a key (*key), data on wake_fd, a change of size (also after Ctrl-Z and fg), or a
 * signal that ends the program. */
int screen_wait(struct screen *s, int *key, struct err *e);

#endif
