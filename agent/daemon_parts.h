/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the running daemon, for the files of agent/ that join them. Built in this order by
 * daemon.c and torn down in reverse.
 */
#ifndef AGENT_DAEMON_PARTS_H
#define AGENT_DAEMON_PARTS_H

#include "agent/charts.h"
#include "agent/config.h"
#include "agent/control.h"
#include "agent/host_info.h"
#include "agent/operation.h"
#include "agent/sampling.h"
#include "agent/state_dir.h"
#include "agent/tokens.h"
#include "agent/update_check.h"
#include "agent/web_child.h"
#include "base/db.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "collectors/catalogue.h"
#include "collectors/entity.h"
#include "collectors/rrd_layout.h"

struct alerting;
struct backup_daemon;
struct deliveries;
struct deploy_daemon;

struct daemon {
	const char *config_path; /* NULL: the default places */
	const char *listen; /* NULL: from the configuration */
	struct config *config;
	struct collect_options collect_options;
	struct known_updates updates;
	struct rrd_layout layout;
	struct host_info host;
	struct loop *loop;
	struct problems *problems;
	struct registry *registry;
	struct state_dir state;
	struct tokens tokens;
	struct db *db;
	struct catalogue *catalogue;
	char *rrd_path;
	int rrd_fd;
	struct charts *charts;
	struct http_client *http;
	struct sampling sampling;
	struct alerting *alerting;
	struct backup_daemon *backups;
	struct deploy_daemon *deploys;
	struct deliveries *deliveries;
	int listen_fd;
	struct control *control;
	struct web_child *web;
	struct update_check *update_check;
	struct loop_timer *daily;
	struct loop_timer *watchdog;
	struct loop_timer *trim;
};

#endif
