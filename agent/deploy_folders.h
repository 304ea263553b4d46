/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the hooks are that ship with the agent: PREFIX/lib/agent/hooks beside PREFIX/bin/agent, or deploy-hooks/hooks of the
 * source tree the program was built in.
 */
#ifndef AGENT_DEPLOY_FOLDERS_H
#define AGENT_DEPLOY_FOLDERS_H

/* The folder with STAGE/NAME and lib/; absolute, the caller's. When there is none, where it would be if it were installed:
 * whoever looks for a hook then says that it is missing there. */
char *deploy_shipped_hooks(void);
/* The same for a program of this path. */
char *deploy_shipped_hooks_of(const char *program);
/* The absolute path of the program that runs; the caller's. NULL: not known. */
char *deploy_own_program(void);

#endif
