/* SPDX-License-Identifier: Apache-2.0
 *
 * One field of a form (application/x-www-form-urlencoded, WHATWG URL 5.1) out of bytes that come in pieces, decoded as they
 * come: the form may be 25 MB. A field that is there twice is refused, for nobody can say which one others would take.
 */
#ifndef DEPLOY_HOOKS_FORM_FIELD_H
#define DEPLOY_HOOKS_FORM_FIELD_H

#include <stdbool.h>
#include <stddef.h>

struct form_field;

typedef void (*form_field_fn)(void *user, const void *data, size_t n);

/* Names of up to 31 bytes. Aborts without memory. */
struct form_field *form_field_new(const char *name);
/* Calls fn with what there is of the value. -EBADMSG: a percent sign without two digits, the field twice, a name that
 * is itself encoded and so may be this one. */
int form_field_add(struct form_field *f, const void *data, size_t n, form_field_fn fn, void *user);
/* At the end of the form: the field was there, and whole. */
bool form_field_is_there(const struct form_field *f);
void form_field_free(struct form_field *f); /* NULL is fine */

#endif
