/* One session a key, which stays open, since a PIN is asked for once. What a token signs is verified by who asked for it (cu_sign). */
#include "adapters/token/token.h"

#include "custody/limits.h"
#include "custody/text.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS_MAX = 64, WANTED_MAX = 8, ID_MAX = 256, URI_MAX = 1024 };
#define DONE "nothing was signed"
#define CONFINED " (A server that gave up its files finds it only if --token-files names the folder that its module keeps)"

struct token {
    CK_FUNCTION_LIST **modules, *m; /* all that were looked into; the one that has it */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    bool found, session_open;
    pthread_mutex_t lock; /* a session does one thing at a time */
    enum cu_alg alg;
    char label[3 * 32 + 1];
};

static void free_token(void *self)
{
    struct token *t = self;

    if (t->session_open) t->m->C_CloseSession(t->session);
    if (t->modules) p11_kit_modules_finalize_and_release(t->modules);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
static void free_unless_taken(struct token **t)
{
    if (*t) free_token(*t);
}
static void free_uri(P11KitUri **uri)
{
    if (*uri) p11_kit_uri_free(*uri);
}

static cu_status fail(const struct token *t, CK_RV rv, struct cu_err *err)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
        return cu_fail(err, CU_WRONG_PASSPHRASE,
                       "the PIN is not that of the token \"%s\", which counts the wrong ones and locks itself: " DONE, t->label);
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE: return cu_fail(err, CU_WRONG_PASSPHRASE, "that can be no PIN of the token \"%s\": " DONE, t->label);
    case CKR_PIN_LOCKED:
        return cu_fail(err, CU_NOT_ALLOWED,
                       "the PIN of the token \"%s\" is locked after too many wrong ones: " DONE
                       "; whoever administers the token unlocks it",
                       t->label);
    case CKR_PIN_EXPIRED:
    case CKR_USER_PIN_NOT_INITIALIZED:
        return cu_fail(err, CU_NOT_ALLOWED, "the PIN of the token \"%s\" has to be set anew by its own program first: " DONE,
                       t->label);
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_USER_NOT_LOGGED_IN:
        return cu_fail(err, CU_IO,
                       "the token \"%s\" was taken out, or is not what it was when it was opened (%s): " DONE
                       "; put it back and begin again",
                       t->label, p11_kit_strerror(rv));
    case CKR_MECHANISM_INVALID:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_KEY_TYPE_INCONSISTENT:
        return cu_fail(err, CU_BAD_KEY, "the token \"%s\" does not sign by %s with that key: " DONE "; name another key",
                       t->label, cu_alg_name(t->alg));
    default: return cu_fail(err, CU_IO, "the token \"%s\" fails (%s): " DONE, t->label, p11_kit_strerror(rv));
    }
}

#define CK(call)                                     \
    do {                                             \
        const CK_RV rv_ = (call);                    \
        if (rv_ != CKR_OK) return fail(t, rv_, err); \
    } while (0)

/* ---- where it is ---- */

static cu_status read_uri(struct cu_span text, P11KitUri **ret, struct cu_err *err)
{
    char line[URI_MAX];

    ENSURE(text.n < sizeof line && !memchr(text.p, 0, text.n), err, CU_USAGE, "a token's URI has fewer than %d bytes", URI_MAX);
    snprintf(line, sizeof line, "%.*s", (int)text.n, (const char *)text.p);
    *ret = p11_kit_uri_new();
    ENSURE(*ret, err, CU_NO_MEMORY, "no memory for a token's URI");
    const int parsed = p11_kit_uri_parse(line, P11_KIT_URI_FOR_ANY, *ret);
    ENSURE(parsed == P11_KIT_URI_OK && !p11_kit_uri_any_unrecognized(*ret), err, CU_USAGE,
           "%s: a key in a token is named as in pkcs11:token=LABEL;object=LABEL (RFC 7512): " DONE, line);
    ENSURE(
        !p11_kit_uri_get_pin_value(*ret) && !p11_kit_uri_get_pin_source(*ret), err, CU_USAGE,
        "a PIN, or where it is, does not belong into the URI: --pin-file FILE or CUSTODY_PIN has it, or who is at the terminal "
        "is asked; " DONE);
    return CU_OK;
}

static cu_status load_modules(struct token *t, P11KitUri *uri, struct cu_err *err)
{
    const char *path = p11_kit_uri_get_module_path(uri);

    if (!path) {
        t->modules = p11_kit_modules_load_and_initialize(0);
        ENSURE(t->modules && t->modules[0], err, CU_NOT_FOUND,
               "this system knows no PKCS#11 module: " DONE
               "; install the token's, or name it: pkcs11:…?module-path=/usr/lib/….so" CONFINED);
        return CU_OK;
    }
    CK_FUNCTION_LIST *m = p11_kit_module_load(path, 0);
    ENSURE(m, err, CU_NOT_FOUND, "%s: the token's module cannot be loaded (%s): " DONE, path, p11_kit_message());
    const CK_RV rv = p11_kit_module_initialize(m);
    t->modules = rv == CKR_OK ? calloc(2, sizeof(CK_FUNCTION_LIST *)) : NULL;
    if (!t->modules) p11_kit_module_release(m);
    ENSURE(t->modules, err, CU_IO, "%s: the token's module does not begin (%s): " DONE, path, p11_kit_strerror(rv));
    t->modules[0] = m;
    return CU_OK;
}

static void put_label(struct token *t, const CK_TOKEN_INFO *info)
{
    const size_t n = p11_kit_space_strlen(info->label, sizeof info->label);
    size_t at = 0;

    for (size_t i = 0; i < n; i++) /* others gave the name */
        at += (size_t)snprintf(t->label + at, sizeof t->label - at, info->label[i] < 0x20 ? "\\%02x" : "%c", info->label[i]);
}

static cu_status look_into(struct token *t, CK_FUNCTION_LIST *m, P11KitUri *uri, struct cu_err *err)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    CK_TOKEN_INFO info;
    CK_INFO about;

    if (m->C_GetInfo(&about) != CKR_OK || !p11_kit_uri_match_module_info(uri, &about)) return CU_OK;
    if (m->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK) return CU_OK; /* another module may have it */
    for (CK_ULONG i = 0; i < n; i++) {
        if (m->C_GetTokenInfo(slots[i], &info) != CKR_OK || !p11_kit_uri_match_token_info(uri, &info)) continue;
        ENSURE(!t->found, err, CU_AMBIGUOUS, "more than one token is meant: name it by its serial= too; " DONE);
        t->found = true;
        t->m = m;
        t->slot = slots[i];
        put_label(t, &info);
    }
    return CU_OK;
}

static cu_status find_token(struct token *t, P11KitUri *uri, struct cu_span text, struct cu_err *err)
{
    const char *name = p11_kit_uri_get_module_name(uri);

    for (size_t i = 0; t->modules[i]; i++)
        if (!name || p11_kit_module_for_name(t->modules, name) == t->modules[i]) TRY(look_into(t, t->modules[i], uri, err));
    ENSURE(t->found, err, CU_NOT_FOUND,
           "%.*s: there is no such token: " DONE "; is it plugged in? `p11-kit list-modules` shows those that are" CONFINED,
           (int)text.n, (const char *)text.p);
    return CU_OK;
}

/* ---- opening ---- */

static cu_status log_in(struct token *t, const struct cu_token_pin *pin, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(1024);
    CK_SESSION_INFO session;
    CK_TOKEN_INFO info;

    CK(t->m->C_GetSessionInfo(t->session, &session));
    CK(t->m->C_GetTokenInfo(t->slot, &info));
    if (!(info.flags & CKF_LOGIN_REQUIRED) || session.state == CKS_RO_USER_FUNCTIONS)
        return CU_OK; /* of this process, by another key */
    if (info.flags & CKF_USER_PIN_LOCKED) return fail(t, CKR_PIN_LOCKED, err);
    if (!(info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)) TRY(pin->ask(pin->arg, t->label, &text, err));
    const CK_RV rv = t->m->C_Login(t->session, CKU_USER, text.p, text.n);
    if (text.p) cu_wipe(text.p, text.n);
    if (rv == CKR_USER_ALREADY_LOGGED_IN) return CU_OK;
    CK(rv);
    return CU_OK;
}

static cu_status find(struct token *t, CK_ATTRIBUTE *wanted, size_t n, CK_OBJECT_HANDLE *ret, CK_ULONG *ret_n, struct cu_err *err)
{
    CK_OBJECT_HANDLE two[2];

    CK(t->m->C_FindObjectsInit(t->session, wanted, n));
    const CK_RV rv = t->m->C_FindObjects(t->session, two, 2, ret_n);
    t->m->C_FindObjectsFinal(t->session);
    CK(rv);
    if (*ret_n) *ret = two[0];
    return CU_OK;
}

static cu_status find_key(struct token *t, P11KitUri *uri, struct cu_span text, struct cu_err *err)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[WANTED_MAX] = { { CKA_CLASS, &class, sizeof class } };
    CK_ULONG given_n = 0, n = 0;
    const CK_ATTRIBUTE *given = p11_kit_uri_get_attributes(uri, &given_n);
    CK_OBJECT_HANDLE other;
    size_t wanted_n = 1;

    for (CK_ULONG i = 0; i < given_n && wanted_n < WANTED_MAX; i++)
        if (given[i].type != CKA_CLASS) wanted[wanted_n++] = given[i];
    TRY(find(t, wanted, wanted_n, &t->key, &n, err));
    ENSURE(n < 2, err, CU_AMBIGUOUS, "%.*s: more than one key of the token \"%s\" is meant: name it by its id= too; " DONE,
           (int)text.n, (const char *)text.p, t->label);
    if (n == 1) return CU_OK;
    TRY(find(t, wanted + 1, wanted_n - 1, &other, &n, err));
    ENSURE(n == 0 || wanted_n == 1, err, CU_BAD_KEY,
           "%.*s: what the token \"%s\" has of that name is no private key (but a public one, a certificate, …): " DONE,
           (int)text.n, (const char *)text.p, t->label);
    return cu_fail(err, CU_NOT_FOUND, "%.*s: the token \"%s\" has no such private key: " DONE, (int)text.n, (const char *)text.p,
                   t->label);
}

/* False: it has none, or a longer one. */
static bool attribute(const struct token *t, CK_OBJECT_HANDLE of, CK_ATTRIBUTE_TYPE type, void *ret, size_t max, size_t *ret_n)
{
    CK_ATTRIBUTE a = { type, ret, max };

    *ret_n = 0;
    if (t->m->C_GetAttributeValue(t->session, of, &a, 1) != CKR_OK || a.ulValueLen > max) return false;
    *ret_n = a.ulValueLen;
    return true;
}

static bool flag(const struct token *t, CK_ATTRIBUTE_TYPE type, bool usual)
{
    CK_BBOOL value;
    size_t n;

    return attribute(t, t->key, type, &value, sizeof value, &n) && n == sizeof value ? value == CK_TRUE : usual;
}

static enum cu_alg alg_of(const struct token *t)
{
    static const uint8_t p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
    static const uint8_t ed25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
    static const char named[] = "\x13\x0c"
                                "edwards25519";
    uint8_t params[64];
    CK_KEY_TYPE type;
    size_t n;

    if (!attribute(t, t->key, CKA_KEY_TYPE, &type, sizeof type, &n) || n != sizeof type) return CU_ALG_NONE;
    if (!attribute(t, t->key, CKA_EC_PARAMS, params, sizeof params, &n)) return CU_ALG_NONE;
    const struct cu_span curve = cu_span(params, n);
    if (type == CKK_EC && cu_span_eq(curve, CU_SPAN_OF(p256))) return CU_ALG_ES256;
    const bool edwards = cu_span_eq(curve, CU_SPAN_OF(ed25519)) || cu_span_eq(curve, cu_span_str(named));
    return type == CKK_EC_EDWARDS && edwards ? CU_ALG_EDDSA : CU_ALG_NONE;
}

/* The point in an OCTET STRING, as the standard has it, or bare, as some tokens do. */
static bool read_point(struct cu_span point, struct cu_public_key *ret)
{
    const size_t n = cu_alg_public_len(ret->alg), mark = ret->alg == CU_ALG_ES256;

    if (point.n == n + mark + 2 && point.p[0] == 4 && point.p[1] == n + mark) point = cu_span_from(point, 2);
    if (point.n != n + mark || (mark && point.p[0] != 4)) return false;
    memcpy(ret->bytes, point.p + mark, n);
    return true;
}

/* It stands beside the private key, under its id, or under its name where keys have none. */
static cu_status read_public(struct token *t, struct cu_public_key *ret, struct cu_err *err)
{
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    uint8_t id[ID_MAX], point[128];
    CK_OBJECT_HANDLE public_half = t->key;
    size_t id_n, n;
    CK_ULONG found = 0;

    CK_ATTRIBUTE_TYPE by = CKA_ID;
    if (!attribute(t, t->key, CKA_ID, id, sizeof id, &id_n) || id_n == 0) {
        by = CKA_LABEL;
        if (!attribute(t, t->key, CKA_LABEL, id, sizeof id, &id_n)) id_n = 0;
    }
    CK_ATTRIBUTE wanted[] = { { CKA_CLASS, &class, sizeof class }, { by, id, id_n } };
    if (id_n) TRY(find(t, wanted, 2, &public_half, &found, err));
    *ret = (struct cu_public_key){ .alg = t->alg };
    const bool read = attribute(t, public_half, CKA_EC_POINT, point, sizeof point, &n) && read_point(cu_span(point, n), ret);
    ENSURE(
        read, err, CU_BAD_KEY,
        "the token \"%s\" does not have the public half of that key, under the same id, by which signatures are verified: " DONE
        "; put it there beside it",
        t->label);
    return cu_public_check(ret, err);
}

/* ---- signing ---- */

static CK_RV sign_once(struct token *t, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN], CK_ULONG *io_n)
{
    CK_MECHANISM how = { t->alg == CU_ALG_ES256 ? CKM_ECDSA : CKM_EDDSA, NULL, 0 };
    uint8_t bytes[CU_ENTRY_MAX + 1024]; /* the standard's own parameter is not const */

    if (message.n > sizeof bytes) return CKR_DATA_LEN_RANGE;
    memcpy(bytes, message.p, message.n);
    const CK_RV rv = t->m->C_SignInit(t->session, &how, t->key);
    return rv == CKR_OK ? t->m->C_Sign(t->session, bytes, message.n, ret, io_n) : rv;
}

static cu_status sign(void *self, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN], struct cu_err *err)
{
    struct token *t = self;
    const cu_hash digest = cu_sha256(message);
    const struct cu_span signed_ = t->alg == CU_ALG_ES256 ? cu_span(digest.b, sizeof digest.b) : message;
    uint8_t raw[2 * CU_SIGNATURE_LEN];
    CK_ULONG n = sizeof raw;

    pthread_mutex_lock(&t->lock);
    const CK_RV rv = sign_once(t, signed_, raw, &n);
    pthread_mutex_unlock(&t->lock);
    CK(rv);
    ENSURE(n == CU_SIGNATURE_LEN, err, CU_CRYPTO, "the token \"%s\" gave a signature of %lu bytes: " DONE, t->label, n);
    memcpy(ret, raw, CU_SIGNATURE_LEN);
    return CU_OK;
}

static const struct cu_key_holder holder = { sign, free_token };

static cu_status open_key(struct token *t, P11KitUri *uri, struct cu_span text, const struct cu_token_pin *pin,
                          struct cu_err *err)
{
    TRY(load_modules(t, uri, err));
    TRY(find_token(t, uri, text, err));
    CK(t->m->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session));
    t->session_open = true;
    TRY(log_in(t, pin, err));
    TRY(find_key(t, uri, text, err));
    t->alg = alg_of(t);
    ENSURE(t->alg != CU_ALG_NONE && flag(t, CKA_SIGN, true), err, CU_BAD_KEY,
           "%.*s: that key of the token \"%s\" is none for P-256 or Ed25519, or may not sign: " DONE, (int)text.n,
           (const char *)text.p, t->label);
    ENSURE(!flag(t, CKA_ALWAYS_AUTHENTICATE, false), err, CU_NOT_ALLOWED,
           "%.*s: that key of the token \"%s\" wants the PIN for each signature, which is not done here: " DONE
           "; name a key that wants it once",
           (int)text.n, (const char *)text.p, t->label);
    return CU_OK;
}

cu_status cu_token_key(struct cu_span text, const struct cu_token_pin *pin, struct cu_private_key *ret, struct cu_err *err)
{
    CU_CLEANUP(free_unless_taken) struct token *t = calloc(1, sizeof *t);
    CU_CLEANUP(free_uri) P11KitUri *uri = NULL;
    struct cu_private_key out = { .holder = &holder, .ctx = t };

    ENSURE(t && pthread_mutex_init(&t->lock, NULL) == 0, err, CU_NO_MEMORY, "no memory for a token");
    TRY(read_uri(text, &uri, err));
    TRY(open_key(t, uri, text, pin, err));
    TRY(read_public(t, &out.pub, err));
    out.id = cu_key_id(&out.pub);
    *ret = out;
    t = NULL;
    return CU_OK;
}
