/* SPDX-License-Identifier: Apache-2.0
 *
 * How apps answer, once a sample.
 */
#include <math.h>

#include "agent/deploy_probes.h"
#include "base/str.h"
#include "tests/unit/provider.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct http_client *http;
static struct registry *registry;
static struct deploy_probes *probes;
static struct deploy_app apps[3];
static struct deploy_config config;
static char address[DEPLOY_ADDRESS_SIZE];
static bool serves, swaps;
static int lookups;
static int64_t now_ns;

static bool find_address(void *user, const char *app, char *to, size_t size)
{
	(void)user;
	lookups++;
	ck_assert_str_eq(app, "shop");
	str_copy(to, size, address);
	return serves;
}

static bool is_swapping(void *user, const char *app)
{
	(void)user;
	(void)app;
	return swaps;
}

static void setup(void)
{
	struct deploy_probes_options o = {.serves = find_address, .is_swapping = is_swapping};

	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &http, NULL), 0);
	provider_start(loop);
	registry = registry_new();
	apps[0] = (struct deploy_app){.name = "blog", .options = json_object()};
	apps[1] = (struct deploy_app){.name = "shop",
		.options = json_pack("{s:s,s:s,s:s}", "health_path", "/healthz?x=1", "domain",
			"shop.example.com", "health_timeout", "500ms")};
	config = (struct deploy_config){.apps = apps, .n_apps = 2};
	(void)snprintf(address, sizeof(address), "127.0.0.1:%d", provider.port);
	serves = true;
	swaps = false;
	lookups = 0;
	now_ns = 1000;
	o.http = http;
	probes = deploy_probes_new(&o, &config);
}

static void teardown(void)
{
	deploy_probes_free(probes);
	provider_stop();
	http_client_free(http);
	loop_free(loop);
	registry_free(registry);
	json_decref(apps[0].options);
	json_decref(apps[1].options);
}

static void sample(void)
{
	now_ns += 20000000000LL;
	registry_begin(registry);
	deploy_probes_sample(probes, registry, now_ns);
	registry_sweep(registry, NULL, NULL);
}

static struct entity *shop(void)
{
	struct entity *e = registry_find(registry, &class_app, "shop");

	ck_assert_ptr_nonnull(e);
	return e;
}

static double up(void)
{
	return entity_value(shop(), APP_up);
}

/* Until a sample has an answer of a probe that was begun after this call. */
static void wait_for_answer(void)
{
	sample();
	TURN_UNTIL(loop, (sample(), !isnan(up())));
}

START_TEST(an_app_is_asked_once_a_sample_and_shown_with_the_next)
{
	sample();
	ck_assert(isnan(up()));
	ck_assert_str_eq(shop()->missing[APP_up], "it was not asked yet");
	ck_assert_ptr_null(registry_find(registry, &class_app, "blog"));
	TURN_UNTIL(loop, provider.n_got == 1);
	TURN_UNTIL(loop, (sample(), !isnan(up())));
	ck_assert_double_eq(up(), 1);
	ck_assert_double_gt(entity_value(shop(), APP_latency_seconds), 0);
	ck_assert_double_lt(entity_value(shop(), APP_latency_seconds), 5);
	ck_assert_str_eq(provider.paths[0], "/healthz?x=1");
	ck_assert_ptr_nonnull(strstr(provider.head, "GET /healthz?x=1 "));
	ck_assert_ptr_nonnull(strstr(provider.head, "Host: shop.example.com\r\n"));
	ck_assert_int_eq(lookups, 1);
}
END_TEST

START_TEST(what_is_not_2xx_is_a_failure)
{
	provider.status = 500;
	wait_for_answer();
	ck_assert_double_eq(up(), 0);
	ck_assert(!isnan(entity_value(shop(), APP_latency_seconds)));
	provider.status = 302;
	wait_for_answer();
	ck_assert_double_eq(up(), 0);
	provider.status = 204;
	TURN_UNTIL(loop, (sample(), up() > 0));
}
END_TEST

START_TEST(no_answer_is_a_failure_without_a_latency)
{
	provider.status = PROVIDER_HANG;
	wait_for_answer();
	ck_assert_double_eq(up(), 0);
	ck_assert(isnan(entity_value(shop(), APP_latency_seconds)));
	ck_assert_str_eq(shop()->missing[APP_latency_seconds], "it did not answer");
}
END_TEST

START_TEST(nobody_is_asked_while_versions_change)
{
	swaps = true;
	sample();
	sample();
	ck_assert(isnan(up()));
	ck_assert_str_eq(shop()->missing[APP_up], "a new version is being started");
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 0);
	swaps = false;
	serves = false;
	sample();
	sample();
	ck_assert_str_eq(shop()->missing[APP_up], "no version of it serves at an address");
	/* The first version serves now. */
	serves = true;
	sample();
	ck_assert_int_eq(lookups, 1);
	deploy_probes_changed(probes, "shop");
	wait_for_answer();
	ck_assert_double_eq(up(), 1);
	ck_assert_int_eq(lookups, 2);
}
END_TEST

START_TEST(a_reload_while_one_is_asked_harms_nobody)
{
	provider.status = PROVIDER_HANG;
	sample();
	TURN_UNTIL(loop, provider.n_got == 1);
	config.n_apps = 1;
	deploy_probes_configure(probes, &config);
	sample();
	ck_assert_ptr_null(registry_find(registry, &class_app, "shop"));
	config.n_apps = 2;
	deploy_probes_configure(probes, &config);
	provider.status = 200;
	wait_for_answer();
	ck_assert_double_eq(up(), 1);
}
END_TEST

START_TEST(an_address_that_is_none_is_a_value_that_is_missing)
{
	str_copy(address, sizeof(address), "not an address");
	sample();
	sample();
	ck_assert(isnan(up()));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_probes");
	TCase *tc = tcase_create("deploy_probes");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_app_is_asked_once_a_sample_and_shown_with_the_next);
	tcase_add_test(tc, what_is_not_2xx_is_a_failure);
	tcase_add_test(tc, no_answer_is_a_failure_without_a_latency);
	tcase_add_test(tc, nobody_is_asked_while_versions_change);
	tcase_add_test(tc, a_reload_while_one_is_asked_harms_nobody);
	tcase_add_test(tc, an_address_that_is_none_is_a_value_that_is_missing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
