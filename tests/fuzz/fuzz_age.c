/* Any bytes as a sealed file: the same answer and the same content however they are cut; a header that is read has one spelling; what a
 * known key can open keeps its content when it is sealed anew. */
#include "crypto/age_inside.h"
#include "custody/text.h"

#include <stdlib.h>

/* The identity of the published vectors, so that they are a corpus. */
static const char secret[] = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

static cu_status open_all(const struct cu_age_identity *by, struct cu_span sealed, size_t piece, struct cu_buf *out)
{
    static struct cu_age_open open;
    cu_status status = CU_OK;

    cu_age_open_start(by, 1, &open);
    while (sealed.n > 0 && status == CU_OK) {
        const size_t n = sealed.n < piece ? sealed.n : piece;
        status = cu_age_open_add(&open, cu_span(sealed.p, n), out, NULL);
        sealed = cu_span_from(sealed, n);
    }
    if (status == CU_OK) status = cu_age_open_finish(&open, out, NULL);
    cu_age_open_free(&open);
    return status;
}

static void put_body(struct cu_buf *out, struct cu_span lines)
{
    struct cu_span line;

    while (cu_span_split(&lines, '\n', &line)) {
        CU_BUF bytes = cu_buf_heap(48);
        CU_ASSERT(cu_base64_raw_read(line, &bytes, NULL) == CU_OK);
        cu_base64_raw_put(out, cu_buf_span(&bytes));
        cu_buf_add_byte(out, '\n');
    }
}

/* Written again from its parts it is the same. */
static void header_again(struct cu_span text)
{
    struct age_header header;
    struct age_stanza stanza;
    CU_BUF again = cu_buf_heap(2 * CU_AGE_HEADER_MAX);

    if (age_header_read(text, &header, NULL) != CU_OK) return;
    cu_buf_add_str(&again, "age-encryption.org/v1\n");
    for (struct cu_span rest = header.stanzas; rest.n > 0;) {
        CU_ASSERT(age_stanza_next(&rest, &stanza, NULL) == CU_OK);
        cu_buf_add_str(&again, "-> ");
        cu_buf_add(&again, stanza.args);
        cu_buf_add_byte(&again, '\n');
        put_body(&again, stanza.lines);
    }
    cu_buf_add_str(&again, "---");
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), header.maced));
    cu_buf_add_byte(&again, ' ');
    cu_base64_raw_put(&again, CU_SPAN_OF(header.mac));
    cu_buf_add_byte(&again, '\n');
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_age_identity by;
    const struct cu_span sealed = cu_span(data, n);
    CU_BUF whole = cu_buf_heap(n + 1);
    CU_BUF pieces = cu_buf_heap(n + 1);

    CU_ASSERT(cu_age_identity_read(cu_span_str(secret), &by, NULL) == CU_OK);
    cu_status status = open_all(&by, sealed, n + 1, &whole);
    CU_ASSERT(open_all(&by, sealed, 1 + (n > 0 ? data[n - 1] : 0), &pieces) == status);
    CU_ASSERT(cu_span_eq(cu_buf_span(&whole), cu_buf_span(&pieces)));
    CU_ASSERT(status == CU_OK || status == CU_CORRUPT || whole.n == 0);
    header_again(cu_span(data, cu_age_header_end(sealed)));
    return 0;
}
