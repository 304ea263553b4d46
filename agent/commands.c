/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands and of their options.
 */
#include <stddef.h>

#include "agent/cmd.h"
#include "agent/command.h"

const struct flag command_flags[FLAGS] = {
	[FLAG_CONFIG] = {"--config", "FILE",
		"configuration file, or folder with agent.conf and conf.d (default /etc/agent)"},
	[FLAG_JSON] = {"--json", NULL, "print JSON, for programs"},
	[FLAG_LISTEN] = {"--listen", "ADDR:PORT",
		"address of the dashboard, instead of the configured one"},
	[FLAG_STATE] = {"--state", "DIR",
		"state folder of the agent (default /var/lib/agent, or $AGENT_STATE)"},
	[FLAG_VIEWER] = {"--viewer", NULL, "the token that may look but not act"},
};

enum { CLIENT = TAKES(FLAG_STATE), DATA = CLIENT | TAKES(FLAG_JSON) };

const struct command commands[] = {
	{"completion", NULL, 0, 0, "print the completion script for bash", NULL, cmd_completion,
		true},
	{"config check", NULL, 0, TAKES(FLAG_CONFIG) | TAKES(FLAG_JSON),
		"report every mistake in the configuration files",
		"Exit code 0 when there is none. Works without a running agent.", cmd_config_check,
		false},
	{"config man", NULL, 0, 0, "print the options as mdoc, for agent.conf(5)", NULL,
		cmd_config_man, true},
	{"config reload", NULL, 0, DATA, "make the running agent read its configuration again",
		"It is taken whole or, when it has a mistake, not at all.", cmd_config_reload,
		false},
	{"config sample", NULL, 0, 0, "print a commented sample file with all options", NULL,
		cmd_config_sample, false},
	{"config show", NULL, 0, DATA | TAKES(FLAG_CONFIG),
		"list the effective value of every option and where it comes from",
		"Asks the running agent; without one, or with --config, reads the files.",
		cmd_config_show, false},
	{"doctor", NULL, 0, DATA | TAKES(FLAG_CONFIG),
		"check everything the agent needs, and say how to mend each fault",
		"Done by the running agent, or without one by this command (then with --config).\n"
		"Exit code 1 when a check failed.",
		cmd_doctor, false},
	{"run", NULL, 0, TAKES(FLAG_CONFIG) | TAKES(FLAG_LISTEN) | TAKES(FLAG_STATE),
		"run the agent in the foreground",
		"Prints one line with the link to the dashboard. SIGTERM ends it, SIGHUP makes it "
		"read\n"
		"its configuration again.",
		cmd_run, false},
	{"status", NULL, 0, DATA,
		"show this server, its containers and what is wrong, on one screen", NULL,
		cmd_status, false},
	{"token rotate", NULL, 0, DATA | TAKES(FLAG_VIEWER),
		"make a new token; the old one and its sessions end", NULL, cmd_token_rotate,
		false},
	{"token show", NULL, 0, DATA | TAKES(FLAG_VIEWER),
		"print the token for the dashboard and the API",
		"The admin token, unless --viewer is given.", cmd_token_show, false},
	{"top", NULL, 0, DATA, "watch the containers live in the terminal",
		"Keys: q quit; c m n d a sort by CPU, memory, network, disk, name; arrows, Page Up "
		"and Page Down\n"
		"select; Tab switches between containers and services; p pauses. With --json: one "
		"line a sample.",
		cmd_top, false},
	{"version", NULL, 0, TAKES(FLAG_JSON),
		"print the version of the agent and of its libraries", NULL, cmd_version, false},
	{"web", NULL, 0, 0, "the web process; started by the agent itself", NULL, cmd_web, true},
	{"worker chart", NULL, 0, 0, "draw one picture; started by the agent itself", NULL,
		cmd_worker_chart, true},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, false},
};
