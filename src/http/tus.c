/* See tus.h. */
#include "http/tus.h"

#include "custody/text.h"

static struct cu_span trimmed(struct cu_span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) s = cu_span_from(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* The part up to the next `sep`, or all that is left. */
static bool next_part(struct cu_span *rest, char sep, struct cu_span *ret)
{
    if (rest->n == 0) return false;
    if (!cu_span_split(rest, sep, ret)) *ret = *rest, *rest = CU_SPAN_EMPTY;
    *ret = trimmed(*ret);
    return true;
}

cu_status cu_tus_claim(struct cu_span metadata, cu_hash *ret, struct cu_err *err)
{
    struct cu_span pair, key;
    uint8_t hex[64];
    cu_hash id;

    while (next_part(&metadata, ',', &pair)) {
        if (!next_part(&pair, ' ', &key) || !cu_span_is(key, "claim")) continue;
        ENSURE(cu_base64_exact(trimmed(pair), hex, sizeof hex, NULL) == CU_OK &&
                   cu_hex_read(CU_SPAN_OF(hex), id.b, sizeof id.b, NULL) == CU_OK,
               err, CU_MALFORMED, "Upload-Metadata: claim is the base64 of 64 hex digits");
        *ret = id;
        return CU_OK;
    }
    return cu_fail(err, CU_MALFORMED, "Upload-Metadata does not name the claim that the bytes are for: claim BASE64(its id)");
}

cu_status cu_tus_checksum(struct cu_span header, struct cu_tus_checksum *ret, struct cu_err *err)
{
    struct cu_tus_checksum out = { .alg = CU_DIGEST_NONE };
    struct cu_span name, rest = header;

    if (next_part(&rest, ' ', &name))
        out.alg = cu_span_is(name, "sha1") ? CU_DIGEST_SHA1 : cu_span_is(name, "sha256") ? CU_DIGEST_SHA256 : CU_DIGEST_NONE;
    ENSURE(out.alg != CU_DIGEST_NONE && cu_base64_exact(trimmed(rest), out.value, cu_digest_len(out.alg), NULL) == CU_OK, err,
           CU_MALFORMED, "Upload-Checksum is sha1 or sha256, a space, and the digest in base64");
    *ret = out;
    return CU_OK;
}

cu_status cu_tus_number(const char *name, struct cu_span header, uint64_t *ret, struct cu_err *err)
{
    ENSURE(cu_decimal_read(trimmed(header), INT64_MAX, ret, NULL) == CU_OK, err, CU_MALFORMED, "%s is a decimal number", name);
    return CU_OK;
}
