#include "content/digests.h"

static const enum cu_digest_alg others[] = {
#define ROW(num, name, text, len, ossl) CU_DIGEST_##name,
    CU_DIGEST_TABLE(ROW)
#undef ROW
};
enum { ALGS = sizeof others / sizeof *others };
_Static_assert(ALGS <= CU_DIGESTS_MAX, "every digest may be asked for at once");

cu_status cu_digest_set_start(unsigned algs, struct cu_digest_set *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_digest_set_free) struct cu_digest_set set = { .n = 0 };

    algs |= 1u << CU_DIGEST_SHA256; /* the first row of the table */
    for (size_t i = 0; i < ALGS; i++) {
        if (!(algs >> others[i] & 1)) continue;
        TRY(cu_digest_start(others[i], &set.digest[set.n], err));
        set.n++;
    }
    *ret = set;
    set.n = 0;
    return CU_OK;
}

void cu_digest_set_add(struct cu_digest_set *set, struct cu_span bytes)
{
    for (size_t i = 0; i < set->n; i++) cu_digest_add(&set->digest[i], bytes);
}

void cu_digest_set_finish(struct cu_digest_set *set, struct cu_digest_value ret[CU_DIGESTS_MAX], size_t *ret_n)
{
    for (size_t i = 0; i < set->n; i++) {
        ret[i] = (struct cu_digest_value){ .alg = set->digest[i].alg };
        cu_digest_finish(&set->digest[i], ret[i].bytes);
    }
    *ret_n = set->n;
    set->n = 0;
}

void cu_digest_set_free(struct cu_digest_set *set)
{
    for (size_t i = 0; i < set->n; i++) cu_digest_free(&set->digest[i]);
    set->n = 0;
}

cu_status cu_digest_set_of(unsigned algs, struct cu_span bytes, struct cu_digest_value ret[CU_DIGESTS_MAX], size_t *ret_n,
                           struct cu_err *err)
{
    CU_CLEANUP(cu_digest_set_free) struct cu_digest_set set = { .n = 0 };

    if ((algs & ~(1u << CU_DIGEST_SHA256)) == 0) { /* the usual case, without a context to allocate */
        cu_hash sha256 = cu_sha256(bytes);
        ret[0] = (struct cu_digest_value){ .alg = CU_DIGEST_SHA256 };
        memcpy(ret[0].bytes, sha256.b, sizeof sha256.b);
        *ret_n = 1;
        return CU_OK;
    }
    TRY(cu_digest_set_start(algs, &set, err));
    cu_digest_set_add(&set, bytes);
    cu_digest_set_finish(&set, ret, ret_n);
    return CU_OK;
}
