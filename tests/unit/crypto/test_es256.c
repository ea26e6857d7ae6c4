/* r‖s to DER and back: one encoding each way. */
#include "crypto/ossl.h"

#include "support.h"

static void raw_bytes_survive_the_way_through_der(void **state)
{
    struct chance chance = chance_begin();

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t raw[64], der[DER_SIG_MAX], again[64];

        chance_bytes(&chance, raw, sizeof raw);
        memset(raw, 0, chance_below(&chance, 33)); /* leading zeros of r, and of s */
        memset(raw + 32, 0, chance_below(&chance, 33));
        size_t n = es256_to_der(raw, der);
        assert_true(n >= 8 && n <= DER_SIG_MAX);
        assert_true(es256_from_der(cu_span(der, n), again));
        assert_memory_equal(raw, again, sizeof raw);
    }
}

static void only_minimal_der_is_taken(void **state)
{
    static const char *const bad[] = {
        "-",
        "30",
        "3000",
        "30060201010201",     /* nothing, cut off */
        "3006020101020101ff", /* something behind */
        "3106020101020101",   /* not a SEQUENCE */
        "3007020101020101",   /* a length that is not so */
        "308106020101020101", /* a long length */
        "3006030101020101",
        "3006020101030101", /* not an INTEGER */
        "300702020001020101",
        "300702010102020001", /* a zero too many */
        "3006020181020101",
        "3006020101020181",     /* negative */
        "30050200020101",       /* no digits */
        "30080201010201010201", /* a third */
    };
    uint8_t der[128], raw[64] = { 9 }, before[64] = { 9 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t n = unhex(bad[i], der, sizeof der);
        assert_false(es256_from_der(cu_span(der, n), raw));
        assert_memory_equal(raw, before, sizeof raw);
    }
    assert_true(es256_from_der(cu_span(der, unhex("3006020101020101", der, sizeof der)), raw));
}

static void a_33_byte_integer_is_too_large(void **state)
{
    uint8_t der[80] = { 0x30, 38, 0x02, 33, 0x01 }, raw[64];

    (void)state;
    der[37] = 0x02, der[38] = 1, der[39] = 1;
    assert_false(es256_from_der(cu_span(der, 40), raw));
    der[4] = 0x00, der[5] = 0x80; /* 33 bytes of a 32-byte number: the zero is its sign */
    assert_true(es256_from_der(cu_span(der, 40), raw));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_bytes_survive_the_way_through_der),
        cmocka_unit_test(only_minimal_der_is_taken),
        cmocka_unit_test(a_33_byte_integer_is_too_large),
    };
    return cmocka_run_group_tests_name("es256", tests, NULL, NULL);
}
