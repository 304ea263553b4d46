/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/auth.h"
#include "agent/web/login_limit.h"
#include "agent/web/role_cache.h"

#define SESSION "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(bearer_token_is_taken_from_the_header)
{
	char token[AUTH_TOKEN_MAX];

	ck_assert(auth_parse_bearer("Bearer abc-123", token));
	ck_assert_str_eq(token, "abc-123");
	ck_assert(auth_parse_bearer("bearer  abc", token));
	ck_assert_str_eq(token, "abc");
}
END_TEST

START_TEST(other_authorization_is_refused)
{
	char token[AUTH_TOKEN_MAX] = "untouched";
	char long_one[AUTH_TOKEN_MAX + 16] = "Bearer ";

	ck_assert(!auth_parse_bearer("", token));
	ck_assert(!auth_parse_bearer("Bearer", token));
	ck_assert(!auth_parse_bearer("Bearer ", token));
	ck_assert(!auth_parse_bearer("Basic YWRtaW46", token));
	ck_assert(!auth_parse_bearer("abc", token));
	ck_assert(!auth_parse_bearer("Bearer a b", token));
	ck_assert(!auth_parse_bearer("Bearer a\x7f", token));
	ck_assert(!auth_parse_bearer("Bearer a\xc3\xa4", token));
	memset(long_one + 7, 'a', AUTH_TOKEN_MAX);
	ck_assert(!auth_parse_bearer(long_one, token));
	ck_assert_str_eq(token, "untouched");
	long_one[7 + AUTH_TOKEN_MAX - 1] = '\0';
	ck_assert(auth_parse_bearer(long_one, token));
}
END_TEST

START_TEST(session_is_found_among_cookies)
{
	char s[AUTH_SESSION_LEN + 1];

	ck_assert(auth_parse_cookie("agent_session=" SESSION, s));
	ck_assert_str_eq(s, SESSION);
	ck_assert(auth_parse_cookie("theme=dark; agent_session=" SESSION "; x=y", s));
	ck_assert(auth_parse_cookie("theme=dark;agent_session=" SESSION, s));
}
END_TEST

START_TEST(what_is_no_session_is_not_taken)
{
	char s[AUTH_SESSION_LEN + 1];

	ck_assert(!auth_parse_cookie("", s));
	ck_assert(!auth_parse_cookie("agent_session=", s));
	ck_assert(!auth_parse_cookie("agent_session=" SESSION "0", s));
	ck_assert(!auth_parse_cookie("agent_session=123", s));
	ck_assert(!auth_parse_cookie("agent_session=\"" SESSION "\"", s));
	ck_assert(!auth_parse_cookie("not_agent_session=" SESSION, s));
	ck_assert(!auth_parse_cookie("x=agent_session=" SESSION, s));
}
END_TEST

START_TEST(host_is_checked_against_the_list)
{
	const char *const any[] = {NULL};
	const char *const some[] = {"agent.example.com", "vps1", NULL};

	ck_assert(auth_host_matches("whatever:80", any));
	ck_assert(auth_host_matches("", any));
	ck_assert(auth_host_matches("agent.example.com", some));
	ck_assert(auth_host_matches("Agent.Example.Com.:4500", some));
	ck_assert(auth_host_matches("vps1:4500", some));
	ck_assert(!auth_host_matches("evil.example", some));
	ck_assert(!auth_host_matches("agent.example.com.evil.example", some));
	ck_assert(!auth_host_matches("", some));
	ck_assert(!auth_host_matches(":4500", some));
}
END_TEST

START_TEST(addresses_cannot_be_rebound_and_are_allowed)
{
	const char *const some[] = {"agent.example.com", NULL};

	ck_assert(auth_host_matches("127.0.0.1:4500", some));
	ck_assert(auth_host_matches("203.0.113.9", some));
	ck_assert(auth_host_matches("[2001:db8::1]:4500", some));
	ck_assert(auth_host_matches("localhost:4500", some));
	ck_assert(!auth_host_matches("127.0.0.1.evil.example", some));
	ck_assert(!auth_host_matches("[::1", some));
}
END_TEST

START_TEST(origin_must_be_this_host)
{
	ck_assert(auth_same_site("http://vps1:4500", NULL, "vps1:4500"));
	ck_assert(auth_same_site("https://Agent.example.com", NULL, "agent.example.com"));
	ck_assert(!auth_same_site("http://evil.example", NULL, "vps1:4500"));
	ck_assert(!auth_same_site("http://vps1:8080", NULL, "vps1:4500"));
	ck_assert(!auth_same_site("http://vps1:4500.evil.example", NULL, "vps1:4500"));
	ck_assert(!auth_same_site("null", NULL, "vps1:4500"));
	ck_assert(!auth_same_site(NULL, NULL, "vps1:4500"));
	ck_assert(!auth_same_site("http://vps1", NULL, NULL));
}
END_TEST

START_TEST(what_the_browser_says_of_the_page_counts_first)
{
	ck_assert(auth_same_site(NULL, "same-origin", "vps1:4500"));
	/* A proxy may change the Host; the browser's word still stands. */
	ck_assert(auth_same_site("https://agent.example.com", "same-origin", "127.0.0.1:4500"));
	ck_assert(!auth_same_site("http://vps1:4500", "cross-site", "vps1:4500"));
	ck_assert(!auth_same_site("http://vps1:4500", "same-site", "vps1:4500"));
	ck_assert(!auth_same_site(NULL, "none", "vps1:4500"));
}
END_TEST

static struct peer_key key(const char *text)
{
	struct peer_key k;

	ck_assert_msg(peer_key_parse(text, &k), "%s", text);
	return k;
}

START_TEST(five_failures_in_a_minute_make_a_client_wait)
{
	struct login_limit *l = login_limit_new();
	struct peer_key a = key("203.0.113.9"), b = key("203.0.113.10");

	for (int i = 0; i < LOGIN_FAILURES_MAX; i++) {
		ck_assert_int_eq(login_limit_wait_ms(l, &a, 1000 + i * 1000), 0);
		login_limit_failed(l, &a, 1000 + i * 1000);
	}
	ck_assert_int_eq(login_limit_wait_ms(l, &a, 6000), 55000);
	ck_assert_int_eq(login_limit_wait_ms(l, &b, 6000), 0);
	/* When the first is a minute old one more try is free, and a failure then waits for the
	 * second. */
	ck_assert_int_eq(login_limit_wait_ms(l, &a, 61000), 0);
	login_limit_failed(l, &a, 61000);
	ck_assert_int_eq(login_limit_wait_ms(l, &a, 61000), 1000);
	ck_assert_int_eq(login_limit_wait_ms(l, &a, 70000), 0);
	ck_assert_int_eq(login_limit_wait_ms(l, &a, 200000), 0);
	login_limit_free(l);
}
END_TEST

START_TEST(slow_failures_never_make_a_client_wait)
{
	struct login_limit *l = login_limit_new();
	struct peer_key a = key("203.0.113.9");

	for (int64_t i = 1; i < 20000; i++) {
		login_limit_failed(l, &a, i * 15000);
		ck_assert_int_eq(login_limit_wait_ms(l, &a, i * 15000), 0);
	}
	login_limit_free(l);
}
END_TEST

START_TEST(many_clients_push_out_the_quietest_only)
{
	struct login_limit *l = login_limit_new();
	struct peer_key a = key("203.0.113.9"), other;
	char text[32];

	for (int i = 0; i < LOGIN_FAILURES_MAX; i++)
		login_limit_failed(l, &a, 10000);
	for (int i = 0; i < LOGIN_CLIENTS_MAX - 1; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
		other = key(text);
		login_limit_failed(l, &other, 5000);
	}
	other = key("198.51.100.1");
	login_limit_failed(l, &other, 11000);
	ck_assert_int_gt(login_limit_wait_ms(l, &a, 12000), 0);
	login_limit_free(l);
}
END_TEST

START_TEST(ipv6_clients_are_counted_by_their_network)
{
	struct peer_key a = key("2001:db8:1:2::1"), b = key("2001:db8:1:2:ffff::9"),
			c = key("2001:db8:1:3::1");

	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_mem_ne(&a, &c, sizeof(a));
	a = key("203.0.113.9");
	b = key("::ffff:203.0.113.9");
	c = key("203.0.113.10");
	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_mem_ne(&a, &c, sizeof(a));
}
END_TEST

START_TEST(addresses_are_read_as_proxies_write_them)
{
	struct peer_key a = key("203.0.113.9"), b = key("203.0.113.9:5000"),
			c = key("[2001:db8::1]:443"), d = key("2001:db8::1");
	struct peer_key bad;

	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_mem_eq(&c, &d, sizeof(c));
	ck_assert(!peer_key_parse("", &bad));
	ck_assert(!peer_key_parse("unknown", &bad));
	ck_assert(!peer_key_parse("[::1", &bad));
	ck_assert(!peer_key_parse("1.2.3", &bad));
}
END_TEST

START_TEST(private_addresses_are_known)
{
	static const char *const private[] = {"127.0.0.1", "::1", "10.1.2.3", "172.16.0.1",
		"172.31.255.255", "192.168.1.1", "169.254.1.1", "fd00::1", "fe80::1"};
	static const char *const public[] = {
		"203.0.113.9", "172.32.0.1", "192.169.0.1", "11.0.0.1", "2001:db8::1", "::2"};

	for (size_t i = 0; i < ARRAY_LEN(private); i++) {
		struct peer_key k = key(private[i]);

		ck_assert_msg(peer_is_private(&k), "%s", private[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(public); i++) {
		struct peer_key k = key(public[i]);

		ck_assert_msg(!peer_is_private(&k), "%s", public[i]);
	}
}
END_TEST

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage s = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s;

	s.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (s.ss_family == AF_INET)
		ck_assert_int_eq(inet_pton(AF_INET, text, &v4->sin_addr), 1);
	else
		ck_assert_int_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	return s;
}

static void client_is(const char *peer, const char *forwarded, const char *expected)
{
	struct sockaddr_storage s = address(peer);
	struct peer_key k = peer_client((const struct sockaddr *)&s, forwarded);
	struct peer_key want = key(expected);

	char text[PEER_TEXT_MAX];

	ck_assert_msg(memcmp(&k, &want, sizeof(k)) == 0, "%s, %s", peer, forwarded);
	peer_client_text((const struct sockaddr *)&s, forwarded, text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

START_TEST(behind_a_proxy_the_client_is_who_the_proxy_saw)
{
	client_is("127.0.0.1", "203.0.113.9", "203.0.113.9");
	client_is("172.18.0.2", "198.51.100.1, 203.0.113.9", "203.0.113.9");
	client_is("::1", "\"[2001:db8::1]:443\"", "2001:db8::1");
	client_is("127.0.0.1", NULL, "127.0.0.1");
	client_is("127.0.0.1", "unknown", "127.0.0.1");
	client_is("127.0.0.1", "", "127.0.0.1");
	/* From outside the header is anybody's invention. */
	client_is("203.0.113.9", "198.51.100.1", "203.0.113.9");
}
END_TEST

START_TEST(peers_are_shown_as_people_write_them)
{
	struct sockaddr_storage s = address("::ffff:203.0.113.9");
	char text[PEER_TEXT_MAX];

	peer_text((const struct sockaddr *)&s, text, sizeof(text));
	ck_assert_str_eq(text, "203.0.113.9");
	s = address("2001:db8::1");
	peer_text((const struct sockaddr *)&s, text, sizeof(text));
	ck_assert_str_eq(text, "2001:db8::1");
	s.ss_family = AF_UNIX;
	peer_text((const struct sockaddr *)&s, text, sizeof(text));
	ck_assert_str_eq(text, "local");
}
END_TEST

START_TEST(connections_are_counted_per_peer)
{
	struct peer_key a = key("203.0.113.9"), b = key("203.0.113.10"), c = key("203.0.113.11");
	struct peer_counts n;

	peer_counts_init(&n, 2);
	peer_counts_add(&n, &a);
	peer_counts_add(&n, &a);
	peer_counts_add(&n, &b);
	ck_assert_uint_eq(peer_counts_get(&n, &a), 2);
	ck_assert_uint_eq(peer_counts_get(&n, &b), 1);
	ck_assert_uint_eq(peer_counts_get(&n, &c), 0);
	peer_counts_remove(&n, &a);
	peer_counts_remove(&n, &a);
	ck_assert_uint_eq(peer_counts_get(&n, &a), 0);
	peer_counts_add(&n, &c);
	ck_assert_uint_eq(peer_counts_get(&n, &c), 1);
	ck_assert_uint_eq(peer_counts_get(&n, &b), 1);
	peer_counts_done(&n);
}
END_TEST

START_TEST(a_role_is_remembered_for_a_minute)
{
	struct role_cache *c = role_cache_new();

	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "t", 1000), ROLE_NONE);
	role_cache_put(c, CREDENTIAL_TOKEN, "t", ROLE_ADMIN, 1000);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "t", 60999), ROLE_ADMIN);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "t", 61000), ROLE_NONE);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "T", 1000), ROLE_NONE);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_SESSION, "t", 1000), ROLE_NONE);
	role_cache_put(c, CREDENTIAL_TOKEN, "t", ROLE_VIEWER, 70000);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "t", 70000), ROLE_VIEWER);
	role_cache_free(c);
}
END_TEST

START_TEST(a_role_can_be_forgotten)
{
	struct role_cache *c = role_cache_new();

	role_cache_put(c, CREDENTIAL_SESSION, "a", ROLE_VIEWER, 1000);
	role_cache_put(c, CREDENTIAL_SESSION, "b", ROLE_VIEWER, 1000);
	role_cache_forget(c, CREDENTIAL_SESSION, "a");
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_SESSION, "a", 1000), ROLE_NONE);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_SESSION, "b", 1000), ROLE_VIEWER);
	role_cache_clear(c);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_SESSION, "b", 1000), ROLE_NONE);
	role_cache_free(c);
}
END_TEST

START_TEST(the_role_cache_is_bounded)
{
	struct role_cache *c = role_cache_new();
	char text[16];

	for (int i = 0; i < ROLE_CACHE_MAX + 1; i++) {
		(void)snprintf(text, sizeof(text), "t%d", i);
		role_cache_put(c, CREDENTIAL_TOKEN, text, ROLE_VIEWER, 1000 + i);
	}
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "t0", 2000), ROLE_NONE);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, "t1", 2000), ROLE_VIEWER);
	ck_assert_int_eq(role_cache_get(c, CREDENTIAL_TOKEN, text, 2000), ROLE_VIEWER);
	role_cache_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth");
	TCase *t = tcase_create("auth");
	SRunner *sr;
	int failed;

	tcase_add_test(t, bearer_token_is_taken_from_the_header);
	tcase_add_test(t, other_authorization_is_refused);
	tcase_add_test(t, session_is_found_among_cookies);
	tcase_add_test(t, what_is_no_session_is_not_taken);
	tcase_add_test(t, host_is_checked_against_the_list);
	tcase_add_test(t, addresses_cannot_be_rebound_and_are_allowed);
	tcase_add_test(t, origin_must_be_this_host);
	tcase_add_test(t, what_the_browser_says_of_the_page_counts_first);
	tcase_add_test(t, five_failures_in_a_minute_make_a_client_wait);
	tcase_add_test(t, slow_failures_never_make_a_client_wait);
	tcase_add_test(t, many_clients_push_out_the_quietest_only);
	tcase_add_test(t, ipv6_clients_are_counted_by_their_network);
	tcase_add_test(t, addresses_are_read_as_proxies_write_them);
	tcase_add_test(t, private_addresses_are_known);
	tcase_add_test(t, behind_a_proxy_the_client_is_who_the_proxy_saw);
	tcase_add_test(t, peers_are_shown_as_people_write_them);
	tcase_add_test(t, connections_are_counted_per_peer);
	tcase_add_test(t, a_role_is_remembered_for_a_minute);
	tcase_add_test(t, a_role_can_be_forgotten);
	tcase_add_test(t, the_role_cache_is_bounded);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
