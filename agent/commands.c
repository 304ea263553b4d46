/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands and of their options.
 */
#include <stddef.h>

#include "agent/cmd.h"
#include "agent/command.h"

const struct flag command_flags[FLAGS] = {
	[FLAG_AT] = {"--at", "TIME|ID",
		"the newest made by then (2026-11-21, \"2026-11-21 03:00\", 3d), or "
		"that id"},
	[FLAG_CHANNEL] = {"--channel", "NAME", "only what goes to this channel"},
	[FLAG_COMMIT] = {"--commit", "SHA", "this commit of it, all digits; default the newest"},
	[FLAG_CONFIG] = {"--config", "FILE",
		"configuration file, or folder with agent.conf and conf.d (default /etc/agent)"},
	[FLAG_DETACH] = {"--detach", NULL, "do not wait for the end"},
	[FLAG_DRY_RUN] = {"--dry-run", NULL, "only show what would be done"},
	[FLAG_END] = {"--end", NULL, "the story that --key names has come to a good end"},
	[FLAG_ENTITY] = {"--entity", "PATTERN",
		"only these, by name or CLASS/NAME; * and ? are wildcards"},
	[FLAG_FOLLOW] = {"--follow", NULL, "show it live to its end"},
	[FLAG_FOR] = {"--for", "TIME", "how long: 30m, 2h, 7d"},
	[FLAG_ID] = {"--id", "ID",
		"the backup, as agent backup list shows it; its beginning will do"},
	[FLAG_IDENTITY] = {"--identity", "FILE",
		"private key that opens the backup, instead of the configured one"},
	[FLAG_INTO] = {"--into", "TARGET", "restore into another database, file or folder"},
	[FLAG_JSON] = {"--json", NULL, "print JSON, for programs"},
	[FLAG_KEY] = {"--key", "TEXT", "messages with the same key are one story, told in order"},
	[FLAG_LIMIT] = {"--limit", "N", "so many at most, the newest (default 50)"},
	[FLAG_LISTEN] = {"--listen", "ADDR:PORT",
		"address of the dashboard, instead of the configured one"},
	[FLAG_MEMBER] = {"--member", "NAME", "only this database of the backup"},
	[FLAG_REASON] = {"--reason", "TEXT", "why, for others to read"},
	[FLAG_REF] = {"--ref", "REF",
		"branch, or refs/tags/NAME; default the branch in the configuration"},
	[FLAG_RULE] = {"--rule", "PATTERN", "only these rules; * and ? are wildcards"},
	[FLAG_SEVERITY] = {"--severity", "LEVEL", "info (default), warning or critical"},
	[FLAG_SINCE] = {"--since", "TIME", "how far back: 6h, 2d (default), 4w"},
	[FLAG_STATE] = {"--state", "DIR",
		"state folder of the agent (default /var/lib/agent, or $AGENT_STATE)"},
	[FLAG_STORE] = {"--store", "NAME", "only this store"},
	[FLAG_TO] = {"--to", "FILE|ID",
		"write the dump into a file, or - (stdout); or the deploy to go back to"},
	[FLAG_TRIGGER] = {"--trigger", "WORD", "what asked for it: command (default) or push"},
	[FLAG_VIEWER] = {"--viewer", NULL, "the token that may look but not act"},
	[FLAG_YES] = {"--yes", NULL, "do not ask before something is overwritten"},
};

enum { CLIENT = TAKES(FLAG_STATE), DATA = CLIENT | TAKES(FLAG_JSON) };

const struct command commands[] = {
	{"alerts", NULL, 0, DATA, "list what is firing now",
		"Those that only wait for their time to pass are shown as pending: nobody was told "
		"of them.",
		cmd_alerts, false},
	{"alerts ack", "ALERT|RULE [ENTITY]", 2, DATA | TAKES(FLAG_REASON),
		"acknowledge alerts: no reminders until they are over or get worse",
		"ALERT is the number that \"agent alerts\" shows; RULE and ENTITY may have "
		"wildcards.",
		cmd_alerts_ack, false},
	{"alerts history", NULL, 0, DATA | TAKES(FLAG_ENTITY) | TAKES(FLAG_LIMIT),
		"list what happened, the newest first, and which channels were told",
		"Here --entity is one CLASS/NAME, without wildcards.", cmd_alerts_history, false},
	{"alerts rules", NULL, 0, DATA, "list all rules with their limits and their state",
		"Built-in ones and those of the configuration.", cmd_alerts_rules, false},
	{"alerts silence", NULL, 0,
		DATA | TAKES(FLAG_ENTITY) | TAKES(FLAG_FOR) | TAKES(FLAG_REASON) | TAKES(FLAG_RULE),
		"tell nobody about some alerts for a while",
		"At least one of --rule and --entity, and --for. What still fires at the end is "
		"told "
		"then.",
		cmd_alerts_silence, false},
	{"alerts silences", NULL, 0, DATA, "list silences and maintenance windows", NULL,
		cmd_alerts_silences, false},
	{"alerts test", "RULE", 1, DATA | TAKES(FLAG_CONFIG) | TAKES(FLAG_SINCE),
		"replay the stored history: when a rule would have told what",
		"RULE may have wildcards, and may be switched off. Uses the configuration files as "
		"they are now,\n"
		"so a limit can be tried before the agent gets it. Works without a running agent; "
		"then labels\n"
		"are not known. A container that lived for less than a minute left no history.",
		cmd_alerts_test, false},
	{"alerts unsilence", "ID", 1, DATA, "end a silence",
		"ID is the number that \"agent alerts silences\" shows.", cmd_alerts_unsilence,
		false},
	{"backup", NULL, 0, DATA,
		"list the backup jobs: when each was last good, when it runs next", NULL,
		cmd_backup, false},
	{"backup doctor", "[JOB]", 1, DATA | TAKES(FLAG_CONFIG),
		"check what backups need: stores, tools, passwords, keys",
		"Of all stores, or of one job. Done by this command with the configuration files. "
		"Exit code 1 when a\n"
		"check failed.",
		cmd_backup_doctor, false},
	{"backup drill", "JOB [ID]", 2, DATA | TAKES(FLAG_DETACH) | TAKES(FLAG_STORE),
		"restore a backup into a throw-away server and compare it",
		"The newest one unless ID is given. Nothing of what runs is touched.",
		cmd_backup_drill, false},
	{"backup key", NULL, 0, TAKES(FLAG_JSON), "make a pair of keys for encrypted backups",
		"Prints both halves, where to keep them and what to write into the configuration.",
		cmd_backup_key, false},
	{"backup list", "[JOB]", 1, DATA | TAKES(FLAG_CONFIG) | TAKES(FLAG_STORE),
		"list the backups in the stores, the newest first",
		"Asks the running agent; without one, or with --config, looks into the stores "
		"itself.",
		cmd_backup_list, false},
	{"backup now", "[JOB...]", COMMAND_ARGS_MAX, DATA | TAKES(FLAG_DETACH),
		"make backups now, and wait for their end",
		"Of all jobs unless some are named. Ctrl-C ends them cleanly: nothing is left in "
		"the store.\n"
		"Exit code 0 when all are good.",
		cmd_backup_now, false},
	{"backup prune", "JOB", 1,
		DATA | TAKES(FLAG_DETACH) | TAKES(FLAG_DRY_RUN) | TAKES(FLAG_STORE),
		"remove backups that the keep options do not keep", NULL, cmd_backup_prune, false},
	{"backup restore", "JOB", 1,
		DATA | TAKES(FLAG_AT) | TAKES(FLAG_CONFIG) | TAKES(FLAG_ID) | TAKES(FLAG_IDENTITY) |
			TAKES(FLAG_INTO) | TAKES(FLAG_MEMBER) | TAKES(FLAG_STORE) | TAKES(FLAG_TO) |
			TAKES(FLAG_YES),
		"restore a backup",
		"The newest good one unless --id or --at says which. All of it is read and checked "
		"before anything is\n"
		"touched. Asks before it overwrites something. Works without a running agent, from "
		"the configuration\n"
		"files and the credentials alone.",
		cmd_backup_restore, false},
	{"backup show", "JOB [ID]", 2, DATA | TAKES(FLAG_LIMIT),
		"show a job with its last runs, or one backup with what is in it",
		"ID is that of a backup, or the number of a run.", cmd_backup_show, false},
	{"backup verify", "JOB [ID]", 2, DATA | TAKES(FLAG_DETACH) | TAKES(FLAG_STORE),
		"read a backup back and check all of it", "The newest one unless ID is given.",
		cmd_backup_verify, false},
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
	{"deploy", NULL, 0, DATA, "list the apps: what serves, what is being deployed", NULL,
		cmd_deploy, false},
	{"deploy cancel", "ID|APP", 1, DATA, "end a deploy that waits or is under way",
		"Waits until all its processes have ended and the version before serves, if it had "
		"stopped.",
		cmd_deploy_cancel, false},
	{"deploy check", "APP", 1, DATA,
		"show which file serves each stage of an app, and what is wrong",
		"Exit code 1 when a deploy would fail.", cmd_deploy_check, false},
	{"deploy env", "APP set NAME=VALUE...|unset NAME...|list", COMMAND_ARGS_MAX, DATA,
		"keep the secrets of an app: variables that nobody sees again",
		"set NAME reads the value from stdin, or from the terminal without showing it. "
		"list shows the names.\n"
		"The app gets them with its next deploy.",
		cmd_deploy_env, false},
	{"deploy follow", "ID|APP", 1, DATA, "show a deploy live to its end, from its beginning",
		"Exit code 0 when it is done, 20 failed, 21 rolled back, 22 cancelled or "
		"superseded, 23 broken.\n"
		"Ctrl-C ends the watching, not the deploy.",
		cmd_deploy_follow, false},
	{"deploy image", "APP IMAGE", 2, DATA | TAKES(FLAG_FOLLOW),
		"deploy an image that was built elsewhere", "Exit codes as of deploy follow.",
		cmd_deploy_image, false},
	{"deploy list", "[APP]", 1, DATA | TAKES(FLAG_LIMIT), "list the deploys, the newest first",
		NULL, cmd_deploy_list, false},
	{"deploy log", "ID|APP", 1, DATA | TAKES(FLAG_FOLLOW),
		"print what the hooks of a deploy printed", NULL, cmd_deploy_log, false},
	{"deploy now", "APP", 1,
		DATA | TAKES(FLAG_COMMIT) | TAKES(FLAG_DRY_RUN) | TAKES(FLAG_FOLLOW) |
			TAKES(FLAG_REF) | TAKES(FLAG_TRIGGER),
		"deploy an app from its source",
		"One that waits already is superseded by it. Exit codes as of deploy follow.",
		cmd_deploy_now, false},
	{"deploy refused", NULL, 0, DATA | TAKES(FLAG_LIMIT),
		"list deliveries of webhooks that were not taken, and why",
		"The newest first; the same one again within the hour is counted.",
		cmd_deploy_refused, false},
	{"deploy repo", "APP", 1, DATA, "make a repository to push an app to",
		"Only for an app without the option source. Can be run again: what was pushed "
		"stays.\n"
		"Prints the remote; the push shows the deploy, and fails when it fails.",
		cmd_deploy_repo, false},
	{"deploy rollback", "APP", 1, DATA | TAKES(FLAG_FOLLOW) | TAKES(FLAG_TO),
		"put the version before back, without a build",
		"Or that of the deploy --to. Exit codes as of deploy follow.", cmd_deploy_rollback,
		false},
	{"deploy show", "ID|APP", 1, DATA | TAKES(FLAG_LIMIT),
		"show a deploy with its stages, or an app with its last deploys", NULL,
		cmd_deploy_show, false},
	{"doctor", NULL, 0, DATA | TAKES(FLAG_CONFIG),
		"check everything the agent needs, and say how to mend each fault",
		"Done by the running agent, or without one by this command (then with --config).\n"
		"Exit code 1 when a check failed.",
		cmd_doctor, false},
	{"notify channels", NULL, 0, DATA, "list the channels and how they are doing", NULL,
		cmd_notify_channels, false},
	{"notify log", NULL, 0, DATA | TAKES(FLAG_CHANNEL) | TAKES(FLAG_LIMIT),
		"list what was sent where, the newest first, with errors", NULL, cmd_notify_log,
		false},
	{"notify send", "TITLE [TEXT]", 2,
		DATA | TAKES(FLAG_END) | TAKES(FLAG_KEY) | TAKES(FLAG_SEVERITY),
		"send a message of your own to the channels",
		"TEXT may be \"-\": it is read from stdin. Done when the message is stored; it is "
		"sent "
		"for 24 hours\n"
		"if need be.",
		cmd_notify_send, false},
	{"notify test", "CHANNEL", 1, DATA,
		"send a test message and print the provider's own answer",
		"Waits for it for up to 75 s. Exit code 1 when it was not sent.", cmd_notify_test,
		false},
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
	{"worker backup", NULL, 0, 0, "work on one backup; started by the agent itself", NULL,
		cmd_worker_backup, true},
	{"worker chart", NULL, 0, 0, "draw one picture; started by the agent itself", NULL,
		cmd_worker_chart, true},
	{"worker mail", NULL, 0, 0, "send one mail; started by the agent itself", NULL,
		cmd_worker_mail, true},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, false},
};
