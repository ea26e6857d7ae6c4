/* A script of sealing: how long the content is and how it is cut, then what is done to the sealed bytes. Untouched they give the content back;
 * touched, only a beginning of it, and a failure. The first twelve bytes are numbers, the others are the content, repeated. */
#include "custody/age.h"

#include <stdlib.h>

enum { CONTENT_MAX = 300000, ROOM = CONTENT_MAX + 1000 };

static uint8_t content[CONTENT_MAX];
static struct cu_age_seal seal;
static struct cu_age_open open;

static void seal_all(const struct cu_age_identity *who, struct cu_span plain, size_t piece, struct cu_buf *out)
{
    CU_ASSERT(cu_age_seal_start(&who->recipient, 1, &seal, out, NULL) == CU_OK);
    for (size_t n; plain.n > 0; plain = cu_span_from(plain, n)) {
        n = plain.n < piece ? plain.n : piece;
        CU_ASSERT(cu_age_seal_add(&seal, cu_span(plain.p, n), out, NULL) == CU_OK);
    }
    CU_ASSERT(cu_age_seal_finish(&seal, out, NULL) == CU_OK);
    cu_age_seal_free(&seal);
}

static cu_status open_all(const struct cu_age_identity *who, struct cu_span sealed, size_t piece, struct cu_buf *out)
{
    cu_status status = CU_OK;

    cu_age_open_start(who, 1, &open);
    for (size_t n; status == CU_OK && sealed.n > 0; sealed = cu_span_from(sealed, n)) {
        n = sealed.n < piece ? sealed.n : piece;
        status = cu_age_open_add(&open, cu_span(sealed.p, n), out, NULL);
    }
    if (status == CU_OK) status = cu_age_open_finish(&open, out, NULL);
    cu_age_open_free(&open);
    return status;
}

/* Cut off, one bit, or one byte too many; false: left as it is. */
static bool touch(struct cu_buf *sealed, uint8_t how, uint32_t where)
{
    const size_t at = where % sealed->n;

    switch (how % 4) {
    case 1: sealed->n = at; return true;
    case 2: sealed->p[at] ^= (uint8_t)(1u << (how >> 4 & 7)); return true;
    case 3: cu_buf_add_byte(sealed, how); return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct cu_age_identity who;
    CU_BUF sealed = cu_buf_heap(ROOM);
    CU_BUF out = cu_buf_heap(ROOM);

    if (n < 12) return 0;
    if (cu_span_eq(CU_SPAN_OF(who.secret), CU_SPAN_OF((uint8_t[32]){ 0 })))
        CU_ASSERT(cu_age_identity_generate(&who, NULL) == CU_OK);
    const struct cu_span plain = cu_span(content, cu_be32(data) % CONTENT_MAX);
    for (size_t i = 0; i < plain.n; i++) content[i] = data[i % n];
    seal_all(&who, plain, 1 + cu_be16(data + 4) * 2u, &sealed);
    CU_ASSERT(sealed.n == cu_age_sealed_size(1, plain.n));
    const bool touched = touch(&sealed, data[6], cu_be32(data + 8));
    cu_status status = open_all(&who, cu_buf_span(&sealed), 1 + data[7] * 600u, &out);
    CU_ASSERT((status == CU_OK) == !touched);
    CU_ASSERT(cu_span_starts(plain, cu_buf_span(&out)) && (touched || out.n == plain.n));
    return 0;
}
