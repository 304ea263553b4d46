/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to what deploys work with: the apps (apps.NAME), and what all of them share. What the options of
 * one app must have in common is checked here, so that `agent config check`, a start and a reload report the same. No
 * secrets are in it, only where they are.
 */
#ifndef AGENT_DEPLOY_CONFIG_H
#define AGENT_DEPLOY_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/deploy_cgroup.h"
#include "agent/mistakes.h"
#include "base/cleanup.h"
#include "deploy-hooks/deploy.h"
#include "deploy-hooks/filter.h"
#include "deploy-hooks/provider.h"
#include "deploy-hooks/verify.h"

enum { DEPLOY_APPS_MAX = 100 };

/* Stages a hook of the app serves, each with a name: the option of that name, or what follows from others. */
enum deploy_app_driver {
	DEPLOY_APP_FETCH, /* "git" with a source */
	DEPLOY_APP_BUILD, /* `build` */
	DEPLOY_APP_PUSH, /* "registry" with a registry */
	DEPLOY_APP_RELEASE, /* "command" with `release` */
	DEPLOY_APP_SWAP, /* `swap`: start, stop and retire */
	DEPLOY_APP_PROBE, /* "http" with health.path, else "tcp" */
	DEPLOY_APP_ROUTE, /* `route` */
	DEPLOY_APP_DRIVERS
};

struct deploy_webhook {
	const struct provider *provider; /* NULL: deliveries are not taken */
	const char *secret_files[VERIFY_SECRETS_MAX]; /* as OPTION_SECRET_FILE; NULL: none */
	struct filter filter;
};

struct deploy_app {
	const char *name, *origin;
	/* NULL: images only, or what is pushed here (deploy_config_use_state()). */
	const char *source, *branch;
	const char *drivers
		[DEPLOY_APP_DRIVERS]; /* names of hooks; NULL: nothing is done in that stage */
	enum deploy_strategy strategy;
	int64_t watch_ms, drain_ms;
	int64_t deadline_ms; /* of all that is done up to the watch window */
	int64_t build_deadline_ms, start_deadline_ms, health_deadline_ms; /* 0: the stage's own */
	struct deploy_cgroup_limits build_limits;
	unsigned keep; /* versions one may go back to, besides the one that serves */
	/* What hooks get as DEPLOY_OPTION_*: name with _ for the dot -> text, number, list. Yes and no are "yes" and "no",
	 * times "90s" or "1500ms", sizes bytes. */
	json_t *options;
	struct deploy_webhook webhook;
	/* Files with secrets for hooks, NULL: not set. */
	const char *deploy_key_file, *git_token_file, *registry_password_file;
	const char *git_user, *registry_user;
	const char *status_token_file, *status_url; /* commit status; NULL: none is posted */
	/* Limits of the verdict ten minutes later beyond which the old version is put back; 0: none. */
	double rollback_cpu_percent, rollback_memory_percent;
	bool is_pushed; /* no source and no image: deployed by `git push` to a repository of this server */
	/* What is not the configuration's; the lists for `webhook` where it names none. */
	char *own_source, *own_tag;
	const char *own_branches[1], *own_tags[1];
};

struct deploy_config {
	const struct config *config;
	struct deploy_app *apps; /* by name */
	size_t n_apps;
	size_t max_builds;
	const char *hooks_dir; /* overrides */
	int64_t disk_free_bytes, memory_free_bytes; /* a build waits until there is as much */
};

/* 0 and *out, which borrows from the configuration and must go before it; or -EINVAL with mistakes added. */
int deploy_config_new(const struct config *c, struct deploy_config **out, struct mistakes *m);
void deploy_config_free(struct deploy_config *d); /* NULL is fine */
DEFINE_CLEANUP(struct deploy_config *, deploy_config_free);
/* Adds the mistakes alone. */
void deploy_config_check(const struct config *c, struct mistakes *m);

/* Once, before use: where the repositories to push to are (STATE/repos/APP.git); they become the source of apps without. */
void deploy_config_use_state(struct deploy_config *d, const char *state_dir);
/* That path; the caller's. */
char *deploy_config_repository(const char *state_dir, const char *app);

/* NULL: there is none. */
const struct deploy_app *deploy_config_app(const struct deploy_config *d, const char *name);
/* -ENOENT names the nearest. */
int deploy_config_find(const struct deploy_config *d, const char *name,
	const struct deploy_app **out, struct err *e);
/* Name of the hook that serves a stage for the app; NULL: none. Of gates and observers always NULL: all files run. */
const char *deploy_app_hook(const struct deploy_app *a, const char *stage);

#endif
