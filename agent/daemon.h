/* SPDX-License-Identifier: Apache-2.0
 *
 * The long-lived process behind `agent run`: builds the parts, runs the loop, tears down in
 * reverse.
 */
#ifndef AGENT_DAEMON_H
#define AGENT_DAEMON_H

struct run_options {
	const char *config_path; /* NULL: the default places */
	const char *state_dir; /* never NULL */
	const char *listen; /* NULL: from the configuration */
};

/* Runs until SIGTERM or SIGINT. Returns an exit code: 0, or 1 after the reason was logged. */
int daemon_run(const struct run_options *o);

#endif
