/* Certificates. See x509.h. */
#include "crypto/x509.h"

#include "crypto/ossl.h"
#include "custody/text.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

FREED_BY(free_x509, X509, X509_free)
FREED_BY(free_crl, X509_CRL, X509_CRL_free)
FREED_BY(free_name, X509_NAME, X509_NAME_free)
FREED_BY(free_revoked, X509_REVOKED, X509_REVOKED_free)
FREED_BY(free_integer, ASN1_INTEGER, ASN1_INTEGER_free)
FREED_BY(free_time, ASN1_TIME, ASN1_TIME_free)
FREED_BY(free_extension, X509_EXTENSION, X509_EXTENSION_free)
FREED_BY(free_store_ctx, X509_STORE_CTX, X509_STORE_CTX_free)
FREED_BY(free_names, GENERAL_NAMES, GENERAL_NAMES_free)
FREED_BY(free_bn, BIGNUM, BN_free)
FREED_BY(free_request, X509_REQ, X509_REQ_free)
#define AUTO(type, fn) CU_CLEANUP(fn) type
#define AUTO_X509 AUTO(X509, free_x509)
#define AUTO_CRL AUTO(X509_CRL, free_crl)

static void free_chain(STACK_OF(X509) * *chain) { sk_X509_pop_free(*chain, X509_free); }
static void free_extensions(STACK_OF(X509_EXTENSION) * *all) { sk_X509_EXTENSION_pop_free(*all, X509_EXTENSION_free); }

/* ---- PEM ---- */

static X509 *read_cert(struct cu_span pem)
{
    AUTO_BIO *bio = pem.n <= CU_CERT_PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;

    return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

static X509_CRL *read_list(struct cu_span pem)
{
    AUTO_BIO *bio = pem.n <= CU_CERT_PEM_MAX * 16 ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;

    return bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
}

static cu_status give(BIO *bio, int ok, struct cu_buf *ret, struct cu_err *err)
{
    char *text;

    if (ok != 1) return ossl_fail(err, CU_CRYPTO, "a certificate cannot be written");
    const long n = BIO_get_mem_data(bio, &text);
    cu_buf_add(ret, cu_span(text, (size_t)n));
    return cu_buf_ok(ret, err);
}

/* ---- making ---- */

static const EVP_MD *digest_for(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}

struct issuer {
    X509 *cert;
    EVP_PKEY *key;
};
static void free_issuer(struct issuer *i)
{
    X509_free(i->cert);
    EVP_PKEY_free(i->key);
}

static cu_status open_issuer(const struct cu_cert_issuer *from, struct issuer *ret, struct cu_err *err)
{
    ret->cert = read_cert(from->cert);
    if (!ret->cert) return ossl_fail(err, CU_MALFORMED, "the CA's certificate is none, in PEM");
    TRY(ossl_pem_read(from->key, from->passphrase, &ret->key, err));
    if (X509_check_private_key(ret->cert, ret->key) != 1)
        return ossl_fail(err, CU_BAD_KEY, "the CA's key is not that of its certificate");
    ENSURE(X509_check_ca(ret->cert) == 1, err, CU_BAD_KEY, "the certificate that should be a CA's may sign no others");
    return CU_OK;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    AUTO(X509_EXTENSION, free_extension) *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    return x && X509_add_ext(cert, x, -1) == 1;
}

/* "DNS:one,IP:127.0.0.1,URI:…": each of the words of `hosts` by what it is. */
static cu_status put_names(const struct cu_cert_ask *ask, struct cu_buf *out, struct cu_err *err)
{
    for (const char *at = ask->hosts ? ask->hosts : ""; *at;) {
        const size_t n = strcspn(at, " ");
        char word[256];
        ENSURE(n < sizeof word && !memchr(at, ',', n), err, CU_USAGE, "%s: names are separated by spaces", ask->hosts);
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        ASN1_OCTET_STRING *address = n ? a2i_IPADDRESS(word) : NULL;
        if (n) cu_buf_addf(out, "%s%s:%s", out->n ? "," : "", address ? "IP" : "DNS", word);
        ASN1_OCTET_STRING_free(address);
        at += n + (at[n] == ' ');
    }
    if (ask->uri) cu_buf_addf(out, "%sURI:%s", out->n ? "," : "", ask->uri);
    cu_buf_add_byte(out, 0);
    return cu_buf_ok(out, err);
}

static cu_status extend(X509 *cert, X509 *issuer, const struct cu_cert_ask *ask, struct cu_err *err)
{
    CU_BUF names = cu_buf_heap(8192);
    bool good;

    TRY(put_names(ask, &names, err));
    good = add_extension(cert, issuer, NID_basic_constraints, ask->ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage, ask->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           (ask->ca || add_extension(cert, issuer, NID_authority_key_identifier, "keyid")) &&
           (ask->ca || add_extension(cert, issuer, NID_ext_key_usage, ask->hosts ? "serverAuth" : "clientAuth")) &&
           (names.n == 1 || add_extension(cert, issuer, NID_subject_alt_name, (const char *)names.p));
    return good ? CU_OK : ossl_fail(err, CU_CRYPTO, "a certificate cannot be made for these names");
}

/* 20 bytes at most, positive, not to be foreseen. */
static bool number(X509 *cert)
{
    uint8_t bytes[16];

    if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    AUTO(BIGNUM, free_bn) *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    return n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
}

/* A minute earlier: clocks differ. */
static bool date(X509 *cert, cu_unix_ms now, unsigned days)
{
    const time_t from = (time_t)(now.v / 1000) - 60;

    return ASN1_TIME_adj(X509_getm_notBefore(cert), from, 0, 0) && ASN1_TIME_adj(X509_getm_notAfter(cert), from, (int)days, 60);
}

cu_status cu_cert_issue(const struct cu_cert_ask *ask, const struct cu_private_key *subject, const struct cu_cert_issuer *issuer,
                        cu_unix_ms now, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(free_issuer) struct issuer by = { NULL, NULL };
    AUTO_X509 *cert = X509_new();
    AUTO(X509_NAME, free_name) *name = X509_NAME_new();
    AUTO_BIO *bio = BIO_new(BIO_s_mem());
    AUTO_PKEY *of = NULL;

    CU_ASSERT(!subject || !subject->holder);
    if (issuer) TRY(open_issuer(issuer, &by, err));
    if (ask->key) TRY(ossl_public_load(ask->key, &of, err));
    X509 *above = issuer ? by.cert : cert;
    EVP_PKEY *signer = issuer ? by.key : subject->ctx;
    if (!cert || !name || !bio || X509_set_version(cert, X509_VERSION_3) != 1 || !number(cert) || !date(cert, now, ask->days) ||
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const uint8_t *)ask->name, -1, -1, 0) != 1 ||
        X509_set_subject_name(cert, name) != 1 || X509_set_pubkey(cert, of ? of : subject->ctx) != 1 ||
        X509_set_issuer_name(cert, X509_get_subject_name(above)) != 1)
        return ossl_fail(err, CU_CRYPTO, "a certificate cannot be made");
    TRY(extend(cert, above, ask, err));
    if (X509_sign(cert, signer, digest_for(signer)) <= 0) return ossl_fail(err, CU_CRYPTO, "a certificate cannot be signed");
    return give(bio, PEM_write_bio_X509(bio, cert), ret, err);
}

cu_status cu_cert_request(const struct cu_cert_ask *ask, const struct cu_private_key *subject, struct cu_buf *ret,
                          struct cu_err *err)
{
    CU_BUF names = cu_buf_heap(8192);
    AUTO(X509_REQ, free_request) *request = X509_REQ_new();
    AUTO(X509_NAME, free_name) *name = X509_NAME_new();
    AUTO_BIO *bio = BIO_new(BIO_s_mem());

    TRY(put_names(ask, &names, err));
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, (const char *)names.p);
    CU_CLEANUP(free_extensions) STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
    if (!x || !all || sk_X509_EXTENSION_push(all, x) <= 0) {
        X509_EXTENSION_free(x);
        return ossl_fail(err, CU_CRYPTO, "a request for a certificate cannot be made for these names");
    }
    if (!request || !name || !bio ||
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const uint8_t *)ask->name, -1, -1, 0) != 1 ||
        X509_REQ_set_subject_name(request, name) != 1 || X509_REQ_set_pubkey(request, subject->ctx) != 1 ||
        X509_REQ_add_extensions(request, all) != 1 || X509_REQ_sign(request, subject->ctx, digest_for(subject->ctx)) <= 0)
        return ossl_fail(err, CU_CRYPTO, "a request for a certificate cannot be made");
    return give(bio, PEM_write_bio_X509_REQ(bio, request), ret, err);
}

/* ---- revoking ---- */

static bool add_revoked(X509_CRL *list, X509 *cert, ASN1_TIME *now)
{
    X509_REVOKED *there = NULL;
    AUTO(X509_REVOKED, free_revoked) *r = X509_REVOKED_new();

    if (X509_CRL_get0_by_cert(list, &there, cert) == 1) return true;
    if (!r || X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(cert)) != 1 ||
        X509_REVOKED_set_revocationDate(r, now) != 1 || X509_CRL_add0_revoked(list, r) != 1)
        return false;
    r = NULL; /* now the list's */
    return true;
}

/* Its number goes up by one; it is good as long as its CA is. */
static bool renumber(X509_CRL *list, X509 *ca, const ASN1_TIME *now)
{
    AUTO(ASN1_INTEGER, free_integer) *n = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    const int64_t next = n ? ASN1_INTEGER_get(n) + 1 : 1;

    if (!n) n = ASN1_INTEGER_new();
    return n && ASN1_INTEGER_set_int64(n, next) == 1 &&
           X509_CRL_add1_ext_i2d(list, NID_crl_number, n, 0, X509V3_ADD_REPLACE) == 1 &&
           X509_CRL_set1_lastUpdate(list, now) == 1 && X509_CRL_set1_nextUpdate(list, X509_get0_notAfter(ca)) == 1 &&
           X509_CRL_sort(list) == 1;
}

cu_status cu_cert_revoke(const struct cu_cert_issuer *issuer, struct cu_span list, struct cu_span pem, cu_unix_ms now,
                         struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(free_issuer) struct issuer by = { NULL, NULL };
    AUTO_X509 *cert = read_cert(pem);
    AUTO_CRL *crl = list.n ? read_list(list) : X509_CRL_new();
    AUTO(ASN1_TIME, free_time) *time = ASN1_TIME_set(NULL, (time_t)(now.v / 1000));
    AUTO_BIO *bio = BIO_new(BIO_s_mem());

    if (!cert) return ossl_fail(err, CU_MALFORMED, "what should be revoked is no certificate, in PEM");
    if (!crl) return ossl_fail(err, CU_MALFORMED, "the list of what is revoked is none, in PEM");
    TRY(open_issuer(issuer, &by, err));
    if (X509_check_issued(by.cert, cert) != X509_V_OK || X509_verify(cert, by.key) != 1)
        return ossl_fail(err, CU_UNTRUSTED, "this CA did not issue that certificate: nothing was revoked");
    if (list.n && X509_CRL_verify(crl, by.key) != 1)
        return ossl_fail(err, CU_UNTRUSTED, "this CA did not sign the list of what is revoked: nothing was revoked");
    if (!time || !bio || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(by.cert)) != 1 || !add_revoked(crl, cert, time) ||
        !renumber(crl, by.cert, time) || X509_CRL_sign(crl, by.key, digest_for(by.key)) <= 0)
        return ossl_fail(err, CU_CRYPTO, "the list of what is revoked cannot be made");
    return give(bio, PEM_write_bio_X509_CRL(bio, crl), ret, err);
}

/* ---- reading ---- */

static void put_host(const GENERAL_NAME *name, struct cu_buf *out)
{
    int kind;
    const ASN1_STRING *text = GENERAL_NAME_get0_value(name, &kind);
    const uint8_t *p = ASN1_STRING_get0_data(text);

    if (kind == GEN_DNS) cu_buf_addf(out, "%.*s ", ASN1_STRING_length(text), (const char *)p);
    if (kind == GEN_IPADD && ASN1_STRING_length(text) == 4) cu_buf_addf(out, "%u.%u.%u.%u ", p[0], p[1], p[2], p[3]);
}

cu_status cu_cert_hosts(struct cu_span pem, struct cu_buf *ret, struct cu_err *err)
{
    AUTO_X509 *cert = read_cert(pem);

    if (!cert) return ossl_fail(err, CU_MALFORMED, "the server's certificate is none, in PEM");
    AUTO(GENERAL_NAMES, free_names) *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) put_host(sk_GENERAL_NAME_value(names, i), ret);
    return cu_buf_ok(ret, err);
}

static void read_uri(X509 *cert, char ret[CU_CERT_URI_MAX])
{
    AUTO(GENERAL_NAMES, free_names) *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int found = 0;

    ret[0] = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int kind;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
        const int n = kind == GEN_URI ? ASN1_STRING_length(text) : 0;
        if (n <= 0) continue;
        found++;
        if (n < CU_CERT_URI_MAX && !memchr(ASN1_STRING_get0_data(text), 0, (size_t)n))
            snprintf(ret, CU_CERT_URI_MAX, "%.*s", n, (const char *)ASN1_STRING_get0_data(text));
    }
    if (found != 1) ret[0] = 0;
}

static void read_key(X509 *cert, struct cu_public_key *ret)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    uint8_t point[65];
    size_t n = 0;

    *ret = (struct cu_public_key){ .alg = CU_ALG_NONE };
    if (key && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 256 &&
        EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", point, sizeof point, &n) == 1 && n == sizeof point &&
        point[0] == 4) {
        ret->alg = CU_ALG_ES256;
        memcpy(ret->bytes, point + 1, 64);
    }
    n = 32;
    if (key && EVP_PKEY_is_a(key, "ED25519") && EVP_PKEY_get_raw_public_key(key, ret->bytes, &n) == 1) ret->alg = CU_ALG_EDDSA;
}

static void read_serial(X509 *cert, char ret[72])
{
    AUTO(BIGNUM, free_bn) *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;

    snprintf(ret, 72, "%s", hex ? hex : "");
    OPENSSL_free(hex);
}

static uint64_t read_until(X509 *cert)
{
    struct tm t;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &t) != 1) return 0;
    const time_t at = timegm(&t);
    return at > 0 ? (uint64_t)at * 1000 : 0;
}

static void look(X509 *cert, struct cu_cert *ret)
{
    read_key(cert, &ret->key);
    read_serial(cert, ret->serial);
    read_uri(cert, ret->uri);
    ret->until_ms = read_until(cert);
}

cu_status cu_cert_look(struct cu_span pem, struct cu_cert *ret, struct cu_err *err)
{
    AUTO_X509 *cert = read_cert(pem);

    if (!cert) return ossl_fail(err, CU_MALFORMED, "that is no certificate, in PEM");
    look(cert, ret);
    return CU_OK;
}

/* ---- judging ---- */

struct cu_cert_trust {
    X509_STORE *store;
};

void cu_cert_trust_free(struct cu_cert_trust *trust)
{
    if (!trust) return;
    X509_STORE_free(trust->store);
    free(trust);
}
static void free_trust(struct cu_cert_trust **trust) { cu_cert_trust_free(*trust); }

static cu_status take_all(X509_STORE *store, struct cu_span pem, bool lists, struct cu_err *err)
{
    ENSURE(pem.n <= CU_CERT_PEM_MAX * 16, err, CU_TOO_LARGE, "a file of certificates of more than a mebibyte");
    AUTO_BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    int taken = 0;

    if (!bio) return ossl_fail(err, CU_NO_MEMORY, "no memory for certificates");
    for (bool more = true; more;) {
        AUTO_X509 *cert = lists ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
        AUTO_CRL *list = lists ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
        more = cert || list;
        if (more && (cert ? X509_STORE_add_cert(store, cert) : X509_STORE_add_crl(store, list)) != 1)
            return ossl_fail(err, CU_MALFORMED, "a certificate that cannot be taken");
        taken += more;
    }
    ERR_clear_error(); /* the end of the file is no error */
    ENSURE(taken > 0, err, CU_MALFORMED, "no %s, in PEM", lists ? "list of revoked certificates" : "CA's certificate");
    return CU_OK;
}

cu_status cu_cert_trust_open(struct cu_span ca_pem, struct cu_span revoked_pem, struct cu_cert_trust **ret, struct cu_err *err)
{
    CU_CLEANUP(free_trust) struct cu_cert_trust *t = calloc(1, sizeof *t);

    if (t) t->store = X509_STORE_new();
    ENSURE(t && t->store, err, CU_NO_MEMORY, "no memory for certificates");
    TRY(take_all(t->store, ca_pem, false, err));
    if (revoked_pem.n) TRY(take_all(t->store, revoked_pem, true, err));
    if (revoked_pem.n) X509_STORE_set_flags(t->store, X509_V_FLAG_CRL_CHECK);
    *ret = t;
    t = NULL;
    return CU_OK;
}

static cu_status parse_chain(const struct cu_span *chain, size_t n, STACK_OF(X509) * ret, struct cu_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at = chain[i].p;
        X509 *cert = chain[i].n <= CU_CERT_PEM_MAX ? d2i_X509(NULL, &at, (long)chain[i].n) : NULL;
        if (!cert || at != chain[i].p + chain[i].n || sk_X509_push(ret, cert) <= 0) {
            X509_free(cert);
            return ossl_fail(err, CU_NOT_ALLOWED, "what was shown is no certificate");
        }
    }
    return CU_OK;
}

static cu_status why_not(X509_STORE_CTX *ctx, const struct cu_cert *cert, struct cu_err *err)
{
    const int why = X509_STORE_CTX_get_error(ctx);
    char until[32];

    cu_time_text((cu_unix_ms){ cert->until_ms }, until);
    ERR_clear_error(); /* the queue is emptied */
    if (why == X509_V_ERR_CERT_HAS_EXPIRED)
        return cu_fail(err, CU_NOT_ALLOWED, "the certificate %s was valid until %s: nothing was done; ask for a new one",
                       cert->serial, until);
    if (why == X509_V_ERR_CERT_NOT_YET_VALID)
        return cu_fail(err, CU_NOT_ALLOWED,
                       "the certificate %s is not valid yet: nothing was done; is this machine's clock behind?", cert->serial);
    if (why == X509_V_ERR_CERT_REVOKED)
        return cu_fail(err, CU_NOT_ALLOWED, "the certificate %s is revoked: nothing was done", cert->serial);
    if (why == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || why == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
        why == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || why == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
        return cu_fail(err, CU_NOT_ALLOWED, "the certificate %s is of a CA that is not known here: nothing was done",
                       cert->serial);
    return cu_fail(err, CU_NOT_ALLOWED, "the certificate %s is refused (%s): nothing was done", cert->serial,
                   X509_verify_cert_error_string(why));
}

static cu_status judge(const struct cu_cert_trust *trust, X509 *leaf, STACK_OF(X509) * certs, int purpose, cu_unix_ms now,
                       const struct cu_cert *cert, struct cu_err *err)
{
    AUTO(X509_STORE_CTX, free_store_ctx) *ctx = X509_STORE_CTX_new();

    ENSURE(ctx, err, CU_NO_MEMORY, "no memory for certificates");
    if (X509_STORE_CTX_init(ctx, trust->store, leaf, certs) != 1 || X509_STORE_CTX_set_purpose(ctx, purpose) != 1)
        return ossl_fail(err, CU_CRYPTO, "a certificate cannot be judged");
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)(now.v / 1000));
    return X509_verify_cert(ctx) == 1 ? CU_OK : why_not(ctx, cert, err);
}

cu_status cu_cert_judge(const struct cu_cert_trust *trust, const struct cu_span *chain, size_t n, cu_unix_ms now,
                        struct cu_cert *ret, struct cu_err *err)
{
    CU_CLEANUP(free_chain) STACK_OF(X509) *certs = sk_X509_new_null();
    struct cu_cert out = { .until_ms = 0 };

    ENSURE(certs, err, CU_NO_MEMORY, "no memory for certificates");
    ENSURE(n > 0, err, CU_NOT_ALLOWED, "no certificate was shown");
    TRY(parse_chain(chain, n, certs, err));
    X509 *leaf = sk_X509_value(certs, 0);
    look(leaf, &out);
    TRY(judge(trust, leaf, certs, X509_PURPOSE_SSL_CLIENT, now, &out, err));
    *ret = out;
    return CU_OK;
}

/* A key that is encrypted, or that stands elsewhere, is not judged. */
static bool has_anothers_key(X509 *cert, struct cu_span pem)
{
    AUTO_PKEY *key = NULL;
    const bool another = ossl_pem_read(pem, CU_SPAN_EMPTY, &key, NULL) == CU_OK && X509_check_private_key(cert, key) != 1;

    ERR_clear_error();
    return another;
}

cu_status cu_cert_check(const struct cu_cert_trust *trust, struct cu_span pem, bool server, cu_unix_ms now, struct cu_cert *ret,
                        struct cu_err *err)
{
    AUTO_X509 *cert = read_cert(pem);
    time_t at = (time_t)(now.v / 1000);

    if (!cert) return ossl_fail(err, CU_MALFORMED, "no certificate, in PEM");
    *ret = (struct cu_cert){ .until_ms = 0 };
    look(cert, ret);
    ENSURE(!has_anothers_key(cert, pem), err, CU_NOT_ALLOWED, "the private key beside the certificate is another one's");
    if (trust) return judge(trust, cert, NULL, server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, now, ret, err);
    ENSURE(X509_cmp_time(X509_get0_notBefore(cert), &at) < 0, err, CU_NOT_ALLOWED,
           "the certificate %s is not valid yet: is this machine's clock behind?", ret->serial);
    ENSURE(X509_cmp_time(X509_get0_notAfter(cert), &at) > 0, err, CU_NOT_ALLOWED, "the certificate %s has expired", ret->serial);
    return CU_OK;
}
