/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to backup jobs and their orders, and what is refused.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backup_config.h"
#include "agent/backup_order.h"
#include "agent/backup_settings.h"
#include "agent/json_view.h"
#include "tests/unit/config_case.h"

static struct backup_config *built;
/* A job as the settings have it, whether or not they make sense. */
static struct backup_job alone;

static void done(void)
{
	backup_config_free(built);
	built = NULL;
	json_decref(alone.settings);
	alone.settings = NULL;
	teardown();
}

static void build(const char *text)
{
	backup_config_free(built);
	built = NULL;
	good(text);
	ck_assert_msg(backup_config_new(config, "/srv/state", &built, &mistakes) == 0, "%s",
		mistakes.n ? mistakes.list[0] : "?");
}

static const struct backup_job *job(const char *name)
{
	const struct backup_job *j = backup_config_job(built, name);

	ck_assert_msg(j != NULL, "no job %s", name);
	return j;
}

static const struct backup_job *unchecked(const char *text)
{
	static struct options table;

	table = options_all;
	json_decref(alone.settings);
	ck_assert_int_eq(load_table(&table, text), 0);
	alone = (struct backup_job){
		.name = "x", .settings = backup_settings(config, "databases", "x")};
	alone.engine = json_view_text(alone.settings, "engine");
	return &alone;
}

static void is_json(const json_t *have, const char *want)
{
	json_t *w = json_loads(want, JSON_DECODE_ANY, NULL);
	char *text = json_dumps(have, JSON_ENCODE_ANY);

	ck_assert_ptr_nonnull(w);
	ck_assert_msg(json_equal(have, w), "%s", text);
	free(text);
	json_decref(w);
}

START_TEST(without_any_there_is_nothing_but_the_local_store)
{
	build("hostname = \"vps1\"");
	ck_assert_uint_eq(built->n_jobs, 0);
	ck_assert_uint_eq(built->n_stores, 1);
	is_json(built->stores[0].settings,
		"{\"name\":\"local\",\"type\":\"directory\",\"path\":\"/srv/state/backups\"}");
}
END_TEST

START_TEST(options_become_members_with_their_names)
{
	const json_t *x = unchecked("databases = { x = { engine = \"postgresql\"; port = 5433\n"
				    "database = [ \"shop\", \"blog\" ]; bandwidth = \"10M\"\n"
				    "keep = { daily = 7; min_age = \"2d\" } } }")
				  ->settings;

	is_json(json_object_get(x, "database"), "[\"shop\",\"blog\"]");
	is_json(json_object_get(x, "port"), "5433");
	is_json(json_object_get(x, "bandwidth"), "10485760");
	is_json(json_object_get(x, "keep"), "{\"daily\":7,\"min_age\":172800000}");
	is_json(json_object_get(x, "name"), "\"x\"");
	/* Defaults are there, what is not set is not. */
	is_json(json_object_get(x, "compression"), "\"zstd\"");
	is_json(json_object_get(x, "catch_up"), "true");
	ck_assert_ptr_null(json_object_get(x, "user"));
	ck_assert_ptr_null(json_object_get(x, "stores"));
}
END_TEST

START_TEST(the_deadline_and_the_store_have_defaults)
{
	build("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }");
	ck_assert_int_eq(job("shop")->deadline_ms, 12 * 3600 * 1000);
	is_json(json_object_get(job("shop")->settings, "stores"), "[\"local\"]");
}
END_TEST

START_TEST(row_32_no_secret_is_in_what_a_worker_gets)
{
	scratch_write("cred", "geheim", 6);
	{
		_cleanup_(free_p) char *text =
			str_format("databases = { shop = { engine = \"command\"; command = [ "
				   "\"/bin/true\" ]; password_file = \"%s\"; "
				   "ping_url = \"https://hc.example.com/geheim\" } }",
				scratch_path("cred"));
		_cleanup_(free_p) char *all = NULL;

		build(text);
		all = json_dumps(job("shop")->settings, 0);
		ck_assert_ptr_null(strstr(all, "geheim"));
		ck_assert_ptr_nonnull(strstr(all, scratch_path("cred")));
		ck_assert_str_eq(job("shop")->ping_url, "https://hc.example.com/geheim");
	}
}
END_TEST

START_TEST(the_only_store_need_not_be_named)
{
	build("stores = { nas = { type = \"directory\"; path = \"/mnt/nas\" } }\n"
	      "databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }");
	is_json(json_object_get(job("shop")->settings, "stores"), "[\"nas\"]");
	ck_assert_uint_eq(json_array_size(job("shop")->stores), 1);
	ck_assert_str_eq(
		json_view_text(json_array_get(job("shop")->stores, 0), "path"), "/mnt/nas");
}
END_TEST

START_TEST(of_several_stores_the_job_names_its_own)
{
	static const char stores[] =
		"stores = { nas = { type = \"directory\"; path = \"/mnt/nas\" }\n"
		"usb = { type = \"directory\"; path = \"/mnt/usb\" } }\n";
	_cleanup_(free_p) char *named =
		str_format("%sdatabases = { shop = { engine = \"command\"; command = [ "
			   "\"/bin/true\" ]; stores = [ \"usb\", \"nas\" ] } }",
			stores);
	_cleanup_(free_p) char *none = str_format(
		"%sdatabases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }",
		stores);
	_cleanup_(free_p) char *wrong =
		str_format("%sdatabases = { shop = { engine = \"command\"; command = [ "
			   "\"/bin/true\" ]\nstores = [ \"nass\" ] } }",
			stores);
	_cleanup_(free_p) char *twice =
		str_format("%sdatabases = { shop = { engine = \"command\"; command = [ "
			   "\"/bin/true\" ]\nstores = [ \"nas\", \"nas\" ] } }",
			stores);

	build(named);
	is_json(json_object_get(job("shop")->settings, "stores"), "[\"usb\",\"nas\"]");
	bad(none, "a.conf:3: databases.shop: must say with stores which of the stores it goes to");
	bad(wrong, "a.conf:4: databases.shop.stores: there is no store \"nass\"; did you mean "
		   "\"nas\"?");
	bad(twice, "a.conf:4: databases.shop.stores: names the same store twice");
}
END_TEST

START_TEST(row_09_a_job_whose_store_was_removed_is_a_mistake)
{
	bad("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; stores = [ "
	    "\"offsite\" ] } }",
		"a.conf:1: databases.shop.stores: there is no store \"offsite\"");
}
END_TEST

START_TEST(what_a_job_or_store_finds_wrong_is_a_mistake_of_its_line)
{
	bad("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]\n"
	    "passphrase_file = \"env:X\" } }",
		"a.conf:1: databases.shop: key_exported: keep the passphrase somewhere else than "
		"on "
		"this server, without it no backup can be opened; then set key_exported = true");
	bad("stores = { nas = { type = \"directory\" } }",
		"a.conf:1: stores.nas: path: is missing");
	bad("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]\n"
	    "drill_schedule = \"@daily\" } }",
		"a.conf:2: databases.shop.drill_schedule: this engine cannot restore into a "
		"throw-away "
		"server");
	bad("databases = { shop = { engine = \"sqlite\"; path = \"/a.db\"; key_exported = true\n"
	    "encrypt = [ \"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\" ]\n"
	    "drill_schedule = \"@daily\" } }",
		"a.conf:3: databases.shop.drill_schedule: the backups are encrypted: a drill needs "
		"the private key on this server (identity_file)");
}
END_TEST

START_TEST(schedules_are_read)
{
	build("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; schedule "
	      "= \"0 3 * * *\"; jitter = "
	      "\"30m\"\n"
	      "verify_schedule = \"0 4 * * sun\"; catch_up = false } }");
	ck_assert(job("shop")->has_schedule[BACKUP_RUN]);
	ck_assert(job("shop")->has_schedule[BACKUP_VERIFY]);
	ck_assert(!job("shop")->has_schedule[BACKUP_DRILL]);
	ck_assert_int_eq(job("shop")->schedule[BACKUP_RUN].jitter_ms, 1800000);
	ck_assert(!job("shop")->schedule[BACKUP_RUN].catch_up);
}
END_TEST

START_TEST(a_job_is_described_for_people)
{
	static const struct {
		const char *options, *words;
	} rows[] = {
		{"engine = \"postgresql\"; container = \"shop-db\"; database = [ \"shop\" ]",
			"database shop in container shop-db"},
		{"engine = \"mariadb\"", "all databases on this host"},
		{"engine = \"redis\"; host = \"10.0.0.5\"", "all keys on 10.0.0.5"},
		{"engine = \"directory\"; path = \"/srv/files\"", "/srv/files"},
		{"engine = \"volume\"; volume = \"uploads\"", "volume uploads"},
		{"engine = \"command\"; command = [ \"/bin/dump\", \"-a\" ]",
			"output of /bin/dump"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(free_p) char *text =
			str_format("databases = { x = { %s } }", rows[i].options);
		_cleanup_(buf_done) struct buf words = BUF_INIT(500);

		backup_job_source(unchecked(text), &words);
		ck_assert_str_eq(buf_str(&words), rows[i].words);
	}
}
END_TEST

START_TEST(what_is_kept_is_described_for_people)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(500);
	_cleanup_(buf_done) struct buf some = BUF_INIT(500);

	build("databases = { a = { engine = \"command\"; command = [ \"/bin/true\" ] }\n"
	      "b = { engine = \"command\"; command = [ \"/bin/true\" ]; keep = { last = 3; daily = "
	      "7; min_age = \"2d\" } } }");
	backup_job_keep(job("a"), &all);
	backup_job_keep(job("b"), &some);
	ck_assert_str_eq(buf_str(&all), "all");
	ck_assert_str_eq(buf_str(&some), "last 3, daily 7, at least 2d");
}
END_TEST

START_TEST(a_folder_on_the_servers_own_disk_is_known_by_the_mounts)
{
	static const char mounts[] = "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
				     "2 1 8:1 /data /srv/same rw - ext4 /dev/sda1 rw\n"
				     "3 1 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n"
				     "4 3 0:50 / /mnt/nas rw - nfs4 nas:/x rw\n";

	ck_assert(backup_mounts_are_one(mounts, "/var/lib/agent/backups", "/"));
	ck_assert(backup_mounts_are_one(mounts, "/srv/same/backups", "/"));
	ck_assert(backup_mounts_are_one(mounts, "/mnt2", "/"));
	ck_assert(!backup_mounts_are_one(mounts, "/mnt", "/"));
	ck_assert(!backup_mounts_are_one(mounts, "/mnt/backups", "/"));
	ck_assert(!backup_mounts_are_one(mounts, "/mnt/nas/backups", "/mnt"));
	/* Not known is not the same. */
	ck_assert(!backup_mounts_are_one("", "/a", "/b"));
}
END_TEST

START_TEST(a_misspelt_job_is_told_the_nearest)
{
	const struct backup_job *j;
	struct err e;

	build("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }");
	ck_assert_int_eq(backup_config_find(built, "shpo", &j, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "there is no backup job \"shpo\"; did you mean \"shop\"?");
	ck_assert_int_eq(backup_config_find(built, "shop", &j, &e), 0);
}
END_TEST

START_TEST(an_order_has_all_that_a_worker_needs)
{
	struct backup_last last = {.plain_bytes = 10, .median_bytes = 8};
	struct backup_order_options o = {
		.what = "verify", .run = 7, .state_dir = "/srv/state", .last = &last};
	json_t *order;

	build("hostname = \"vps1\"\ncontainer_sockets = [ \"/nonexistent/docker.sock\" ]\n"
	      "databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }");
	o.job = job("shop");
	o.restore = json_pack("{s:s}", "id", "2026");
	ck_assert_int_eq(backup_order_new(built, &o, &order, NULL), 0);
	ck_assert_str_eq(json_view_text(order, "do"), "verify");
	ck_assert_int_eq(json_view_int(order, "run"), 7);
	ck_assert_str_eq(json_view_text(order, "host"), "vps1");
	ck_assert_str_eq(json_view_text(order, "state"), "/srv/state");
	ck_assert_str_eq(json_view_text(order, "container_socket"), "/nonexistent/docker.sock");
	is_json(json_object_get(order, "last"), "{\"plain_bytes\":10,\"median_bytes\":8}");
	is_json(json_object_get(order, "restore"), "{\"id\":\"2026\"}");
	ck_assert_str_eq(json_view_text(json_object_get(order, "job"), "engine"), "command");
	ck_assert_uint_eq(json_array_size(json_object_get(order, "stores")), 1);
	json_decref(order);
}
END_TEST

START_TEST(an_order_for_a_store_the_job_does_not_use_is_refused)
{
	struct backup_order_options o = {
		.what = "verify", .store = "offsite", .state_dir = "/srv/state"};
	json_t *order;
	struct err e;

	build("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }");
	o.job = job("shop");
	ck_assert_int_eq(backup_order_new(built, &o, &order, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "shop does not go to a store \"offsite\"");
}
END_TEST

START_TEST(a_sweep_is_about_all_jobs_and_stores)
{
	const struct backup_order_options o = {.what = "sweep", .state_dir = "/srv/state"};
	json_t *order;

	build("databases = { a = { engine = \"command\"; command = [ \"/bin/true\" ] }; b = { "
	      "engine = \"command\"; command = [ \"/bin/true\" ] } }");
	ck_assert_int_eq(backup_order_new(built, &o, &order, NULL), 0);
	is_json(json_object_get(order, "jobs"), "[\"a\",\"b\"]");
	ck_assert_uint_eq(json_array_size(json_object_get(order, "stores")), 1);
	json_decref(order);
}
END_TEST

START_TEST(a_stores_error_names_it_once)
{
	ck_assert_str_eq(backup_store_error("nas", "store nas: it is away"), "it is away");
	ck_assert_str_eq(
		backup_store_error("nas", "store nas2: it is away"), "store nas2: it is away");
	ck_assert_str_eq(backup_store_error("nas", "it is away"), "it is away");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backup_config");
	TCase *tc = tcase_create("backup_config");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, done);
	tcase_add_test(tc, without_any_there_is_nothing_but_the_local_store);
	tcase_add_test(tc, options_become_members_with_their_names);
	tcase_add_test(tc, the_deadline_and_the_store_have_defaults);
	tcase_add_test(tc, what_a_job_or_store_finds_wrong_is_a_mistake_of_its_line);
	tcase_add_test(tc, row_32_no_secret_is_in_what_a_worker_gets);
	tcase_add_test(tc, the_only_store_need_not_be_named);
	tcase_add_test(tc, of_several_stores_the_job_names_its_own);
	tcase_add_test(tc, row_09_a_job_whose_store_was_removed_is_a_mistake);
	tcase_add_test(tc, schedules_are_read);
	tcase_add_test(tc, a_job_is_described_for_people);
	tcase_add_test(tc, what_is_kept_is_described_for_people);
	tcase_add_test(tc, a_folder_on_the_servers_own_disk_is_known_by_the_mounts);
	tcase_add_test(tc, a_stores_error_names_it_once);
	tcase_add_test(tc, a_misspelt_job_is_told_the_nearest);
	tcase_add_test(tc, an_order_has_all_that_a_worker_needs);
	tcase_add_test(tc, an_order_for_a_store_the_job_does_not_use_is_refused);
	tcase_add_test(tc, a_sweep_is_about_all_jobs_and_stores);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
