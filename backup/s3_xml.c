/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

enum { PATH_MAX_BYTES = 512 };

struct parse {
	xmlParserCtxtPtr xml;
	struct buf path, text;
	size_t path_at[S3_XML_DEPTH_MAX]; /* length of the path before each open element */
	size_t depth;
	s3_xml_fn fn;
	void *user;
	int result;
	bool has_doctype, is_too_much;
};

static void stop(struct parse *p, int result)
{
	p->result = result;
	xmlStopParser(p->xml);
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int n_spaces, const xmlChar **spaces, int n_attributes, int n_defaulted,
	const xmlChar **attributes)
{
	struct parse *p = user;

	(void)prefix, (void)uri, (void)n_spaces, (void)spaces;
	(void)n_attributes, (void)n_defaulted, (void)attributes;
	if (p->result)
		return;
	if (p->depth < S3_XML_DEPTH_MAX) {
		p->path_at[p->depth++] = p->path.len;
		buf_addf(&p->path, "%s%s", p->path.len ? "/" : "", (const char *)name);
		buf_clear(&p->text);
	}
	p->is_too_much = p->path.overflow || p->depth == S3_XML_DEPTH_MAX;
	if (p->is_too_much)
		stop(p, -EBADMSG);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = user;
	int r;

	(void)name, (void)prefix, (void)uri;
	if (p->result)
		return;
	r = p->fn(p->user, buf_str(&p->path), buf_str(&p->text));
	buf_clear(&p->text);
	p->path.len = p->path_at[--p->depth];
	p->path.data[p->path.len] = '\0';
	if (r)
		stop(p, r);
}

static void on_text(void *user, const xmlChar *text, int n)
{
	struct parse *p = user;

	if (p->result)
		return;
	buf_add(&p->text, text, (size_t)n);
	p->is_too_much = p->text.overflow;
	if (p->is_too_much)
		stop(p, -EBADMSG);
}

static void on_doctype(
	void *user, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
	struct parse *p = user;

	(void)name, (void)external_id, (void)system_id;
	p->has_doctype = true;
	stop(p, -EBADMSG);
}

static int end_of(struct parse *p, int rc, struct err *e)
{
	if (p->has_doctype)
		return err_set(e, EBADMSG, "the answer has a document type: not from S3");
	if (p->is_too_much)
		return err_set(e, EBADMSG, "the answer is nested too deep or has too long a text");
	if (p->result)
		return p->result;
	if (rc != 0 || !p->xml->wellFormed)
		return err_set(e, EBADMSG, "the answer is not whole XML");
	return 0;
}

int s3_xml_parse(const char *data, size_t n, s3_xml_fn fn, void *user, struct err *e)
{
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_doctype};
	struct parse p = {.path = BUF_INIT(PATH_MAX_BYTES),
		.text = BUF_INIT(S3_XML_TEXT_MAX),
		.fn = fn,
		.user = user};
	int r;

	if (n == 0 || n > INT_MAX)
		return err_set(e, EBADMSG, "the answer is not whole XML");
	p.xml = xmlCreatePushParserCtxt(&sax, &p, NULL, 0, NULL);
	if (!p.xml)
		return err_set(e, ENOMEM, "no memory for the XML parser");
	(void)xmlCtxtUseOptions(p.xml, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	r = end_of(&p, xmlParseChunk(p.xml, data, (int)n, 1), e);
	xmlFreeParserCtxt(p.xml);
	buf_done(&p.path);
	buf_done(&p.text);
	return r;
}

const char *s3_xml_library_version(void)
{
	return LIBXML_DOTTED_VERSION;
}
