/* Streams of sealed bytes, either way, over chunks of 64 KiB.
 *
 * (1) A chunk is sealed or opened as "not the last" only when a byte is there that comes after it.
 * (2) Nothing is given out before its tag was checked.
 * (3) What is held is less than a chunk more than what came in: memory does not grow with the content.
 */
#include "crypto/age_inside.h"

enum { SEALED_CHUNK = CU_AGE_CHUNK + CU_AGE_TAG };
_Static_assert((unsigned)CU_AGE_HEADER_MAX <= (unsigned)SEALED_CHUNK, "a header is gathered where a chunk will be");

/* ---- sealing -------------------------------------------------------------------------------------------------------- */

static cu_status start_under(const struct cu_age_key *key, const struct cu_age_recipient *to, size_t to_n,
                             struct cu_age_seal *ret, struct cu_buf *out, struct cu_err *err)
{
    uint8_t nonce[CU_AGE_NONCE];

    TRY(age_random(nonce, sizeof nonce, err));
    TRY(cu_age_header_put(key, to, to_n, out, err));
    cu_buf_add(out, CU_SPAN_OF(nonce));
    TRY(cu_buf_ok(out, err));
    *ret = (struct cu_age_seal){ 0 };
    return cu_age_cipher_start(key, nonce, &ret->cipher, err);
}

cu_status cu_age_seal_start(const struct cu_age_recipient *to, size_t to_n, struct cu_age_seal *ret, struct cu_buf *out,
                            struct cu_err *err)
{
    struct cu_age_key key;

    TRY(cu_age_key_generate(&key, err));
    cu_status status = start_under(&key, to, to_n, ret, out, err);
    cu_wipe(&key, sizeof key);
    return status;
}

static cu_status seal_chunk(struct cu_age_seal *seal, bool last, struct cu_span plain, struct cu_buf *out, struct cu_err *err)
{
    uint8_t *at = cu_buf_grow(out, plain.n + CU_AGE_TAG);

    TRY(cu_buf_ok(out, err));
    return cu_age_chunk_seal(&seal->cipher, seal->chunk++, last, plain, at, err);
}

/* What is missing to a full chunk, out of `in`. */
static void hold(uint8_t *held, size_t *held_n, size_t full, struct cu_span *in)
{
    const size_t n = in->n < full - *held_n ? in->n : full - *held_n;

    memcpy(held + *held_n, in->p, n);
    *held_n += n;
    *in = cu_span_from(*in, n);
}

cu_status cu_age_seal_add(struct cu_age_seal *seal, struct cu_span plain, struct cu_buf *out, struct cu_err *err)
{
    while (plain.n > 0) {
        if (seal->held_n == CU_AGE_CHUNK) { /* by (1) */
            TRY(seal_chunk(seal, false, CU_SPAN_OF(seal->held), out, err));
            seal->held_n = 0;
        }
        for (; seal->held_n == 0 && plain.n > CU_AGE_CHUNK; plain = cu_span_from(plain, CU_AGE_CHUNK))
            TRY(seal_chunk(seal, false, cu_span(plain.p, CU_AGE_CHUNK), out, err));
        hold(seal->held, &seal->held_n, CU_AGE_CHUNK, &plain);
    }
    return CU_OK;
}

cu_status cu_age_seal_finish(struct cu_age_seal *seal, struct cu_buf *out, struct cu_err *err)
{
    return seal_chunk(seal, true, cu_span(seal->held, seal->held_n), out, err);
}

void cu_age_seal_free(struct cu_age_seal *seal)
{
    if (seal == NULL) return;
    cu_age_cipher_free(&seal->cipher);
    cu_wipe(seal, sizeof *seal); /* content is in it */
}

/* ---- opening -------------------------------------------------------------------------------------------------------- */

void cu_age_open_start(const struct cu_age_identity *by, size_t by_n, struct cu_age_open *ret)
{
    *ret = (struct cu_age_open){ .by = by, .by_n = by_n };
}

static cu_status read_header(struct cu_age_open *open, struct cu_err *err)
{
    const struct cu_span header = cu_span(open->held, open->held_n);

    TRY(cu_age_header_open_granted(header, open->granted, open->by, open->by_n, &open->key, err));
    open->begun = true;
    open->held_n = 0;
    return CU_OK;
}

static cu_status take_header(struct cu_age_open *open, struct cu_span *in, struct cu_err *err)
{
    const struct cu_span all = *in;
    const size_t before = open->held_n;

    hold(open->held, &open->held_n, CU_AGE_HEADER_MAX, in);
    const size_t end = age_header_end(cu_span(open->held, open->held_n), &open->line);
    ENSURE(end > 0 || open->held_n < CU_AGE_HEADER_MAX, err, CU_MALFORMED,
           "not a sealed file: no header ends within its first %d bytes", CU_AGE_HEADER_MAX);
    if (end == 0) return CU_OK;
    *in = cu_span_from(all, end - before);
    open->held_n = end;
    return read_header(open, err);
}

static cu_status take_nonce(struct cu_age_open *open, struct cu_span *in, struct cu_err *err)
{
    hold(open->held, &open->held_n, CU_AGE_NONCE, in);
    if (open->held_n < CU_AGE_NONCE) return CU_OK;
    open->held_n = 0;
    return cu_age_cipher_start(&open->key, open->held, &open->cipher, err);
}

static cu_status open_as(struct cu_age_open *open, bool last, struct cu_span sealed, struct cu_buf *out, struct cu_err *err)
{
    const size_t n = sealed.n - CU_AGE_TAG;
    uint8_t *at = cu_buf_grow(out, n);

    TRY(cu_buf_ok(out, err));
    cu_status status = cu_age_chunk_open(&open->cipher, open->chunk, last, sealed, at, err);
    if (status != CU_OK) out->n -= n;
    return status;
}

/* A full chunk that is none here may be one as the other sort: then it is given out, it is what was sealed, and the failure says what is wrong. */
static cu_status open_chunk(struct cu_age_open *open, bool last, struct cu_span sealed, struct cu_buf *out, struct cu_err *err)
{
    cu_status status = open_as(open, last, sealed, out, err);

    if (status == CU_CORRUPT && sealed.n == SEALED_CHUNK && open_as(open, !last, sealed, out, NULL) == CU_OK)
        return cu_fail(err, CU_CORRUPT,
                       last ? "the sealed bytes are cut off after part %llu: the end is missing; take another copy"
                            : "the sealed bytes end with part %llu, and others follow; take another copy",
                       LLU(open->chunk + 1));
    open->chunk++;
    return status;
}

static cu_status take_chunks(struct cu_age_open *open, struct cu_span *in, struct cu_buf *out, struct cu_err *err)
{
    if (open->held_n == SEALED_CHUNK) { /* by (1) */
        TRY(open_chunk(open, false, CU_SPAN_OF(open->held), out, err));
        open->held_n = 0;
    }
    for (; open->held_n == 0 && in->n > SEALED_CHUNK; *in = cu_span_from(*in, SEALED_CHUNK))
        TRY(open_chunk(open, false, cu_span(in->p, SEALED_CHUNK), out, err));
    hold(open->held, &open->held_n, SEALED_CHUNK, in);
    return CU_OK;
}

cu_status cu_age_open_add(struct cu_age_open *open, struct cu_span sealed, struct cu_buf *out, struct cu_err *err)
{
    while (sealed.n > 0) {
        if (!open->begun) TRY(take_header(open, &sealed, err));
        else if (open->cipher.ctx == NULL) TRY(take_nonce(open, &sealed, err));
        else TRY(take_chunks(open, &sealed, out, err));
    }
    return CU_OK;
}

cu_status cu_age_open_finish(struct cu_age_open *open, struct cu_buf *out, struct cu_err *err)
{
    ENSURE(open->begun, err, CU_MALFORMED, "not a sealed file: it ends before its header does");
    ENSURE(open->cipher.ctx != NULL, err, CU_MALFORMED, "sealed file: it ends before its content begins");
    ENSURE(open->held_n >= CU_AGE_TAG, err, CU_CORRUPT, "the sealed bytes are cut off in part %llu; take another copy",
           LLU(open->chunk + 1));
    ENSURE(open->held_n > CU_AGE_TAG || open->chunk == 0, err, CU_CORRUPT,
           "the sealed bytes end with an empty part, which nobody makes");
    return open_chunk(open, true, cu_span(open->held, open->held_n), out, err);
}

void cu_age_open_free(struct cu_age_open *open)
{
    if (open == NULL) return;
    cu_age_cipher_free(&open->cipher);
    cu_wipe(open, sizeof *open);
}
