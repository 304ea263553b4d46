/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent worker mail`: the process that sends one mail, started by the agent itself.
 */
#include "agent/cmd.h"
#include "base/mail_worker.h"

int cmd_worker_mail(const struct command_call *c)
{
	(void)c;
	return mail_worker_main() == 0 ? COMMAND_DONE : COMMAND_FAILED;
}
