/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations' handlers that have a file of their own (ops_*.c); operations.c has the table.
 */
#ifndef AGENT_OPS_H
#define AGENT_OPS_H

#include "agent/operation.h"

int op_alerts_ack(const struct control_call *c, struct err *e);
int op_alerts_list(const struct control_call *c, struct err *e);
int op_alerts_rules(const struct control_call *c, struct err *e);
int op_alerts_silence(const struct control_call *c, struct err *e);
int op_alerts_silences(const struct control_call *c, struct err *e);
int op_alerts_unsilence(const struct control_call *c, struct err *e);
int op_backup_cancel(const struct control_call *c, struct err *e);
int op_backup_jobs(const struct control_call *c, struct err *e);
int op_backup_list(const struct control_call *c, struct err *e);
int op_backup_report(const struct control_call *c, struct err *e);
int op_backup_run(const struct control_call *c, struct err *e);
int op_backup_runs(const struct control_call *c, struct err *e);
int op_backup_start(const struct control_call *c, struct err *e);
int op_backup_subscribe(const struct control_call *c, struct err *e);
int op_backup_unsubscribe(const struct control_call *c, struct err *e);
int op_chart_render(const struct control_call *c, struct err *e);
int op_deploy_apps(const struct control_call *c, struct err *e);
int op_deploy_cancel(const struct control_call *c, struct err *e);
int op_deploy_check(const struct control_call *c, struct err *e);
int op_deploy_deliver(const struct control_call *c, struct err *e);
int op_deploy_env(const struct control_call *c, struct err *e);
int op_deploy_get(const struct control_call *c, struct err *e);
int op_deploy_list(const struct control_call *c, struct err *e);
int op_deploy_log(const struct control_call *c, struct err *e);
int op_deploy_refused(const struct control_call *c, struct err *e);
int op_deploy_rollback(const struct control_call *c, struct err *e);
int op_deploy_start(const struct control_call *c, struct err *e);
int op_deploy_subscribe(const struct control_call *c, struct err *e);
int op_deploy_target(const struct control_call *c, struct err *e);
int op_deploy_turned_away(const struct control_call *c, struct err *e);
int op_deploy_unsubscribe(const struct control_call *c, struct err *e);
int op_events_list(const struct control_call *c, struct err *e);
int op_notify_channels(const struct control_call *c, struct err *e);
int op_notify_log(const struct control_call *c, struct err *e);
int op_notify_send(const struct control_call *c, struct err *e);
int op_notify_test(const struct control_call *c, struct err *e);

#endif
