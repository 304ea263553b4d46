/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of texts that grows, ended by NULL: the arguments of a program, or its environment. Owns what it
 * holds. Running out of memory aborts.
 */
#ifndef BACKUP_ARGS_H
#define BACKUP_ARGS_H

#include <stddef.h>

struct job_list;

struct args {
	char **v; /* NULL until the first */
	size_t n;
};

void args_add(struct args *a, const char *text);
void args_addf(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void args_add_all(struct args *a, const char *const *texts); /* NULL-terminated */
void args_add_list(struct args *a, const struct job_list *l);
/* As place_command takes it: never NULL, valid until the next change. */
const char *const *args_list(const struct args *a);
void args_done(struct args *a);

/* Six random hex digits, for names of throw-away things. */
void args_random_hex(char to[7]);

#endif
