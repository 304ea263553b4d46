/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits for the administrator: a reboot, and updates. Only files the system already keeps are
 * read, and rarely: /run/reboot-required (Debian, Ubuntu), the kernels in /boot, Ubuntu's
 * /var/lib/update-notifier/updates-available.
 */
#ifndef COLLECTORS_UPDATES_H
#define COLLECTORS_UPDATES_H

#include <stdbool.h>

/* True when kernel release `installed` is newer than `running` and of the same flavour:
 * "6.1.0-21-amd64" replaces "6.1.0-18-amd64" but not "6.1.0-18-cloud-amd64". */
bool kernel_replaces(const char *installed, const char *running);

/* Ubuntu's text: "12 updates can be applied immediately." and "5 of these updates are standard
 * security updates.", or as before 20.04 "12 packages can be updated." and "5 updates are
 * security updates.". False when it has no such sentence (another language). */
bool updates_parse_notice(const char *text, unsigned *all, unsigned *security);

/* What `apt-get -s dist-upgrade` would do: "Inst libc6 [2.36-9] (2.36-10 Debian:12.5/stable,
 * Debian-Security:12/stable-security [amd64])". Counts packages that would be updated, not those
 * that would be new; security: one of the archives in the brackets is a security archive. For
 * whoever runs that program; the collector does not. */
void updates_parse_apt_simulation(const char *text, unsigned *all, unsigned *security);

#endif
