/* SPDX-License-Identifier: Apache-2.0
 *
 * An S3 server that keeps nothing but counts: for streams larger than any disk here. Signatures are not looked
 * at. Small objects (manifests) are kept, of large ones only their size.
 *
 *   null_s3 PORTFILE     writes its port there, serves until SIGTERM, then prints what it counted as JSON
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OBJECTS_MAX = 1024, KEPT_MAX = 4 << 20 };

static struct object {
	char key[512];
	uint64_t bytes, parts;
	char *kept; /* NULL: too large */
} objects[OBJECTS_MAX];
static size_t n_objects;
static uint64_t all_bytes, all_parts, most_parts;

struct request {
	EVP_MD_CTX *md5;
	uint64_t bytes;
	char *kept;
};

static struct object *object_of(const char *key)
{
	for (size_t i = 0; i < n_objects; i++)
		if (strcmp(objects[i].key, key) == 0)
			return &objects[i];
	if (n_objects == OBJECTS_MAX)
		abort();
	(void)snprintf(objects[n_objects].key, sizeof(objects[0].key), "%s", key);
	return &objects[n_objects++];
}

static enum MHD_Result answer(
	struct MHD_Connection *c, unsigned status, const char *text, const char *etag)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(text), (void *)(size_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	if (etag)
		(void)MHD_add_response_header(r, "ETag", etag);
	ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static ssize_t zeros(void *user, uint64_t at, char *to, size_t n)
{
	(void)user;
	(void)at;
	memset(to, 0, n);
	return (ssize_t)n;
}

static enum MHD_Result get(struct MHD_Connection *c, const char *key)
{
	struct object *o = object_of(key);
	struct MHD_Response *r;
	enum MHD_Result ok;

	if (!o->bytes)
		return answer(c, 404, "<Error><Code>NoSuchKey</Code></Error>", NULL);
	r = o->kept ? MHD_create_response_from_buffer(o->bytes, o->kept, MHD_RESPMEM_PERSISTENT)
		    : MHD_create_response_from_callback(o->bytes, 1 << 16, zeros, NULL, NULL);
	(void)MHD_add_response_header(r, "ETag", "\"0\"");
	ok = MHD_queue_response(c, 200, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result list(struct MHD_Connection *c, const char *prefix)
{
	static char text[1 << 18];
	size_t n = (size_t)snprintf(
		text, sizeof(text), "<ListBucketResult><IsTruncated>false</IsTruncated>");

	for (size_t i = 0; i < n_objects; i++) {
		const char *key = strchr(objects[i].key + 1, '/');

		if (objects[i].bytes && key && strncmp(key + 1, prefix, strlen(prefix)) == 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
				"<Contents><Key>%s</Key><LastModified>2026-11-21T00:00:00.000Z</"
				"LastModified>"
				"<ETag>&quot;0&quot;</ETag><Size>%" PRIu64 "</Size></Contents>",
				key + 1, objects[i].bytes);
	}
	(void)snprintf(text + n, sizeof(text) - n, "</ListBucketResult>");
	return answer(c, 200, text, NULL);
}

static enum MHD_Result put(
	struct MHD_Connection *c, const char *key, struct request *rq, bool is_part)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	struct object *o = object_of(key);
	char etag[64] = "\"";
	unsigned n;

	(void)EVP_DigestFinal_ex(rq->md5, md, &n);
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(etag + 1 + 2 * i, 3, "%02x", md[i]);
	(void)strcat(etag, "\"");
	o->bytes += rq->bytes;
	all_bytes += rq->bytes;
	if (is_part) {
		all_parts++;
		if (++o->parts > most_parts)
			most_parts = o->parts;
	} else {
		free(o->kept);
		o->kept = rq->kept;
		o->bytes = rq->bytes;
		rq->kept = NULL;
	}
	return answer(c, 200, "", etag);
}

static enum MHD_Result post(struct MHD_Connection *c, const char *key, bool begins)
{
	char text[256];

	if (begins)
		return answer(c, 200,
			"<InitiateMultipartUploadResult><UploadId>1</UploadId></"
			"InitiateMultipartUploadResult>",
			NULL);
	(void)snprintf(text, sizeof(text),
		"<CompleteMultipartUploadResult><ETag>&quot;0-%" PRIu64
		"&quot;</ETag></CompleteMultipartUploadResult>",
		object_of(key)->parts);
	return answer(c, 200, text, NULL);
}

static void take(struct request *rq, const char *data, size_t n)
{
	(void)EVP_DigestUpdate(rq->md5, data, n);
	if (rq->bytes + n <= KEPT_MAX) {
		rq->kept = realloc(rq->kept, rq->bytes + n);
		memcpy(rq->kept + rq->bytes, data, n);
	} else {
		free(rq->kept);
		rq->kept = NULL;
	}
	rq->bytes += n;
}

static enum MHD_Result dispatch(
	struct MHD_Connection *c, const char *key, const char *method, struct request *rq)
{
	const char *prefix = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "prefix");
	bool uploads = MHD_lookup_connection_value_n(
			       c, MHD_GET_ARGUMENT_KIND, "uploads", 7, NULL, NULL) == MHD_YES;
	bool upload = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "uploadId") != NULL;

	if (strcmp(method, "PUT") == 0)
		return put(c, key, rq, upload);
	if (strcmp(method, "POST") == 0)
		return post(c, key, uploads);
	if (strcmp(method, "DELETE") == 0)
		return answer(c, 204, "", NULL);
	if (uploads)
		return answer(c, 200,
			"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></"
			"ListMultipartUploadsResult>",
			NULL);
	if (MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "list-type"))
		return list(c, prefix ? prefix : "");
	return get(c, key);
}

static enum MHD_Result handle(void *user, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *n, void **state)
{
	struct request *rq = *state;

	(void)user;
	(void)version;
	if (!rq) {
		*state = rq = calloc(1, sizeof(*rq));
		rq->md5 = EVP_MD_CTX_new();
		(void)EVP_DigestInit_ex(rq->md5, EVP_md5(), NULL);
		return MHD_YES;
	}
	if (*n) {
		take(rq, data, *n);
		*n = 0;
		return MHD_YES;
	}
	return dispatch(c, url, method, rq);
}

static void done(
	void *user, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct request *rq = *state;

	(void)user;
	(void)c;
	(void)why;
	if (!rq)
		return;
	EVP_MD_CTX_free(rq->md5);
	free(rq->kept);
	free(rq);
}

int main(int argc, char **argv)
{
	struct sockaddr_in loopback = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *d;
	sigset_t term;
	FILE *f;
	int signo;

	if (argc != 2)
		return 2;
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, done, NULL, MHD_OPTION_SOCK_ADDR, &loopback,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)1 << 20, MHD_OPTION_END);
	f = d ? fopen(argv[1], "w") : NULL;
	if (!f)
		return 1;
	(void)fprintf(f, "%u", (unsigned)MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	(void)fclose(f);
	(void)sigwait(&term, &signo);
	MHD_stop_daemon(d);
	printf("{\"bytes\": %" PRIu64 ", \"parts\": %" PRIu64 ", \"most_parts\": %" PRIu64 "}\n",
		all_bytes, all_parts, most_parts);
	return 0;
}
