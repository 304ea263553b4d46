/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_block.h"
#include "agent/notify_config_channel.h"
#include "base/str.h"

struct notify_config {
	const struct config *config;
	bool with_secrets;
	char *url;
	struct rule_settings *rules;
	struct channel *channels;
	struct channel_texts *texts; /* one each */
	struct maintenance *maintenance;
	struct notify_settings settings;
};

static void *array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

/* The names in a group, at most `max`; free() them. */
static const char **names_in(
	const struct config *c, const char *group, size_t max, size_t *out_n, struct mistakes *m)
{
	size_t n = config_names(c, group, NULL, 0);
	const char **names = array(n, sizeof(*names));

	*out_n = config_names(c, group, names, n);
	if (n > max) {
		mistakes_add(m, config_origin(c, group), 0, "%s: has %zu members; at most %zu",
			group, n, max);
		*out_n = max;
	}
	return names;
}

static struct rule_patterns patterns(const struct config_block *b, const char *option)
{
	struct rule_patterns p;

	p.n = config_block_list(b, option, &p.list);
	return p;
}

/* What is not set stays so: the rule may change a built-in one. */
static void take_rule(const struct config_block *b, struct rule_settings *out)
{
	rule_settings_init(out);
	out->name = b->name;
	out->origin = config_block_origin(b, NULL);
	out->type = config_block_string(b, "type");
	out->metric = config_block_string(b, "metric");
	out->entities = patterns(b, "entities");
	out->labels = patterns(b, "labels");
	out->how = config_block_string(b, "how");
	out->window_ms = config_block_duration_ms(b, "window");
	out->target = config_block_string(b, "target");
	out->warning = config_block_string(b, "warning");
	out->critical = config_block_string(b, "critical");
	out->clear = config_block_string(b, "clear");
	out->critical_clear = config_block_string(b, "critical_clear");
	out->severity = config_block_string(b, "severity");
	out->for_ms = config_block_duration_ms(b, "for");
	out->clear_for_ms = config_block_duration_ms(b, "clear_for");
	out->repeat_ms = config_block_duration_ms(b, "repeat");
	out->enabled = config_block_flag(b, "enabled");
	out->recovery = config_block_flag(b, "recovery");
	out->channels = patterns(b, "channels");
	out->doc = config_block_string(b, "doc");
}

/* Whether something in the block was wrong already; then the rest of it cannot be judged. */
static bool is_broken(const struct config_block *b, const struct mistakes *m)
{
	_cleanup_(free_p) char *name = str_format("%s.%s", b->group, b->name);

	return mistakes_name(m, name);
}

/* A rule that names a channel there is none of would tell nobody. */
static void check_rule_channels(
	const struct config_block *b, const struct rule_patterns *channels, struct mistakes *m)
{
	for (size_t i = 0; i < channels->n; i++) {
		const struct config_block one = {b->config, "channels", channels->list[i]};
		_cleanup_(free_p) char *text = NULL;

		if (config_block_origin(&one, NULL))
			continue;
		text = str_format("channels: there is no channel \"%s\"", channels->list[i]);
		config_block_mistake(b, m, text);
	}
}

static void check_rule(
	const struct config_block *b, const struct rule_settings *own, struct mistakes *m)
{
	struct err e;

	check_rule_channels(b, &own->channels, m);
	if (rule_check(own, &e) < 0)
		config_block_mistake(b, m, e.msg);
}

static void take_rules(struct notify_config *n, struct mistakes *m)
{
	size_t count;
	_cleanup_(free_p) const char **names = names_in(n->config, "rules", RULES_MAX, &count, m);

	n->rules = array(count, sizeof(*n->rules));
	for (size_t i = 0; i < count; i++) {
		const struct config_block b = {n->config, "rules", names[i]};

		take_rule(&b, &n->rules[i]);
		if (!is_broken(&b, m))
			check_rule(&b, &n->rules[i], m);
	}
	n->settings.rules = n->rules;
	n->settings.n_rules = count;
}

static void take_channels(struct notify_config *n, struct mistakes *m)
{
	size_t count;
	_cleanup_(free_p) const char **names =
		names_in(n->config, "channels", CHANNELS_MAX, &count, m);

	n->channels = array(count, sizeof(*n->channels));
	n->texts = array(count, sizeof(*n->texts));
	for (size_t i = 0; i < count; i++) {
		const struct config_block b = {n->config, "channels", names[i]};

		n->settings.n_channels = i + 1;
		if (!is_broken(&b, m))
			notify_config_channel(
				&b, n->with_secrets, &n->texts[i], &n->channels[i], m);
	}
	n->settings.channels = n->channels;
}

static void take_maintenance(struct notify_config *n, struct mistakes *m)
{
	size_t count;
	_cleanup_(free_p) const char **names =
		names_in(n->config, "maintenance", MAINTENANCE_MAX, &count, m);

	n->maintenance = array(count, sizeof(*n->maintenance));
	for (size_t i = 0; i < count; i++) {
		const struct config_block b = {n->config, "maintenance", names[i]};
		struct maintenance *one = &n->maintenance[i];

		if (is_broken(&b, m))
			continue;
		one->name = b.name;
		one->duration_ms = config_block_duration_ms(&b, "duration");
		one->rules = patterns(&b, "rules");
		one->entities = patterns(&b, "entities");
		(void)cron_parse(config_block_string(&b, "schedule"), &one->schedule, NULL);
	}
	n->settings.maintenance = n->maintenance;
	n->settings.n_maintenance = count;
}

/* Links are made by appending paths. */
static void take_names(struct notify_config *n)
{
	const char *url = config_string(n->config, "url");
	size_t len = url ? strlen(url) : 0;

	while (len && url[len - 1] == '/')
		len--;
	n->url = str_ndup(url ? url : "", len);
	n->settings.host = config_string(n->config, "hostname");
	n->settings.url = n->url;
}

void notify_config_free(struct notify_config *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->settings.n_channels; i++)
		channel_texts_done(&n->texts[i]);
	free(n->texts);
	free(n->channels);
	free(n->rules);
	free(n->maintenance);
	free(n->url);
	free(n);
}

static int build(
	const struct config *c, bool with_secrets, struct notify_config **out, struct mistakes *m)
{
	size_t before = mistakes_count(m);
	struct notify_config *n = array(1, sizeof(*n));

	n->config = c;
	n->with_secrets = with_secrets;
	take_names(n);
	take_channels(n, m);
	take_maintenance(n, m);
	take_rules(n, m);
	if (mistakes_count(m) > before) {
		notify_config_free(n);
		return -EINVAL;
	}
	*out = n;
	return 0;
}

int notify_config_new(const struct config *c, struct notify_config **out, struct mistakes *m)
{
	return build(c, true, out, m);
}

int notify_config_without_secrets(
	const struct config *c, struct notify_config **out, struct mistakes *m)
{
	return build(c, false, out, m);
}

const struct notify_settings *notify_config_settings(const struct notify_config *n)
{
	return &n->settings;
}

void notify_config_check(const struct config *c, struct mistakes *m)
{
	struct notify_config *n = NULL;

	(void)build(c, false, &n, m);
	notify_config_free(n);
}
