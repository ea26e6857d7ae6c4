/* OpenSSL out of memory at its n-th allocation, for every n: sealing and opening say so. Nothing is called malformed, altered or for somebody else,
 * no byte comes out that was not sealed, and nothing is left behind (LeakSanitizer looks on). */
#include "custody/age.h"

#include "support.h"

#include <openssl/crypto.h>

static size_t allowed = SIZE_MAX;

static bool may(void) { return allowed == SIZE_MAX || (allowed > 0 && allowed-- > 0); }
static void *counting_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return may() ? malloc(n) : NULL;
}
static void *counting_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return may() ? realloc(p, n) : NULL;
}
static void counting_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static struct cu_age_identity who;

static cu_status seal(struct cu_buf *out, struct cu_err *err)
{
    struct cu_age_seal seal = { .held_n = 0 };
    cu_status status = cu_age_seal_start(&who.recipient, 1, &seal, out, err);

    if (status == CU_OK) status = cu_age_seal_add(&seal, cu_span_str("red car"), out, err);
    if (status == CU_OK) status = cu_age_seal_finish(&seal, out, err);
    cu_age_seal_free(&seal);
    return status;
}

static cu_status unseal(struct cu_span sealed, struct cu_buf *out, struct cu_err *err)
{
    struct cu_age_open open;

    cu_age_open_start(&who, 1, &open);
    cu_status status = cu_age_open_add(&open, sealed, out, err);
    if (status == CU_OK) status = cu_age_open_finish(&open, out, err);
    cu_age_open_free(&open);
    return status;
}

static void sealing_fails_as_a_whole(void **state)
{
    cu_status status = CU_CRYPTO;

    (void)state;
    for (size_t n = 0; status != CU_OK; n++) {
        CU_BUF out = cu_buf_heap(1000);
        allowed = n;
        status = seal(&out, NULL);
        allowed = SIZE_MAX;
        assert_true(status == CU_OK || status == CU_CRYPTO);
        assert_true(n < 10000);
    }
}

static void opening_fails_as_what_it_is(void **state)
{
    cu_status status = CU_CRYPTO;
    CU_BUF sealed = cu_buf_heap(1000);

    (void)state;
    assert_ok(seal(&sealed, NULL));
    for (size_t n = 0; status != CU_OK; n++) {
        CU_BUF out = cu_buf_heap(1000);
        struct cu_err err = { 0 };
        allowed = n;
        status = unseal(cu_buf_span(&sealed), &out, &err);
        allowed = SIZE_MAX;
        if (status != CU_OK && status != CU_CRYPTO) fail_msg("allocation %zu: %s, %s", n, cu_status_name(status), err.text);
        assert_int_equal(out.n, status == CU_OK ? 7 : 0);
        assert_true(n < 10000);
    }
}

static void keys_are_made_or_not(void **state)
{
    cu_status status = CU_CRYPTO;

    (void)state;
    for (size_t n = 0; status != CU_OK; n++) {
        struct cu_age_identity other;
        allowed = n;
        status = cu_age_identity_generate(&other, NULL);
        allowed = SIZE_MAX;
        assert_true(status == CU_OK || status == CU_CRYPTO);
        assert_true(n < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealing_fails_as_a_whole),
        cmocka_unit_test(opening_fails_as_what_it_is),
        cmocka_unit_test(keys_are_made_or_not),
    };

    if (CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) != 1) return 1;
    /* once with memory: what OpenSSL sets up on first use (its generator of chance among it) stays broken when that fails */
    CU_BUF sealed = cu_buf_heap(1000);
    CU_BUF out = cu_buf_heap(1000);
    if (cu_age_identity_generate(&who, NULL) != CU_OK || seal(&sealed, NULL) != CU_OK) return 1;
    if (unseal(cu_buf_span(&sealed), &out, NULL) != CU_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
