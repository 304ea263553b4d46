/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers of the commands, one file each (cmd_*.c), and what they share: how errors and data
 * are printed.
 */
#ifndef AGENT_CMD_H
#define AGENT_CMD_H

#include <jansson.h>
#include <stdint.h>

#include "agent/client.h"
#include "agent/command.h"
#include "base/buf.h"
#include "base/err.h"

int cmd_alerts(const struct command_call *c);
int cmd_alerts_ack(const struct command_call *c);
int cmd_alerts_history(const struct command_call *c);
int cmd_alerts_rules(const struct command_call *c);
int cmd_alerts_silence(const struct command_call *c);
int cmd_alerts_silences(const struct command_call *c);
int cmd_alerts_test(const struct command_call *c);
int cmd_alerts_unsilence(const struct command_call *c);
int cmd_backup(const struct command_call *c);
int cmd_backup_doctor(const struct command_call *c);
int cmd_backup_drill(const struct command_call *c);
int cmd_backup_key(const struct command_call *c);
int cmd_backup_list(const struct command_call *c);
int cmd_backup_now(const struct command_call *c);
int cmd_backup_prune(const struct command_call *c);
int cmd_backup_restore(const struct command_call *c);
int cmd_backup_show(const struct command_call *c);
int cmd_backup_verify(const struct command_call *c);
int cmd_completion(const struct command_call *c);
int cmd_config_check(const struct command_call *c);
int cmd_config_man(const struct command_call *c);
int cmd_config_reload(const struct command_call *c);
int cmd_config_sample(const struct command_call *c);
int cmd_config_show(const struct command_call *c);
int cmd_deploy(const struct command_call *c);
int cmd_deploy_cancel(const struct command_call *c);
int cmd_deploy_check(const struct command_call *c);
int cmd_deploy_env(const struct command_call *c);
int cmd_deploy_follow(const struct command_call *c);
int cmd_deploy_image(const struct command_call *c);
int cmd_deploy_list(const struct command_call *c);
int cmd_deploy_log(const struct command_call *c);
int cmd_deploy_now(const struct command_call *c);
int cmd_deploy_refused(const struct command_call *c);
int cmd_deploy_repo(const struct command_call *c);
int cmd_deploy_rollback(const struct command_call *c);
int cmd_deploy_show(const struct command_call *c);
int cmd_doctor(const struct command_call *c);
int cmd_notify_channels(const struct command_call *c);
int cmd_notify_log(const struct command_call *c);
int cmd_notify_send(const struct command_call *c);
int cmd_notify_test(const struct command_call *c);
int cmd_run(const struct command_call *c);
int cmd_status(const struct command_call *c);
int cmd_token_rotate(const struct command_call *c);
int cmd_token_show(const struct command_call *c);
int cmd_top(const struct command_call *c);
int cmd_version(const struct command_call *c);
int cmd_web(const struct command_call *c);
int cmd_worker_backup(const struct command_call *c);
int cmd_worker_chart(const struct command_call *c);
int cmd_worker_mail(const struct command_call *c);

/* "agent: MESSAGE" on stderr. Returns the exit code that belongs to the result of a client call. */
int cmd_fail(int r, const struct err *e);
/* One request to the running agent. `request` is taken over. 0 and *reply (json_decref() it), or
 * the exit code after the reason was printed. */
int cmd_ask(const struct command_call *c, json_t *request, json_t **reply);
/* A text from the command line for a request; bytes that are no UTF-8 are replaced. */
json_t *cmd_text(const char *s);
/* Puts an option's text into the request, when it was given. */
void cmd_set_text(
	const struct command_call *c, enum command_flag flag, json_t *request, const char *name);
/* The same for --limit. 0, or COMMAND_USAGE after the reason was printed. */
int cmd_set_limit(const struct command_call *c, json_t *request);
/* "agent: MESSAGE" and how to get help, on stderr. Returns COMMAND_USAGE. */
int cmd_usage(const struct command_call *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints the answer for programs: without the members of the protocol. */
int cmd_print_reply(json_t *reply);
/* Prints to stdout; COMMAND_DONE, or COMMAND_FAILED when it cannot be written. */
int cmd_print(const struct buf *b);
int cmd_print_json(const json_t *j);

/* The table of `agent alerts`, which `agent status` shows too, and a row of it. */
struct columns;
struct columns *cmd_alerts_table(void);
void cmd_alerts_row(struct columns *table, const json_t *alert, int64_t now_ms);
/* The same of `agent backup`, and whether a job needs somebody. */
struct columns *cmd_backup_table(void);
void cmd_backup_row(struct columns *table, const json_t *job);
bool cmd_backup_is_bad(const json_t *job);
/* The table of `agent deploy list`, and a row of it. */
struct columns *cmd_deploy_table(void);
void cmd_deploy_row(struct columns *table, const json_t *deploy);
/* The same of `agent deploy`, and whether an app is being deployed, or was not as it should be. */
struct columns *cmd_deploy_app_table(void);
void cmd_deploy_app_row(struct columns *table, const json_t *app);
bool cmd_deploy_app_is_news(const json_t *app);
/* `agent deploy now --dry-run`. */
int cmd_deploy_plan(const struct command_call *c);

#endif
