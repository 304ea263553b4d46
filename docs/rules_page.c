/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints docs/rules.md from the built-in rules: `make docs`. The lint run checks that the page is
 * up to date.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "notify/rule.h"

static const char intro[] =
	"<!-- Made by `make docs` from notify/rule_builtin.c. -->\n"
	"# Rules\n\n"
	"These rules are built in. Each can be changed or switched off by its name; what is not "
	"set "
	"stays as it is, and a clear\n"
	"limit moves along with a limit of your own:\n\n"
	"```\n"
	"rules = {\n"
	"  disk           = { warning = \"> 80\", repeat = \"1d\" }\n"
	"  cpu            = { enabled = false }\n"
	"  container_gone = { enabled = true, entities = [\"shop-*\"] }\n"
	"  low_space      = { metric = \"filesystem.available_bytes\", entities = [\"/data\"], "
	"warning = "
	"\"< 20G\", clear = \"> 25G\" }\n"
	"}\n"
	"```\n\n"
	"`agent alerts test RULE --since 7d` tells what a rule would have sent. All options: "
	"agent.conf(5); all metrics: [metrics.md](metrics.md).\n\n"
	"How an alert lives: over the limit it is *pending* until `for` has passed, then it "
	"*fires* and "
	"is told. Below the limit but not\n"
	"yet below the clear limit nothing changes, so a value that wobbles around its limit sends "
	"one "
	"message. Clear for `clear_for`,\n"
	"it is over, and that is told. Getting worse is told, getting better is not. Without "
	"values for "
	"10 minutes it ends. What fires\n"
	"four times within an hour is *flapping*: told once, then silent until it has stayed on "
	"one "
	"side for 30 minutes.\n\n"
	"| rule | when | ends when | reminder | what it means |\n"
	"| --- | --- | --- | --- | --- |\n";

static void print_clear(const struct rule *r, struct buf *out)
{
	char text[LIMIT_TEXT_MAX];

	limit_print(text, sizeof(text),
		r->warning.op != LIMIT_NONE ? &r->warning_clear : &r->critical_clear, r->unit);
	if (r->type == RULE_GONE)
		(void)str_copy(text, sizeof(text), "it is back");
	buf_adds(out, r->recovery ? text : "");
	if (r->clear_for_ms && r->recovery) {
		str_from_duration_ms(text, sizeof(text), r->clear_for_ms);
		buf_addf(out, " for %s", text);
	}
	if (!r->recovery)
		buf_adds(out, "its end is not told");
}

/* A cell of a table. */
static void print_cell(const char *text)
{
	putchar(' ');
	for (; *text; text++)
		printf("%s%c", *text == '|' ? "\\" : "", *text);
	fputs(" |", stdout);
}

static void print_rule(const struct rule_set *set, const struct rule_settings *s)
{
	_cleanup_(buf_done) struct buf when = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf clear = BUF_INIT(4096);
	char repeat[32] = "";

	for (size_t i = 0; i < set->n; i++) {
		const struct rule *r = &set->rules[i];

		if (strcmp(r->name, s->name) != 0)
			continue;
		rule_print_condition(r, &when);
		print_clear(r, &clear);
		if (r->repeat_ms)
			str_from_duration_ms(repeat, sizeof(repeat), r->repeat_ms);
		printf("| `%s` |", r->name);
		print_cell(buf_str(&when));
		print_cell(buf_str(&clear));
		print_cell(repeat);
		print_cell(r->doc);
		putchar('\n');
	}
}

int main(void)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = NULL;
	struct rule_settings on;
	struct err e;

	/* The one that is off is described too. */
	rule_settings_init(&on);
	on.name = "container_gone";
	on.enabled = 1;
	if (rule_set_new(&on, 1, &set, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	fputs(intro, stdout);
	for (size_t i = 0; i < rules_builtin_count; i++)
		print_rule(set, &rules_builtin[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}
