/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
	}
	return -code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int code = errno ? errno : EIO;
	va_list ap;
	int n;

	if (e) {
		va_start(ap, fmt);
		n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
		if (n >= 0 && (size_t)n < sizeof(e->msg))
			(void)snprintf(
				e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", strerror(code));
	}
	return -code;
}

int err_wrap(struct err *e, int r, const char *fmt, ...)
{
	struct err inner;
	va_list ap;
	size_t n;

	if (!e || r >= 0)
		return r;
	inner = *e;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	(void)snprintf(
		e->msg + n, sizeof(e->msg) - n, ": %.*s", (int)(sizeof(e->msg) - 3), inner.msg);
	return r;
}

const char *err_text(int r)
{
	return strerror(r < 0 ? -r : r);
}
