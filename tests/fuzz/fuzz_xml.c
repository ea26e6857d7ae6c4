/* An answer of an object store is read to its end or refused for good; elements end in the order in which they began, and text that was
 * taken out, escaped again, is read as the same text. */
#include "custody/text.h"
#include "codec/xml.h"

static void escape(struct cu_span text, struct cu_buf *out)
{
    cu_buf_add_str(out, "<a>");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '&') cu_buf_add_str(out, "&amp;");
        else if (text.p[i] == '<') cu_buf_add_str(out, "&lt;");
        else if (text.p[i] < ' ') cu_buf_addf(out, "&#%u;", (unsigned)text.p[i]);
        else cu_buf_add_byte(out, text.p[i]);
    }
    cu_buf_add_str(out, "</a>");
}

static void read_again(struct cu_span text)
{
    CU_BUF out = cu_buf_heap(6 * CU_XML_TEXT + 16);
    escape(text, &out);
    struct cu_xml x = cu_xml_on(cu_buf_span(&out));
    CU_ASSERT(cu_xml_next(&x) == CU_XML_BEGIN && cu_xml_next(&x) == CU_XML_END);
    CU_ASSERT(cu_xml_at(&x, "a") && cu_span_eq(cu_xml_text(&x), text) && cu_xml_next(&x) == CU_XML_DONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_xml x = cu_xml_on(cu_span(data, size));
    enum cu_xml_event e;
    unsigned depth = 0;
    size_t events = 0;

    while ((e = cu_xml_next(&x)) == CU_XML_BEGIN || e == CU_XML_END) {
        depth = e == CU_XML_BEGIN ? depth + 1 : depth - 1;
        CU_ASSERT(depth == x.depth && depth <= CU_XML_DEPTH && events++ <= size && x.name.n > 0);
        CU_ASSERT(cu_utf8_ok(cu_xml_text(&x)));
        if (e == CU_XML_END) read_again(cu_xml_text(&x));
    }
    CU_ASSERT((e != CU_XML_DONE || (depth == 0 && events > 0)) && cu_xml_next(&x) == e);
    return 0;
}
