/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives memory back that only the start needed. A program that links many libraries has touched
 * most of their pages once, for relocations and constructors; they stay counted as its own until
 * memory is short. A daemon that runs for months is better off without them.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/* Once, first thing in a long-lived process: one arena, large blocks returned to the system when
 * freed. */
void memory_setup(void);

/* Returns free heap to the system and drops the mapped pages of program code and constants
 * (clean pages of files; the next use of one maps it again from the page cache). Costs a
 * millisecond or two; after the start and after rare heavy work. */
void memory_trim(void);

#endif
