/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/libraries.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stddef.h>

#include "agent/config_parse.h"
#include "agent/web/http.h"
#include "backup/codec.h"
#include "backup/s3_xml.h"
#include "base/db.h"
#include "base/http_client.h"
#include "collectors/rrd_file.h"
#include "deploy-hooks/json_pull.h"

static const char *libcrypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

const struct library libraries[] = {
	{"jansson", jansson_version_str},
	{"libarchive", codec_library_version},
	{"libconfig", config_parse_library_version},
	{"libcrypto", libcrypto_version},
	{"libcurl", http_client_library_version},
	{"libmicrohttpd", http_library_version},
	{"librrd", rrd_library_version},
	{"libxml2", s3_xml_library_version},
	{"sqlite", db_library_version},
	{"yajl", json_pull_library_version},
	{NULL, NULL},
};
