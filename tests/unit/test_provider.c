/* SPDX-License-Identifier: Apache-2.0
 *
 * What real senders send, and what goes wrong with it elsewhere: the numbers of the traps are those of the study of
 * deploy tools.
 */
#include "deploy-hooks/provider.h"

#include "tests/unit/webhook_case.h"

#define PUSH(ref, before, after, more)                                                             \
	"{\"ref\":\"" ref "\",\"before\":\"" before "\",\"after\":\"" after "\"" more "}"
#define GITHUB_COMMIT(files)                                                                       \
	",\"created\":false,\"deleted\":false,\"forced\":false,\"commits\":[{\"id\":\"" COMMIT_A   \
	"\",\"message\":\"One\",\"added\":[" files "],\"removed\":[],\"modified\":[]}]"

static const char *const api[] = {"api/**"};
static const char *const main_branch[] = {"main", "master"};
static const struct filter api_only = {
	.branches = main_branch, .n_branches = 2, .paths = api, .n_paths = 1};

START_TEST(github_says_what_was_pushed)
{
	webhook_recorded(&provider_github, GITHUB, "github/push-4.json");
	ck_assert_uint_eq(delivery.n_changes, 1);
	ck_assert_str_eq(delivery.id, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
	ck_assert_str_eq(delivery.event, "push");
	ck_assert_str_eq(delivery.repository, "Codertocat/Hello-World");
	ck_assert_str_eq(delivery.actor, "Codertocat");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PUSH);
	ck_assert_str_eq(CHANGE.ref, "refs/heads/master");
	ck_assert_str_eq(CHANGE.commit, "6113728f27ae82c7b1a177c8d03f9e96e0adf246");
	ck_assert_str_eq(CHANGE.before, "");
	ck_assert_str_eq(CHANGE.author, "Codertocat");
	ck_assert_str_eq(CHANGE.subject, "Initial commit");
	ck_assert_uint_eq(CHANGE.n_files, 1);
	ck_assert_uint_eq(json_array_size(CHANGE.commits), 1);
}
END_TEST

START_TEST(gitlab_says_what_was_pushed)
{
	webhook_recorded(&provider_gitlab,
		HEADERS("X-Gitlab-Event: Push Hook", "X-Gitlab-Event-UUID: u-1"),
		"gitlab/push.json");
	ck_assert_str_eq(delivery.id, "u-1");
	ck_assert_str_eq(delivery.repository, "mike/diaspora");
	ck_assert_str_eq(delivery.actor, "John Smith");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PUSH);
	ck_assert_str_eq(CHANGE.ref, "refs/heads/master");
	ck_assert_str_eq(CHANGE.commit, COMMIT_A);
	ck_assert_str_eq(CHANGE.before, COMMIT_B);
	ck_assert_str_eq(CHANGE.subject, "fixed readme");
	ck_assert_str_eq(CHANGE.author, "GitLab dev user");
	ck_assert_uint_eq(json_array_size(CHANGE.commits), 2);

	webhook_recorded(&provider_gitlab, HEADERS("X-Gitlab-Event: System Hook"),
		"gitlab/system-push.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PUSH);
	webhook_recorded(&provider_gitlab, HEADERS("X-Gitlab-Event: Merge Request Hook"),
		"gitlab/merge-request.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);
}
END_TEST

START_TEST(gitea_forgejo_and_gogs_say_what_was_pushed)
{
	webhook_recorded(&provider_gitea, HEADERS("X-Gitea-Event: push", "X-Gitea-Delivery: u-2"),
		"gitea/push-event.json");
	ck_assert_str_eq(delivery.id, "u-2");
	ck_assert_str_eq(delivery.repository, "example/example");
	ck_assert_str_eq(delivery.actor, "example");
	ck_assert_str_eq(CHANGE.ref, "refs/heads/master");
	ck_assert_str_eq(CHANGE.commit, "67b56589a45103f891bdee7c0546e5d40bc02001");
	ck_assert_str_eq(CHANGE.subject, "example");
	ck_assert(CHANGE.is_new);
	webhook_recorded(
		&provider_forgejo, HEADERS("X-Forgejo-Event: push"), "gitea/push-event.json");
	ck_assert_str_eq(CHANGE.ref, "refs/heads/master");
	webhook_recorded(
		&provider_gitea, HEADERS("X-Gitea-Event: release"), "gitea/release-event.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);

	/* Gogs says nothing of a head commit: it is the one in the list that was pushed. */
	webhook_recorded(&provider_gogs, HEADERS("X-Gogs-Event: push"), "gogs/push.json");
	ck_assert_str_eq(delivery.repository, "unknwon/webhooks");
	ck_assert_str_eq(CHANGE.ref, "refs/heads/develop");
	ck_assert_str_eq(CHANGE.subject, "Add new feature");
	ck_assert_str_eq(CHANGE.author, "Unknwon");
}
END_TEST

START_TEST(bitbucket_says_what_was_pushed)
{
	webhook_recorded(&provider_bitbucket,
		HEADERS("X-Event-Key: repo:push", "X-Request-UUID: u-3"),
		"bitbucket/repo-push.json");
	ck_assert_str_eq(delivery.id, "u-3");
	ck_assert_str_eq(delivery.repository, "team_name/repo_name");
	ck_assert_str_eq(delivery.actor, "Emma");
	ck_assert_str_eq(CHANGE.ref, "refs/heads/name-of-branch");
	ck_assert_str_eq(CHANGE.commit, "709d658dc5b6d6afcd46049c2f332ee3f515a67d");
	ck_assert_str_eq(CHANGE.before, "1e65c05c1d5171631d92438a13901ca7dae9618c");
	ck_assert_str_eq(CHANGE.subject, "new commit message");
	ck_assert(!CHANGE.files_known);

	webhook_recorded(&provider_bitbucket, HEADERS("X-Event-Key: repo:refs_changed"),
		"bitbucket-server/repo-refs-changed.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_DELETED);
	ck_assert_str_eq(CHANGE.ref, "refs/heads/feature/wip");
	ck_assert_str_eq(delivery.repository, "~gopher/webhook-test");
}
END_TEST

START_TEST(the_registry_of_github_says_which_image)
{
	struct headers h = HEADERS("X-GitHub-Event: registry_package");

	webhook_accepted(&provider_ghcr, h,
		"{\"action\":\"published\",\"registry_package\":{\"name\":\"shop\",\"namespace\":"
		"\"me\","
		"\"package_type\":\"CONTAINER\",\"package_version\":{\"container_metadata\":{"
		"\"tag\":{"
		"\"name\":\"v1\",\"digest\":\"sha256:"
		"0123456789abcdef0123456789abcdef0123456789abcdef"
		"0123456789abcdef\"}}}},\"sender\":{\"login\":\"me\"}}");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_IMAGE);
	ck_assert_str_eq(CHANGE.ref, "v1");
	ck_assert_str_eq(delivery.repository, "me/shop");
	ck_assert_uint_eq(strlen(CHANGE.digest), 71);
	/* Neither a package of another kind, nor a manifest without a tag, is a new version. */
	webhook_recorded(
		&provider_ghcr, HEADERS("X-GitHub-Event: package"), "github/package-0.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);
	webhook_recorded(
		&provider_ghcr, HEADERS("X-GitHub-Event: package"), "github/package-1.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);
}
END_TEST

START_TEST(anybody_with_a_token_can_ask)
{
	struct headers h = HEADERS(
		"Authorization: Bearer t", "Content-Type: application/x-www-form-urlencoded");

	/* curl -X POST: the branch that the app deploys. */
	webhook_accepted(&provider_generic, h, "");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PUSH);
	ck_assert_str_eq(CHANGE.ref, "");
	ck_assert_int_eq(
		filter_judge(&(struct filter){.branches = main_branch, .n_branches = 2}, &CHANGE),
		FILTER_DEPLOY);
	webhook_accepted(&provider_generic, h,
		"{\"ref\":\"main\",\"commit\":\"" COMMIT_A
		"\",\"message\":\"Built\",\"actor\":\"ci\"}");
	ck_assert_str_eq(CHANGE.ref, "refs/heads/main");
	ck_assert_str_eq(CHANGE.commit, COMMIT_A);
	ck_assert_str_eq(CHANGE.subject, "Built");
	ck_assert_str_eq(delivery.actor, "ci");
	webhook_accepted(&provider_generic, h, "{\"ref\":\"refs/tags/v1\"}");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_TAG);
	webhook_accepted(&provider_generic, h, "{\"tag\":\"v2\",\"repository\":\"me/shop\"}");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_IMAGE);
	ck_assert_str_eq(CHANGE.ref, "v2");
	webhook_refused(&provider_generic, h, "{\"ref\":\"--upload-pack=x\"}", "git");
	webhook_refused(&provider_generic, h, "{\"commit\":\"HEAD\"}", "hash");
}
END_TEST

START_TEST(what_is_missing_is_said)
{
	webhook_refused(&provider_github, GITHUB, "{}", "ref is missing");
	webhook_refused(
		&provider_github, GITHUB, "{\"ref\":\"refs/heads/main\"}", "commit is missing");
	webhook_refused(
		&provider_github, GITHUB, PUSH("refs/heads/main", COMMIT_B, "abc", ""), "hash");
	webhook_refused(&provider_github, GITHUB, "{\"ref\":7}", "not a text");
	webhook_refused(&provider_github, GITHUB, "[]", "missing");
	webhook_refused(&provider_github, GITHUB, "", "not JSON");
	webhook_refused(&provider_bitbucket, BITBUCKET, "{}", "without a change");
	webhook_refused(&provider_dockerhub, HEADERS("A: b"), "{}", "tag is missing");
}
END_TEST

START_TEST(refs_that_are_no_branches_mean_nothing)
{
	webhook_accepted(
		&provider_github, GITHUB, PUSH("refs/pull/1/head", COMMIT_B, COMMIT_A, ""));
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);
	webhook_refused(
		&provider_github, GITHUB, PUSH("refs/heads/-x", COMMIT_B, COMMIT_A, ""), "git");
	webhook_refused(
		&provider_github, GITHUB, PUSH("refs/heads/a;b c", COMMIT_B, COMMIT_A, ""), "git");
	webhook_refused(
		&provider_github, GITHUB, PUSH("refs/heads/a\\nb", COMMIT_B, COMMIT_A, ""), "git");
}
END_TEST

START_TEST(trap_01_a_deleted_branch_is_not_deployed)
{
	const char *refs[] = {"github/push-1.json", "github/push-6.json"};

	for (size_t i = 0; i < 2; i++) {
		webhook_recorded(&provider_github, GITHUB, refs[i]);
		ck_assert_int_eq(CHANGE.kind, DELIVERY_DELETED);
		ck_assert_str_eq(CHANGE.ref, "refs/tags/simple-tag");
		ck_assert_str_eq(CHANGE.commit, "");
		ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_NOTHING);
	}
	/* Repositories of SHA-256, and a sender that does not say `deleted`. */
	webhook_accepted(&provider_gitea, HEADERS("X-Gitea-Event: push"),
		PUSH("refs/heads/main", COMMIT_B, ZERO_64, ",\"head_commit\":null,\"commits\":[]"));
	ck_assert_int_eq(CHANGE.kind, DELIVERY_DELETED);
	webhook_accepted(&provider_gitlab, GITLAB,
		PUSH("refs/heads/main", COMMIT_B, ZERO_40,
			",\"checkout_sha\":null,\"object_kind\":\"push\""));
	ck_assert_int_eq(CHANGE.kind, DELIVERY_DELETED);
	webhook_accepted(&provider_bitbucket, BITBUCKET,
		"{\"push\":{\"changes\":[{\"new\":null,\"closed\":true,\"old\":{\"type\":"
		"\"branch\","
		"\"name\":\"old\",\"target\":{\"hash\":\"" COMMIT_A "\"}}}]}}");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_DELETED);
	ck_assert_str_eq(CHANGE.ref, "refs/heads/old");
}
END_TEST

START_TEST(trap_02_a_new_branch_is_not_one_without_changes)
{
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", ZERO_40, COMMIT_A,
			",\"created\":true,\"forced\":false,\"commits\":[]"));
	ck_assert(CHANGE.is_new);
	ck_assert_str_eq(CHANGE.before, "");
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_ASK_GIT);
	/* Neither is a push of commits that were known on another branch. */
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A, ",\"forced\":false,\"commits\":[]"));
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_ASK_GIT);
	/* All is known only here. */
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A, GITHUB_COMMIT("\"docs/a\"")));
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_PATHS);
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A,
			GITHUB_COMMIT("\"docs/a\",\"api/x/y\"")));
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_DEPLOY);
}
END_TEST

START_TEST(trap_03_of_a_forced_push_git_is_asked)
{
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A,
			",\"forced\":true,\"commits\":[{\"id\":\"" COMMIT_A
			"\",\"added\":[\"docs/a\"]}]"));
	ck_assert(CHANGE.forced);
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_ASK_GIT);
	/* Who does not say whether it was forced may have taken commits away that no list has. */
	webhook_accepted(&provider_gitlab, GITLAB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A,
			",\"object_kind\":\"push\",\"commits\":[{\"id\":\"" COMMIT_A
			"\",\"added\":[\"docs/a\"]}]"));
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_ASK_GIT);
}
END_TEST

START_TEST(trap_04_a_tag_is_no_branch)
{
	const struct filter f = {
		.branches = (const char *[]){"simple-tag", "1.0", "0", "main"}, .n_branches = 4};

	webhook_recorded(&provider_github, GITHUB, "github/push-0.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_TAG);
	ck_assert_str_eq(CHANGE.ref, "refs/tags/simple-tag");
	ck_assert_int_eq(filter_judge(&f, &CHANGE), FILTER_REF);
	webhook_recorded(
		&provider_gitlab, HEADERS("X-Gitlab-Event: Tag Push Hook"), "gitlab/tag.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_TAG);
	ck_assert_int_eq(filter_judge(&f, &CHANGE), FILTER_REF);
	/* Of one with a message of its own, the commit it names is deployed. */
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/tags/v1", ZERO_40, COMMIT_B,
			",\"head_commit\":{\"id\":\"" COMMIT_A "\",\"message\":\"One\"}"));
	ck_assert_str_eq(CHANGE.commit, COMMIT_A);
	ck_assert_str_eq(CHANGE.subject, "One");
	webhook_accepted(&provider_gitlab, HEADERS("X-Gitlab-Event: Tag Push Hook"),
		PUSH("refs/tags/v1", ZERO_40, COMMIT_B,
			",\"object_kind\":\"tag_push\",\"checkout_sha\":\"" COMMIT_A "\""));
	ck_assert_str_eq(CHANGE.commit, COMMIT_A);
}
END_TEST

START_TEST(trap_06_a_ping_is_no_push)
{
	webhook_recorded(&provider_github, HEADERS("X-GitHub-Event: ping"), "github/ping-0.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PING);
	ck_assert_int_eq(filter_judge(&api_only, &CHANGE), FILTER_NOTHING);
	webhook_accepted(
		&provider_bitbucket, HEADERS("X-Event-Key: diagnostics:ping"), "{\"test\":true}");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PING);
	webhook_accepted(&provider_ghcr, HEADERS("X-GitHub-Event: ping"), "{}");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_PING);
}
END_TEST

START_TEST(trap_07_headers_are_checked_against_the_configured_one)
{
	struct headers forgejo = HEADERS("X-Forgejo-Event: push", "X-Gitea-Event: push",
		"X-Gogs-Event: push", "X-GitHub-Event: push");
	struct headers gitea =
		HEADERS("X-Gitea-Event: push", "X-Gogs-Event: push", "X-GitHub-Event: push");
	struct headers github = GITHUB, none = HEADERS("User-Agent: Go-http-client/1.1");
	struct headers twice = HEADERS("X-GitHub-Event: ping", "X-GitHub-Event: push");

	ck_assert_ptr_eq(provider_guess(&forgejo), &provider_forgejo);
	ck_assert_ptr_eq(provider_guess(&gitea), &provider_gitea);
	ck_assert_ptr_eq(provider_guess(&github), &provider_github);
	ck_assert_ptr_null(provider_guess(&none));
	ck_assert(!provider_github.sent_by(&gitea));
	ck_assert(!provider_gitlab.sent_by(&github));
	ck_assert(!provider_dockerhub.sent_by(&github));
	ck_assert(provider_gitea.sent_by(&forgejo));
	ck_assert(!provider_github.sent_by(&twice));
	ck_assert_ptr_eq(provider_find("gitea"), &provider_gitea);
	ck_assert_ptr_null(provider_find("git"));
	for (size_t i = 1; providers[i]; i++)
		ck_assert_int_lt(strcmp(providers[i - 1]->name, providers[i]->name), 0);
}
END_TEST

START_TEST(trap_09_all_changes_of_a_push_count)
{
	struct buf b = BUF_INIT(100000);

	buf_adds(&b, "{\"push\":{\"changes\":[");
	for (int i = 0; i < 25; i++)
		buf_addf(&b,
			"%s{\"new\":{\"type\":\"%s\",\"name\":\"n%d\",\"target\":{\"hash\":"
			"\"" COMMIT_A "\",\"message\":\"m%d\",\"author\":{\"raw\":\"A%d "
			"<a@b>\"}}},\"old\":null,\"created\":true}",
			i ? "," : "", i == 1 ? "tag" : "branch", i, i, i);
	buf_adds(&b, "]}}");
	webhook_accepted(&provider_bitbucket, BITBUCKET, buf_str(&b));
	ck_assert_uint_eq(delivery.n_changes, DELIVERY_CHANGES_MAX);
	ck_assert(delivery.cut);
	ck_assert_str_eq(delivery.changes[1].ref, "refs/tags/n1");
	ck_assert_int_eq(delivery.changes[1].kind, DELIVERY_TAG);
	ck_assert_str_eq(delivery.changes[2].ref, "refs/heads/n2");
	ck_assert_str_eq(delivery.changes[2].subject, "m2");
	ck_assert_str_eq(delivery.changes[2].author, "A2");
	buf_done(&b);
}
END_TEST

START_TEST(trap_12_a_delivery_sent_again_has_its_id)
{
	struct headers both = HEADERS(
		"X-Gitlab-Event: Push Hook", "Idempotency-Key: k-1", "X-Gitlab-Event-UUID: u-1");

	webhook_recorded(&provider_gitlab, both, "gitlab/push.json");
	ck_assert_str_eq(delivery.id, "k-1");
	/* What is no id is none: nothing of it is kept in the database. */
	webhook_recorded(&provider_github,
		HEADERS("X-GitHub-Event: push", "X-GitHub-Delivery: a b\"'"), "github/push-4.json");
	ck_assert_str_eq(delivery.id, "");
}
END_TEST

START_TEST(trap_13_only_one_event_of_a_push_deploys)
{
	webhook_recorded(
		&provider_github, HEADERS("X-GitHub-Event: create"), "github/create-0.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);
	webhook_recorded(
		&provider_github, HEADERS("X-GitHub-Event: delete"), "github/delete-0.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_OTHER);
}
END_TEST

START_TEST(trap_15_docker_hub_only_names_a_tag)
{
	const struct filter latest = {.tags = (const char *[]){"latest"}, .n_tags = 1};
	struct headers h = HEADERS("User-Agent: Go-http-client/1.1");

	webhook_recorded(&provider_dockerhub, h, "dockerhub/build-notice.json");
	ck_assert_int_eq(CHANGE.kind, DELIVERY_IMAGE);
	ck_assert_str_eq(CHANGE.ref, "latest");
	ck_assert_str_eq(delivery.repository, "svendowideit/testhook");
	ck_assert_str_eq(delivery.actor, "trustedbuilder");
	ck_assert_str_eq(CHANGE.digest, "");
	ck_assert_int_eq(filter_judge(&latest, &CHANGE), FILTER_DEPLOY);
	/* Digits are a tag like any other; what looks like an address is none. */
	webhook_accepted(
		&provider_dockerhub, h, "{\"push_data\":{\"tag\":\"5000\"},\"repository\":{}}");
	ck_assert_str_eq(CHANGE.ref, "5000");
	ck_assert_int_eq(filter_judge(&latest, &CHANGE), FILTER_REF);
	webhook_refused(
		&provider_dockerhub, h, "{\"push_data\":{\"tag\":\"evil/x:latest\"}}", "tag");
	webhook_refused(&provider_dockerhub, h, "{\"push_data\":{\"tag\":\"-v\"}}", "tag");
}
END_TEST

START_TEST(trap_19_only_the_head_commit_can_skip)
{
	static const char *const words[] = {"[skip ci]", "[CI SKIP]", "text [no ci]",
		"a\\n\\n[skip actions]", "[actions skip]", "[Skip CD]"};
	const struct filter f = {.branches = main_branch, .n_branches = 2, .skip_ci = true};
	char body[1000];

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		(void)snprintf(body, sizeof(body),
			PUSH("refs/heads/main", COMMIT_B, COMMIT_A,
				",\"head_commit\":{\"id\":\"" COMMIT_A "\",\"message\":\"%s\"}"),
			words[i]);
		webhook_accepted(&provider_github, GITHUB, body);
		ck_assert_int_eq(filter_judge(&f, &CHANGE), FILTER_SKIP_CI);
	}
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A,
			",\"commits\":[{\"id\":\"" COMMIT_B
			"\",\"message\":\"[skip ci]\"},{\"id\":\"" COMMIT_A
			"\",\"message\":\"skip ci\"}],\"head_commit\":{\"id\":\"" COMMIT_A
			"\",\"message\":\"skip ci\"}"));
	ck_assert_int_eq(filter_judge(&f, &CHANGE), FILTER_DEPLOY);
	/* Where the head is told in the list only. */
	webhook_accepted(&provider_gitlab, GITLAB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A,
			",\"object_kind\":\"push\",\"commits\":[{\"id\":\"" COMMIT_B
			"\",\"message\":\"x\"},{\"id\":\"" COMMIT_A
			"\",\"message\":\"x [skip ci]\"}],\"checkout_sha\":\"" COMMIT_A "\""));
	ck_assert_int_eq(filter_judge(&f, &CHANGE), FILTER_SKIP_CI);
	/* A message may be missing. */
	webhook_accepted(&provider_github, GITHUB,
		PUSH("refs/heads/main", COMMIT_B, COMMIT_A, ",\"head_commit\":null"));
	ck_assert_int_eq(filter_judge(&f, &CHANGE), FILTER_DEPLOY);
}
END_TEST

RUN_TESTS("provider", github_says_what_was_pushed, gitlab_says_what_was_pushed,
	gitea_forgejo_and_gogs_say_what_was_pushed, bitbucket_says_what_was_pushed,
	the_registry_of_github_says_which_image, anybody_with_a_token_can_ask,
	what_is_missing_is_said, refs_that_are_no_branches_mean_nothing,
	trap_01_a_deleted_branch_is_not_deployed, trap_02_a_new_branch_is_not_one_without_changes,
	trap_03_of_a_forced_push_git_is_asked, trap_04_a_tag_is_no_branch,
	trap_06_a_ping_is_no_push, trap_07_headers_are_checked_against_the_configured_one,
	trap_09_all_changes_of_a_push_count, trap_12_a_delivery_sent_again_has_its_id,
	trap_13_only_one_event_of_a_push_deploys, trap_15_docker_hub_only_names_a_tag,
	trap_19_only_the_head_commit_can_skip)
