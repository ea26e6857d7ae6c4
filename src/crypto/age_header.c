/* The header of a sealed file: a version line, a stanza a recipient, a MAC under the file key. One form is read:
 *
 *     header = v1-line 1*stanza end            stanza = arg-line *full-line final-line
 *     arg-line = "-> " argument *(SP argument) LF      full-line = 64base64char LF     final-line = *63base64char LF
 *     end = "--- " 43base64char LF
 *
 * (1) The grammar is judged over the whole header before any key is tried, X25519 stanzas by their own rules too.
 * (2) A body is opened only if it has 32 bytes: whoever knows two keys could else make one stanza that both open, to different file keys.
 * (3) A passphrase's stanza stands alone: it says that whoever knows the passphrase made the file.
 */
#include "crypto/age_inside.h"

#include "custody/text.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

static const char version[] = "age-encryption.org/v1\n", armor[] = "-----BEGIN AGE ENCRYPTED FILE-----";
static const char x25519_info[] = "age-encryption.org/v1/X25519", x25519[] = "X25519";

enum { LINE = 64, BODY = 32, STANZA_LEN = 98, REST_LEN = 22 + 48 }; /* of what we write: one stanza; version and MAC */

/* ---- form ----------------------------------------------------------------------------------------------------------- */

size_t age_header_end(struct cu_span bytes, size_t *line)
{
    struct cu_span rest = cu_span_from(bytes, *line), text;

    while (cu_span_split(&rest, '\n', &text)) {
        if (cu_span_starts(text, cu_span_str("---"))) return bytes.n - rest.n;
        *line = bytes.n - rest.n;
    }
    return 0;
}

size_t cu_age_header_end(struct cu_span bytes)
{
    size_t line = 0;

    return age_header_end(bytes, &line);
}

/* "argument = 1*VCHAR", one space between two. */
static bool arguments_ok(struct cu_span args)
{
    bool within = false;

    for (size_t i = 0; i < args.n; i++) {
        if (args.p[i] == ' ' ? !within : args.p[i] < 0x21 || args.p[i] > 0x7e) return false;
        within = args.p[i] != ' ';
    }
    return within;
}

static struct cu_span first_argument(struct cu_span args)
{
    struct cu_span first = args;

    (void)cu_span_split(&args, ' ', &first);
    return first;
}

static cu_status add_line(struct age_stanza *stanza, struct cu_span text, struct cu_err *err)
{
    uint8_t mem[LINE];
    struct cu_buf bytes = cu_buf_over(mem, sizeof mem);

    ENSURE(text.n <= LINE, err, CU_MALFORMED, "sealed file: a line of %zu characters in a stanza", text.n);
    TRY(cu_base64_raw_read(text, &bytes, err));
    if (stanza->body_n == 0 && bytes.n > 0) memcpy(stanza->body, mem, bytes.n);
    stanza->body_n += bytes.n;
    return CU_OK;
}

cu_status age_stanza_next(struct cu_span *rest, struct age_stanza *ret, struct cu_err *err)
{
    struct age_stanza out = { 0 };
    struct cu_span at = *rest, text;

    ENSURE(cu_span_take(&at, "-> ") && cu_span_split(&at, '\n', &out.args) && arguments_ok(out.args), err, CU_MALFORMED,
           "sealed file: a stanza that does not begin with \"-> \" and arguments");
    out.lines = at;
    do {
        ENSURE(cu_span_split(&at, '\n', &text), err, CU_MALFORMED, "sealed file: a stanza without its last, short line");
        TRY(add_line(&out, text, err));
    } while (text.n == LINE);
    out.lines.n -= at.n;
    *rest = at;
    *ret = out;
    return CU_OK;
}

/* By (1) and (2). `ret_share` of an X25519 stanza. */
static cu_status share_of(const struct age_stanza *stanza, struct cu_age_recipient *ret_share, struct cu_err *err)
{
    struct cu_span args = stanza->args, name;
    bool good = cu_span_split(&args, ' ', &name) && cu_base64_raw_exact(args, ret_share->share, sizeof ret_share->share);

    ENSURE(good, err, CU_MALFORMED, "sealed file: an X25519 stanza without exactly one share of 32 bytes");
    ENSURE(stanza->body_n == BODY, err, CU_MALFORMED, "sealed file: an X25519 stanza wraps %zu bytes, not %d", stanza->body_n,
           BODY);
    return CU_OK;
}

static cu_status read_stanzas(struct cu_span rest, size_t *ret_n, struct cu_err *err)
{
    struct age_stanza stanza;
    struct cu_age_recipient share;
    bool passphrase = false;

    for (*ret_n = 0; rest.n > 0; ++*ret_n) {
        TRY(age_stanza_next(&rest, &stanza, err));
        struct cu_span name = first_argument(stanza.args);
        if (cu_span_is(name, x25519)) TRY(share_of(&stanza, &share, err));
        passphrase |= cu_span_is(name, "scrypt");
    }
    ENSURE(*ret_n > 0, err, CU_MALFORMED, "sealed file: no stanza: it is sealed for nobody");
    ENSURE(!passphrase || *ret_n == 1, err, CU_MALFORMED, "sealed file: a passphrase beside other readers"); /* (3) */
    return CU_OK;
}

cu_status age_header_read(struct cu_span header, struct age_header *ret, struct cu_err *err)
{
    struct age_header out = { 0 };
    struct cu_span rest = header;

    ENSURE(header.n <= CU_AGE_HEADER_MAX, err, CU_TOO_LARGE, "sealed file: a header above %d bytes", CU_AGE_HEADER_MAX);
    ENSURE(!cu_span_starts(header, cu_span_str(armor)), err, CU_MALFORMED,
           "sealed file: it is in ASCII armor, which is not read here: take that off with `age`'s tools first");
    ENSURE(cu_span_take(&rest, version), err, CU_MALFORMED, "not a sealed file: it does not begin with age-encryption.org/v1");
    size_t end_line = 0;
    ENSURE(age_header_end(rest, &end_line) == rest.n && rest.n > 0, err, CU_MALFORMED, "sealed file: a header without its end");
    out.stanzas = cu_span(rest.p, end_line);
    out.maced = cu_span(header.p, header.n - rest.n + end_line + 3);
    struct cu_span mac = cu_span(rest.p + end_line, rest.n - end_line - 1);
    ENSURE(cu_span_take(&mac, "--- ") && cu_base64_raw_exact(mac, out.mac, sizeof out.mac), err, CU_MALFORMED,
           "sealed file: a header's last line that is not \"--- \" and a MAC");
    TRY(read_stanzas(out.stanzas, &out.n, err));
    *ret = out;
    return CU_OK;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

/* "salt = ephemeral share || recipient … wrap key = HKDF-SHA-256(ikm = shared secret, salt, info)". By chance the nonce of a wrapped key is that of a
 * first chunk which is not the last: twelve zeros. */
static cu_status wrapper_of(const uint8_t agreed[32], const struct cu_age_recipient *share,
                            const struct cu_age_recipient *recipient, struct cu_age_cipher *ret, struct cu_err *err)
{
    uint8_t salt[64], key[32];

    memcpy(salt, share->share, 32);
    memcpy(salt + 32, recipient->share, 32);
    TRY(age_derive(cu_span(agreed, 32), CU_SPAN_OF(salt), x25519_info, key, err));
    cu_status status = age_cipher_on(key, ret, err);
    cu_wipe(key, sizeof key);
    return status;
}

static cu_status wrap(const struct cu_age_key *key, const struct cu_age_recipient *to, struct cu_age_identity *once,
                      uint8_t ret[BODY], struct cu_err *err)
{
    CU_CLEANUP(cu_age_cipher_free) struct cu_age_cipher cipher = { 0 };
    uint8_t agreed[32];

    TRY(cu_age_identity_generate(once, err));
    TRY(age_agree(once->secret, to, agreed, err));
    cu_status status = wrapper_of(agreed, &once->recipient, to, &cipher, err);
    cu_wipe(agreed, sizeof agreed);
    TRY(status);
    return cu_age_chunk_seal(&cipher, 0, false, CU_SPAN_OF(key->b), ret, err);
}

static cu_status put_stanza(const struct cu_age_key *key, const struct cu_age_recipient *to, struct cu_buf *out,
                            struct cu_err *err)
{
    CU_CLEANUP(cu_age_identity_free) struct cu_age_identity once = { 0 };
    uint8_t body[BODY];

    TRY(wrap(key, to, &once, body, err));
    cu_buf_add_str(out, "-> X25519 ");
    cu_base64_raw_put(out, CU_SPAN_OF(once.recipient.share));
    cu_buf_add_byte(out, '\n');
    cu_base64_raw_put(out, CU_SPAN_OF(body));
    cu_buf_add_byte(out, '\n');
    return cu_buf_ok(out, err);
}

static cu_status mac_of(const struct cu_age_key *key, struct cu_span maced, uint8_t ret[32], struct cu_err *err)
{
    uint8_t mac_key[32];
    unsigned n = 0;

    TRY(age_derive(CU_SPAN_OF(key->b), CU_SPAN_EMPTY, "header", mac_key, err));
    const bool ok = HMAC(ossl_md(CU_DIGEST_SHA256), mac_key, sizeof mac_key, maced.p, maced.n, ret, &n) != NULL && n == 32;
    cu_wipe(mac_key, sizeof mac_key);
    return ok ? CU_OK : ossl_fail(err, CU_CRYPTO, "HMAC failed");
}

cu_status cu_age_key_generate(struct cu_age_key *ret, struct cu_err *err) { return age_random(ret->b, sizeof ret->b, err); }

cu_status cu_age_header_put(const struct cu_age_key *key, const struct cu_age_recipient *to, size_t to_n, struct cu_buf *out,
                            struct cu_err *err)
{
    const size_t before = out->n;
    uint8_t mac[32];

    ENSURE(to_n > 0, err, CU_USAGE, "sealed for nobody, nobody could read it: name a reader");
    ENSURE(to_n <= CU_AGE_RECIPIENTS_MAX, err, CU_TOO_LARGE, "sealed for more than %d readers", CU_AGE_RECIPIENTS_MAX);
    cu_buf_add_str(out, version);
    for (size_t i = 0; i < to_n; i++) TRY(put_stanza(key, &to[i], out, err));
    cu_buf_add_str(out, "---");
    TRY(cu_buf_ok(out, err));
    TRY(mac_of(key, cu_span(out->p + before, out->n - before), mac, err));
    cu_buf_add_byte(out, ' ');
    cu_base64_raw_put(out, CU_SPAN_OF(mac));
    cu_buf_add_byte(out, '\n');
    return cu_buf_ok(out, err);
}

uint64_t cu_age_sealed_size(size_t recipients, uint64_t plain)
{
    const uint64_t chunks = plain > 0 ? (plain - 1) / CU_AGE_CHUNK + 1 : 1;

    return REST_LEN + STANZA_LEN * (uint64_t)recipients + CU_AGE_NONCE + plain + chunks * CU_AGE_TAG;
}

/* ---- opening -------------------------------------------------------------------------------------------------------- */

/* OK, SEALED (not for this one), MALFORMED (small order), CRYPTO. */
static cu_status unwrap(const struct age_stanza *stanza, const struct cu_age_recipient *share, const struct cu_age_identity *by,
                        struct cu_age_key *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_age_cipher_free) struct cu_age_cipher cipher = { 0 };
    uint8_t agreed[32];

    cu_status status = age_agree(by->secret, share, agreed, err);
    ENSURE(status != CU_BAD_KEY, err, CU_MALFORMED, "sealed file: an X25519 share of small order");
    if (status == CU_OK) status = wrapper_of(agreed, share, &by->recipient, &cipher, err);
    cu_wipe(agreed, sizeof agreed);
    TRY(status);
    status = cu_age_chunk_open(&cipher, 0, false, cu_span(stanza->body, BODY), ret->b, err);
    return status == CU_CORRUPT ? CU_SEALED : status;
}

static cu_status find_key(const struct age_header *header, const struct cu_age_identity *by, size_t by_n, struct cu_age_key *ret,
                          struct cu_err *err)
{
    struct cu_span rest = header->stanzas;
    struct cu_age_recipient share;
    struct age_stanza stanza;

    while (rest.n > 0) {
        TRY(age_stanza_next(&rest, &stanza, err));
        if (!cu_span_is(first_argument(stanza.args), x25519)) continue;
        TRY(share_of(&stanza, &share, err));
        for (size_t i = 0; i < by_n; i++) {
            cu_status status = unwrap(&stanza, &share, &by[i], ret, err);
            if (status != CU_SEALED) return status;
        }
    }
    return cu_fail(err, CU_SEALED,
                   "sealed for %zu other %s: none of the %zu identities that were tried opens it; ask a reader for a grant",
                   header->n, header->n == 1 ? "reader" : "readers", by_n);
}

static cu_status check_mac(const struct age_header *header, const struct cu_age_key *key, struct cu_err *err)
{
    uint8_t mac[32];

    TRY(mac_of(key, header->maced, mac, err));
    ENSURE(CRYPTO_memcmp(mac, header->mac, sizeof mac) == 0, err, CU_BAD_HASH,
           "sealed file: its header is not the one that was made with it: altered since, or of another file; take another copy");
    return CU_OK;
}

cu_status cu_age_header_open(struct cu_span header, const struct cu_age_identity *by, size_t by_n, struct cu_age_key *ret,
                             struct cu_err *err)
{
    struct age_header read;
    struct cu_age_key key = { { 0 } };

    TRY(age_header_read(header, &read, err));
    cu_status status = find_key(&read, by, by_n, &key, err);
    if (status == CU_OK) status = check_mac(&read, &key, err);
    if (status == CU_OK) *ret = key;
    cu_wipe(&key, sizeof key);
    return status;
}

/* Does a granted header open, and to the file key that `of` is of? */
static cu_status open_grant(struct cu_span granted, const struct age_header *of, const struct cu_age_identity *by, size_t by_n,
                            struct cu_age_key *ret, struct cu_err *err)
{
    struct cu_age_key key = { { 0 } };
    cu_status status = cu_age_header_open(granted, by, by_n, &key, err);

    if (status == CU_OK) status = check_mac(of, &key, err);
    if (status == CU_OK) *ret = key;
    cu_wipe(&key, sizeof key);
    return status;
}

cu_status cu_age_header_open_granted(struct cu_span header, struct cu_span granted, const struct cu_age_identity *by, size_t by_n,
                                     struct cu_age_key *ret, struct cu_err *err)
{
    const cu_status own = cu_age_header_open(header, by, by_n, ret, err);
    struct age_header read;
    struct cu_err why;
    size_t end;

    if (own != CU_SEALED) return own;
    TRY(age_header_read(header, &read, err));
    for (; (end = cu_age_header_end(granted)) > 0; granted = cu_span_from(granted, end)) {
        const cu_status status = open_grant(cu_span(granted.p, end), &read, by, by_n, ret, &why);
        if (status == CU_OK) return CU_OK;
        if (status == CU_NO_MEMORY || status == CU_CRYPTO) return cu_fail(err, status, "%s", why.text);
    }
    return own;
}
