/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_cure.h"

#include <errno.h>
#include <string.h>

static void cure_of_right(const struct s3_settings *s, const char *right, struct buf *out)
{
	/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
	if (strncmp(right, "s3:ListBucket", 13) == 0)
		buf_addf(out, "allow these keys %s on the bucket %s", right, s->bucket);
	else
		buf_addf(out, "allow these keys %s on %s/%s*", right, s->bucket, s->prefix);
}

static void cure_of_certificate(const struct s3_settings *s, struct buf *out)
{
	if (s->ca_file)
		buf_addf(out,
			"put the certificate of the authority that signed it into %s (ca_file); "
			"the "
			"name in `endpoint` must be one of the certificate's",
			s->ca_file);
	else
		buf_adds(out, "if the service has a certificate authority of its own, set "
			      "`ca_file`; else "
			      "`endpoint` is wrong, or something stands between");
}

static void cure_of_silence(const struct s3_settings *s, struct buf *out)
{
	if (strcmp(s->scheme, "http://") == 0)
		buf_adds(out, "if the service speaks TLS at this port, `endpoint` begins with "
			      "https://; else look at the service, and what stands before it");
	else
		buf_adds(out, "look at the service, and what stands before it");
}

void s3_cure(const struct s3_settings *s, int error, const char *right, struct buf *out)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		cure_of_right(s, right, out);
		return;
	case EKEYREJECTED:
		buf_addf(out, "put the access key and the secret of this service into %s",
			s->credentials_file);
		return;
	case EKEYEXPIRED:
		buf_addf(out, "renew %s: what writes it has not done so for too long",
			s->credentials_file);
		return;
	case ENXIO:
		buf_adds(out, "make the bucket, or correct `bucket` and `endpoint`");
		return;
	case EREMOTE:
		buf_adds(out, "set `region` and `endpoint` to where the bucket is");
		return;
	case EBADE:
		cure_of_certificate(s, out);
		return;
	case ENOKEY:
		buf_addf(out, "put the certificates of the authority as PEM into %s (ca_file)",
			s->ca_file);
		return;
	case ECONNABORTED:
		buf_adds(out, "if the service speaks no TLS at this port, `endpoint` begins with "
			      "http://");
		return;
	case EHOSTUNREACH:
		buf_adds(out, "correct `endpoint`, or mend the DNS of this server");
		return;
	case ECONNREFUSED:
		buf_adds(out, "correct `endpoint` and its port, or start the service");
		return;
	case ECONNRESET:
		cure_of_silence(s, out);
		return;
	case EREMOTEIO:
		buf_adds(out, "the service is not well: look at its state, and try again later");
		return;
	case EINVAL:
	case EOPNOTSUPP:
		buf_adds(out, "the service does not take what it is asked for: look at "
			      "`storage_class`, `sse`, `sse_key_id` and `checksum`");
		return;
	case ETIMEDOUT:
		buf_adds(out, "look for a firewall on the way, or correct `endpoint`");
		return;
	default:
		buf_adds(out, "look at `endpoint`, the network and the service");
	}
}
