/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/hook.h"

#include <string.h>

enum { SECOND = 1000 };

const struct hook_stage hook_stages[] = {
	{"fetch", HOOK_DRIVER, DEPLOY_FETCHING, 300 * SECOND, true, "commit author subject",
		"Brings the exact commit into DEPLOY_WORKDIR."},
	{"filter", HOOK_GATE, DEPLOY_FETCHING, 10 * SECOND, false, "",
		"Whether what was fetched is to be deployed; 77 ends it as skipped."},
	{"pre-build", HOOK_GATE, DEPLOY_BUILDING, 60 * SECOND, true, "", "Before the build."},
	{"build", HOOK_DRIVER, DEPLOY_BUILDING, 1800 * SECOND, true, "image digest",
		"Makes of the source what can be started."},
	{"push", HOOK_DRIVER, DEPLOY_PUSHING, 600 * SECOND, true, "image digest",
		"Stores the image in a registry."},
	{"release", HOOK_DRIVER, DEPLOY_RELEASING, 600 * SECOND, false, "",
		"Once for a version, such as a migration of its database; a return does not undo "
		"it."},
	{"pre-start", HOOK_GATE, DEPLOY_RELEASING, 60 * SECOND, false, "",
		"Before the new version starts, and before the old one stops where both cannot run "
		"at once."},
	{"start", HOOK_DRIVER, DEPLOY_STARTING, 60 * SECOND, false,
		"image digest container address downtime_ms",
		"Starts the new version; revert stops it; status says which version runs."},
	{"probe", HOOK_DRIVER, DEPLOY_PROBING, 60 * SECOND, false, "",
		"Whether the new version is healthy."},
	{"pre-route", HOOK_GATE, DEPLOY_PROBING, 60 * SECOND, false, "",
		"Before the new version gets requests."},
	{"route", HOOK_DRIVER, DEPLOY_ROUTING, 30 * SECOND, false, "downtime_ms",
		"Gives the requests to the new version; revert gives them back to the old one; "
		"status says who gets them."},
	{"stop", HOOK_DRIVER, DEPLOY_DRAINING, 60 * SECOND, false, "downtime_ms",
		"Stops the old version, which stays for a return in seconds; revert lets it run "
		"again."},
	{"retire", HOOK_DRIVER, DEPLOY_DRAINING, 60 * SECOND, false, "",
		"Removes versions that are older than the ones kept."},
	{"post-deploy", HOOK_OBSERVER, DEPLOY_DONE, 30 * SECOND, false, "", "It is done."},
	{"on-failure", HOOK_OBSERVER, DEPLOY_FAILED, 30 * SECOND, false, "",
		"It failed; the old version was never touched, or neither serves."},
	{"on-rollback", HOOK_OBSERVER, DEPLOY_ROLLED_BACK, 30 * SECOND, false, "",
		"The old version serves again."},
	{.name = NULL},
};

const struct hook_stage *hook_stage_find(const char *name)
{
	for (const struct hook_stage *s = hook_stages; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}
