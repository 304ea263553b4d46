/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { NOBODY = 65534 };

/* The ids of a user of /etc/passwd. Read directly: getpwnam(3) would load the name service's
 * libraries into a process that should stay small. */
static bool find_user(const char *name, uid_t *uid, gid_t *gid)
{
	_cleanup_(fclose_p) FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;

	while (f && (p = fgetpwent(f))) {
		if (strcmp(p->pw_name, name) == 0 && p->pw_uid != 0) {
			*uid = p->pw_uid;
			*gid = p->pw_gid;
			return true;
		}
	}
	return false;
}

int privileges_drop(int folder_fd, struct err *e)
{
	uid_t uid = NOBODY;
	gid_t gid = NOBODY;

	if (fchdir(folder_fd) < 0)
		return err_sys(e, "the folder of RRD files (descriptor %d)", folder_fd);
	(void)close(folder_fd);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "prctl(PR_SET_NO_NEW_PRIVS)");
	if (geteuid() == 0) {
		if (!find_user("agent", &uid, &gid))
			(void)find_user("nobody", &uid, &gid);
		if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
			return err_sys(e, "becoming user %u", (unsigned)uid);
	}
	/* A change of user clears it, so it comes last; the daemon may be gone already. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		return err_sys(e, "prctl(PR_SET_PDEATHSIG)");
	return 0;
}
