/* Keys in tokens, by a PKCS#11 module that stands in memory and whose every call can fail. Real modules: tests/cli/test_token.py.
 *
 * wraps: p11_kit_modules_load_and_initialize p11_kit_modules_finalize_and_release
 */
#include "adapters/token/token.h"

#include <p11-kit/p11-kit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRIVATE = 1, PUBLIC = 2 };

/* ---- the module ---- */
static struct {
    struct cu_private_key key;
    CK_FUNCTION_LIST list, *modules[2];
    CK_FLAGS flags; /* of the token */
    CK_KEY_TYPE type;
    CK_RV rv, login;     /* what the call that fails, and logging in, say */
    int calls, fails_at; /* the n-th call fails; 0: none does */
    CK_ULONG keys, tokens;
    CK_BBOOL signs, each_time;
    bool public_half, bare_point, own_id, other_object, lies, released;
    CK_STATE state;
    int asked;
    CK_OBJECT_CLASS looked_for;
    bool given; /* what was looked for */
} M;

static CK_RV call(void) { return ++M.calls == M.fails_at ? M.rv : CKR_OK; }

static CK_RV get_info(CK_INFO_PTR info) { return memset(info, 0, sizeof *info), call(); }
static CK_RV get_slots(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR n)
{
    (void)present;
    for (CK_ULONG i = 0; i < M.tokens; i++) slots[i] = i;
    *n = M.tokens;
    return call();
}
static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    (void)slot;
    memset(info, ' ', sizeof *info);
    memcpy(info->label, "Evi\1dence", 9);
    info->flags = M.flags;
    return call();
}
static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR ret)
{
    (void)slot, (void)flags, (void)arg, (void)notify;
    *ret = 7;
    return call();
}
static CK_RV close_session(CK_SESSION_HANDLE s) { return assert_int_equal(s, 7), CKR_OK; }
static CK_RV session_info(CK_SESSION_HANDLE s, CK_SESSION_INFO_PTR info)
{
    (void)s;
    info->state = M.state;
    return call();
}
static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE who, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
    (void)s, (void)who;
    if (M.flags & CKF_PROTECTED_AUTHENTICATION_PATH) assert_int_equal(n, 0);
    else if (n != 4 || memcmp(pin, "1234", 4) != 0) return call(), CKR_PIN_INCORRECT;
    const CK_RV rv = call();
    return rv == CKR_OK ? M.login : rv;
}
static CK_RV find_init(CK_SESSION_HANDLE s, CK_ATTRIBUTE_PTR wanted, CK_ULONG n)
{
    (void)s;
    M.looked_for = n && wanted[0].type == CKA_CLASS ? *(CK_OBJECT_CLASS *)wanted[0].pValue : 0;
    M.given = n > 0;
    return call();
}
static CK_RV find(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE_PTR ret, CK_ULONG max, CK_ULONG_PTR n)
{
    (void)s, (void)max;
    ret[0] = M.looked_for == CKO_PRIVATE_KEY ? PRIVATE : PUBLIC;
    *n = M.looked_for == CKO_PRIVATE_KEY ? M.keys : M.looked_for == CKO_PUBLIC_KEY ? M.public_half : M.other_object;
    return call();
}
static CK_RV find_final(CK_SESSION_HANDLE s) { return (void)s, CKR_OK; }

static CK_RV give(CK_ATTRIBUTE_PTR a, const void *bytes, size_t n)
{
    if (a->ulValueLen < n) return CKR_BUFFER_TOO_SMALL;
    memcpy(a->pValue, bytes, n);
    a->ulValueLen = n;
    return CKR_OK;
}
static CK_RV get_attribute(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE of, CK_ATTRIBUTE_PTR a, CK_ULONG n)
{
    const bool p256 = M.type == CKK_EC;
    const size_t len = cu_alg_public_len(M.key.pub.alg);
    uint8_t point[67] = { 4, (uint8_t)(len + p256), 4 };

    (void)s;
    assert_int_equal(n, 1);
    if (call() != CKR_OK) return M.rv;
    memcpy(point + 2 + p256, M.key.pub.bytes, len);
    switch (a->type) {
    case CKA_KEY_TYPE: return give(a, &M.type, sizeof M.type);
    case CKA_EC_PARAMS:
        return p256 ? give(a, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10) : give(a, "\x06\x03\x2b\x65\x70", 5);
    case CKA_ID: return M.own_id ? give(a, "id", 2) : CKR_ATTRIBUTE_TYPE_INVALID;
    case CKA_LABEL: return give(a, "signing", 7);
    case CKA_SIGN: return give(a, &M.signs, sizeof M.signs);
    case CKA_ALWAYS_AUTHENTICATE: return give(a, &M.each_time, sizeof M.each_time);
    case CKA_EC_POINT:
        return of == PUBLIC ? give(a, point + 2 * M.bare_point, len + p256 + (M.bare_point ? 0 : 2)) : CKR_ATTRIBUTE_TYPE_INVALID;
    default: return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}
static CK_RV sign_init(CK_SESSION_HANDLE s, CK_MECHANISM_PTR how, CK_OBJECT_HANDLE key)
{
    (void)s;
    assert_int_equal(key, PRIVATE);
    assert_int_equal(how->mechanism, M.type == CKK_EC ? CKM_ECDSA : CKM_EDDSA);
    return call();
}
/* A token signs digests with ECDSA, which nothing of ours does: the test's messages are known, and so is the digest's. */
static const char message[] = "I saw the red car at nine.";
static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR ret, CK_ULONG_PTR io_n)
{
    const cu_hash digest = cu_sha256(cu_span_str(message));

    (void)s;
    if (M.type == CKK_EC) assert_true(n == 32 && memcmp(data, digest.b, 32) == 0);
    else assert_true(n == strlen(message) && memcmp(data, message, n) == 0);
    assert_int_equal(cu_sign(&M.key, cu_span_str(M.lies ? "another" : message), ret, NULL), CU_OK);
    *io_n = CU_SIGNATURE_LEN;
    return call();
}

CK_FUNCTION_LIST **__wrap_p11_kit_modules_load_and_initialize(int flags);
CK_FUNCTION_LIST **__wrap_p11_kit_modules_load_and_initialize(int flags)
{
    (void)flags;
    return call() == CKR_OK ? M.modules : NULL;
}
void __wrap_p11_kit_modules_finalize_and_release(CK_FUNCTION_LIST **modules);
void __wrap_p11_kit_modules_finalize_and_release(CK_FUNCTION_LIST **modules)
{
    assert_ptr_equal(modules, M.modules);
    M.released = true;
}

static int begin(void **state)
{
    (void)state;
    memset(&M, 0, sizeof M);
    M.list = (CK_FUNCTION_LIST){ .C_GetInfo = get_info,
                                 .C_GetSlotList = get_slots,
                                 .C_GetTokenInfo = token_info,
                                 .C_OpenSession = open_session,
                                 .C_CloseSession = close_session,
                                 .C_GetSessionInfo = session_info,
                                 .C_Login = login,
                                 .C_FindObjectsInit = find_init,
                                 .C_FindObjects = find,
                                 .C_FindObjectsFinal = find_final,
                                 .C_GetAttributeValue = get_attribute,
                                 .C_SignInit = sign_init,
                                 .C_Sign = sign };
    M.modules[0] = &M.list;
    M.flags = CKF_LOGIN_REQUIRED;
    M.type = CKK_EC;
    M.keys = M.tokens = 1;
    M.signs = CK_TRUE;
    M.public_half = M.own_id = true;
    M.rv = CKR_GENERAL_ERROR;
    return cu_private_generate(CU_ALG_ES256, &M.key, NULL) != CU_OK;
}
static int end(void **state) { return (void)state, cu_private_free(&M.key), 0; }

/* ---- what is asked of it ---- */
static const char *pin = "1234";
static struct cu_err err;
static cu_status ask(void *arg, const char *token, struct cu_buf *ret, struct cu_err *e)
{
    (void)arg;
    M.asked++;
    assert_string_equal(token, "Evi\\01dence"); /* others gave the name */
    cu_buf_add_str(ret, pin);
    return cu_buf_ok(ret, e);
}
static const struct cu_token_pin by = { NULL, ask };
static const char uri[] = "pkcs11:object=signing";

static cu_status open_uri(const char *text, struct cu_private_key *ret)
{
    return memset(&err, 0, sizeof err), cu_token_key(cu_span_str(text), &by, ret, &err);
}

static void refused(const char *text, cu_status status, const char *why)
{
    struct cu_private_key key;

    assert_int_equal(open_uri(text, &key), status);
    if (!strstr(err.text, why)) fail_msg("%s", err.text);
}

static void signs(void)
{
    struct cu_private_key key;
    struct cu_verifier v = cu_verifier_plain();
    uint8_t signature[CU_SIGNATURE_LEN];

    if (open_uri(uri, &key) != CU_OK) fail_msg("%s", err.text);
    assert_memory_equal(key.id.b, M.key.id.b, 32);
    for (int i = 0; i < 8; i++) { /* half of them come with a high s */
        assert_int_equal(cu_sign(&key, cu_span_str(message), signature, &err), CU_OK);
        assert_int_equal(cu_verify_one(&v, &M.key.pub, cu_span_str(message), signature, NULL), CU_OK);
    }
    CU_BUF pem = cu_buf_heap(4096);
    assert_int_equal(cu_private_to_pem(&key, CU_SPAN_EMPTY, &pem, NULL), CU_NOT_ALLOWED);
    cu_private_free(&key);
    assert_true(M.released);
}

static void a_key_in_a_token_signs_and_stays_there(void **state)
{
    (void)state;
    signs();
    assert_int_equal(M.asked, 1);
}

static void its_public_half_is_found_by_name_too_and_may_be_bare(void **state)
{
    (void)state;
    M.own_id = false;
    M.bare_point = true;
    signs();
}

static void a_key_of_ed25519_signs_the_message_itself(void **state)
{
    (void)state;
    cu_private_free(&M.key);
    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &M.key, NULL), CU_OK);
    M.type = CKK_EC_EDWARDS;
    signs();
}

static void no_pin_is_asked_for_where_none_is_wanted(void **state)
{
    (void)state;
    M.flags = 0;
    signs();
    M.flags = CKF_LOGIN_REQUIRED;
    M.state = CKS_RO_USER_FUNCTIONS;
    signs();
    M.state = 0;
    M.flags = CKF_LOGIN_REQUIRED | CKF_PROTECTED_AUTHENTICATION_PATH;
    signs();
    assert_int_equal(M.asked, 0);
    M.flags = CKF_LOGIN_REQUIRED;
    M.login = CKR_USER_ALREADY_LOGGED_IN;
    signs();
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    refused("pkcs11:object=signing?pin-value=1234", CU_USAGE, "PIN");
    refused("pkcs11:object=signing?pin-source=file:/pin", CU_USAGE, "--pin-file");
    refused("pkcs11:object=%zz", CU_USAGE, "RFC 7512");
    refused("pkcs11:object=signing;colour=red", CU_USAGE, "RFC 7512");
    refused("pkcs11:object=signing?module-path=/no/such.so", CU_NOT_FOUND, "cannot be loaded");
    refused("pkcs11:token=Other;object=signing", CU_NOT_FOUND, "no such token");
    M.tokens = 2;
    refused(uri, CU_AMBIGUOUS, "serial=");
    M.tokens = 1, M.keys = 2;
    refused(uri, CU_AMBIGUOUS, "id=");
    M.keys = 0;
    refused(uri, CU_NOT_FOUND, "no such private key");
    M.other_object = true;
    refused(uri, CU_BAD_KEY, "no private key");
    M.keys = 1, M.signs = CK_FALSE;
    refused(uri, CU_BAD_KEY, "may not sign");
    M.signs = CK_TRUE, M.type = CKK_RSA;
    refused(uri, CU_BAD_KEY, "P-256");
    M.type = CKK_EC, M.each_time = CK_TRUE;
    refused(uri, CU_NOT_ALLOWED, "each signature");
    M.each_time = CK_FALSE, M.public_half = false;
    refused(uri, CU_BAD_KEY, "public half");
    M.public_half = true, M.flags |= CKF_USER_PIN_LOCKED;
    refused(uri, CU_NOT_ALLOWED, "locked");
    M.flags = CKF_LOGIN_REQUIRED, M.login = CKR_PIN_LOCKED;
    refused(uri, CU_NOT_ALLOWED, "unlocks");
    M.login = CKR_PIN_EXPIRED;
    refused(uri, CU_NOT_ALLOWED, "set anew");
    M.login = CKR_OK, pin = "0000";
    refused(uri, CU_WRONG_PASSPHRASE, "counts the wrong ones");
    pin = "1234";
    signs();
}

static void whatever_call_fails_nothing_is_signed_and_all_is_let_go(void **state)
{
    int n;

    (void)state;
    for (n = 1; n < 100; n++) {
        struct cu_private_key key;
        M.calls = 0, M.fails_at = n, M.released = false;
        const cu_status opened = open_uri(uri, &key);
        const int made = M.calls;
        if (opened == CU_OK) cu_private_free(&key);
        if (opened == CU_OK && made < n) break;      /* none is left that could fail */
        assert_true(opened == CU_OK || err.text[0]); /* what a key does not say of itself may be as usual */
        assert_true(M.released || n == 1);
    }
    assert_in_range(n, 15, 40);
}

static void a_token_that_is_taken_out_signs_nothing(void **state)
{
    static const CK_RV gone[] = { CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_SESSION_HANDLE_INVALID,
                                  CKR_OBJECT_HANDLE_INVALID };
    uint8_t signature[CU_SIGNATURE_LEN];
    struct cu_private_key key;

    (void)state;
    assert_int_equal(open_uri(uri, &key), CU_OK);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        for (int at = 1; at <= 2; at++) {
            M.calls = 0, M.fails_at = at, M.rv = gone[i];
            assert_int_equal(cu_sign(&key, cu_span_str(message), signature, &err), CU_IO);
            assert_non_null(strstr(err.text, "taken out"));
        }
    M.fails_at = 1, M.calls = 0, M.rv = CKR_MECHANISM_INVALID;
    assert_int_equal(cu_sign(&key, cu_span_str(message), signature, &err), CU_BAD_KEY);
    M.fails_at = 0;
    assert_int_equal(cu_sign(&key, cu_span_str(message), signature, &err), CU_OK);
    cu_private_free(&key);
}

static void what_a_token_signs_falsely_never_leaves(void **state)
{
    uint8_t signature[CU_SIGNATURE_LEN] = { 0 }, none[CU_SIGNATURE_LEN] = { 0 };
    struct cu_private_key key;

    (void)state;
    assert_int_equal(open_uri(uri, &key), CU_OK);
    M.lies = true;
    assert_int_equal(cu_sign(&key, cu_span_str(message), signature, &err), CU_CRYPTO);
    assert_memory_equal(signature, none, sizeof none);
    cu_private_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_in_a_token_signs_and_stays_there, begin, end),
        cmocka_unit_test_setup_teardown(its_public_half_is_found_by_name_too_and_may_be_bare, begin, end),
        cmocka_unit_test_setup_teardown(a_key_of_ed25519_signs_the_message_itself, begin, end),
        cmocka_unit_test_setup_teardown(no_pin_is_asked_for_where_none_is_wanted, begin, end),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, begin, end),
        cmocka_unit_test_setup_teardown(whatever_call_fails_nothing_is_signed_and_all_is_let_go, begin, end),
        cmocka_unit_test_setup_teardown(a_token_that_is_taken_out_signs_nothing, begin, end),
        cmocka_unit_test_setup_teardown(what_a_token_signs_falsely_never_leaves, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
