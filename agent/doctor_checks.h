/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks that doctor.c lists: those of the machine (doctor_system.c), those of the agent's own
 * things (doctor_agent.c), the channels (doctor_channels.c) and the backups (doctor_backups.c).
 */
#ifndef AGENT_DOCTOR_CHECKS_H
#define AGENT_DOCTOR_CHECKS_H

#include "agent/doctor.h"

void doctor_backups(const struct doctor_context *c, struct doctor_finding *f);
void doctor_cgroup(const struct doctor_context *c, struct doctor_finding *f);
void doctor_channels(const struct doctor_context *c, struct doctor_finding *f);
void doctor_clock(const struct doctor_context *c, struct doctor_finding *f);
void doctor_config(const struct doctor_context *c, struct doctor_finding *f);
void doctor_engines(const struct doctor_context *c, struct doctor_finding *f);
void doctor_libraries(const struct doctor_context *c, struct doctor_finding *f);
void doctor_port(const struct doctor_context *c, struct doctor_finding *f);
void doctor_pressure(const struct doctor_context *c, struct doctor_finding *f);
void doctor_problems(const struct doctor_context *c, struct doctor_finding *f);
void doctor_rrd(const struct doctor_context *c, struct doctor_finding *f);
void doctor_space(const struct doctor_context *c, struct doctor_finding *f);
void doctor_state_folder(const struct doctor_context *c, struct doctor_finding *f);
void doctor_user(const struct doctor_context *c, struct doctor_finding *f);

#endif
