/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers of the commands, one file each (cmd_*.c), and what they share: how errors and data
 * are printed.
 */
#ifndef AGENT_CMD_H
#define AGENT_CMD_H

#include <jansson.h>

#include "agent/client.h"
#include "agent/command.h"
#include "base/buf.h"
#include "base/err.h"

int cmd_completion(const struct command_call *c);
int cmd_config_check(const struct command_call *c);
int cmd_config_man(const struct command_call *c);
int cmd_config_reload(const struct command_call *c);
int cmd_config_sample(const struct command_call *c);
int cmd_config_show(const struct command_call *c);
int cmd_doctor(const struct command_call *c);
int cmd_run(const struct command_call *c);
int cmd_status(const struct command_call *c);
int cmd_token_rotate(const struct command_call *c);
int cmd_token_show(const struct command_call *c);
int cmd_top(const struct command_call *c);
int cmd_version(const struct command_call *c);
int cmd_web(const struct command_call *c);
int cmd_worker_chart(const struct command_call *c);

/* "agent: MESSAGE" on stderr. Returns the exit code that belongs to the result of a client call. */
int cmd_fail(int r, const struct err *e);
/* One request to the running agent. `request` is taken over. 0 and *reply (json_decref() it), or
 * the exit code after the reason was printed. */
int cmd_ask(const struct command_call *c, json_t *request, json_t **reply);
/* Prints to stdout; COMMAND_DONE, or COMMAND_FAILED when it cannot be written. */
int cmd_print(const struct buf *b);
int cmd_print_json(const json_t *j);

#endif
