/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent run` and `agent web`: the long-lived processes.
 */
#include "agent/cmd.h"
#include "agent/daemon.h"
#include "agent/web/web.h"
#include "base/cleanup.h"

int cmd_run(const struct command_call *c)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	const struct run_options o = {
		.config_path = c->flags[FLAG_CONFIG],
		.state_dir = state,
		.listen = c->flags[FLAG_LISTEN],
	};

	return daemon_run(&o);
}

int cmd_web(const struct command_call *c)
{
	(void)c;
	return web_main();
}
