/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent version`.
 */
#include <stdio.h>

#include "agent/cmd.h"
#include "agent/libraries.h"

int cmd_version(const struct command_call *c)
{
	json_t *all;
	int r;

	if (!c->flags[FLAG_JSON]) {
		printf("agent %s\n", AGENT_VERSION);
		for (const struct library *l = libraries; l->name; l++)
			printf("  %-14s %s\n", l->name, l->version());
		return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
	}
	all = json_object();
	for (const struct library *l = libraries; l->name; l++)
		(void)json_object_set_new(all, l->name, json_string(l->version()));
	all = json_pack("{s:s, s:o}", "version", AGENT_VERSION, "libraries", all);
	r = cmd_print_json(all);
	json_decref(all);
	return r;
}
