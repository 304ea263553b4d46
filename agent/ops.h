/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations' handlers that have a file of their own (ops_*.c); operations.c has the table.
 */
#ifndef AGENT_OPS_H
#define AGENT_OPS_H

#include "agent/operation.h"

int op_chart_render(const struct control_call *c, struct err *e);

#endif
