/* SPDX-License-Identifier: Apache-2.0
 *
 * One program: the daemon, the web process and the command line.
 */
#include "agent/command.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
