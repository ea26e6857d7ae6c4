/* The answers of an object store: a strict reader of the little XML that they are written in.
 *
 * Elements, attributes (looked at and dropped), text, character references and the five named entities; an XML declaration may come
 * first. Comments, CDATA, processing instructions, document types and text beside elements are refused: no store sends them.
 */
#ifndef CU_CODEC_XML_H
#define CU_CODEC_XML_H

#include "custody/types.h"

#define CU_XML_DEPTH 12
#define CU_XML_TEXT 4096

enum cu_xml_event { CU_XML_BEGIN, CU_XML_END, CU_XML_DONE, CU_XML_BAD };

struct cu_xml {
    struct cu_span rest;
    struct cu_span name;                /* of the element that began or ended */
    unsigned depth;                     /* elements that are open; at END without the one that ended */
    struct cu_span open[CU_XML_DEPTH];
    bool started, leaf, closing;        /* leaf: nothing but text so far; closing: it was <name/> */
    size_t text_n;
    uint8_t text[CU_XML_TEXT];          /* of a leaf, at END, decoded: UTF-8 without NUL */
};
struct cu_xml cu_xml_on(struct cu_span text);
/** BAD and DONE are said again however often one asks. */
enum cu_xml_event cu_xml_next(struct cu_xml *x);
static inline struct cu_span cu_xml_text(const struct cu_xml *x) { return cu_span(x->text, x->text_n); }
/** Is the element that just ended `path`: its parents from the root and itself, as "ListVersionsResult/Version/Key"? */
bool cu_xml_at(const struct cu_xml *x, const char *path);

#endif
