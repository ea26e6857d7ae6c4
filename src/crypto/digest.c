/* Digests of any algorithm, over OpenSSL's fetched EVP_MDs. What is fetched never changes afterwards: with key.c's empty
 * P-256 key the room's only global. */
#include "crypto/ossl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

static const struct digest_row {
    enum cu_digest_alg alg;
    const char *name;
    size_t len;
    const char *ossl_name;
} rows[] = {
#define ROW(num, name, text, len, ossl) { CU_DIGEST_##name, text, len, ossl },
    CU_DIGEST_TABLE(ROW)
#undef ROW
};
enum { ROWS = sizeof rows / sizeof *rows };

static CRYPTO_ONCE fetched_once = CRYPTO_ONCE_STATIC_INIT;
static EVP_MD *fetched[ROWS];

/* No openssl.cnf: what a signature is worth must not depend on a file that we did not write. */
static void fetch_all(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    for (size_t i = 0; i < ROWS; i++) fetched[i] = EVP_MD_fetch(NULL, rows[i].ossl_name, NULL);
    ERR_clear_error();
}

static const struct digest_row *row_of(enum cu_digest_alg alg)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].alg == alg) return &rows[i];
    return NULL;
}

const EVP_MD *ossl_md(enum cu_digest_alg alg)
{
    const struct digest_row *row = row_of(alg);

    if (row == NULL || CRYPTO_THREAD_run_once(&fetched_once, fetch_all) != 1) return NULL;
    return fetched[row - rows];
}

cu_status ossl_fail(struct cu_err *err, cu_status status, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    cu_fail(err, status, "%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    ERR_clear_error();
    return status;
}

cu_status cu_crypto_init(struct cu_err *err)
{
    ENSURE(ossl_md(CU_DIGEST_SHA256) != NULL, err, CU_CRYPTO, "OpenSSL has no SHA-256");
    return CU_OK;
}

size_t cu_digest_len(enum cu_digest_alg alg)
{
    const struct digest_row *row = row_of(alg);

    return row != NULL ? row->len : 0;
}

const char *cu_digest_name(enum cu_digest_alg alg)
{
    const struct digest_row *row = row_of(alg);

    return row != NULL ? row->name : "unknown";
}

/* People write SHA256, sha-256 and Sha-256: letter case and hyphens say nothing. */
static bool same_name(struct cu_span said, const char *name)
{
    for (size_t i = 0; i < said.n; i++) {
        uint8_t c = said.p[i];

        if (c == '-') continue;
        if (c >= 'A' && c <= 'Z') c = (uint8_t)(c + ('a' - 'A'));
        if (*name == '\0' || c != (uint8_t)*name++) return false;
    }
    return *name == '\0';
}

enum cu_digest_alg cu_digest_by_name(struct cu_span name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (same_name(name, rows[i].name)) return rows[i].alg;
    return CU_DIGEST_NONE;
}

cu_status cu_digest_start(enum cu_digest_alg alg, struct cu_digest *ret, struct cu_err *err)
{
    const EVP_MD *md = ossl_md(alg);
    AUTO_MD_CTX *ctx = NULL;

    ENSURE(md != NULL, err, CU_CRYPTO, "OpenSSL has no digest %s", cu_digest_name(alg));
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1) return ossl_fail(err, CU_CRYPTO, "a digest cannot be started");

    *ret = (struct cu_digest){ .alg = alg, .ctx = ctx };
    ctx = NULL;
    return CU_OK;
}

void cu_digest_add(struct cu_digest *digest, struct cu_span bytes)
{
    CU_ASSERT(digest->ctx != NULL);
    CU_ASSERT(bytes.n == 0 || EVP_DigestUpdate(digest->ctx, bytes.p, bytes.n) == 1);
}

void cu_digest_finish(struct cu_digest *digest, uint8_t *ret)
{
    CU_ASSERT(digest->ctx != NULL);
    CU_ASSERT(EVP_DigestFinal_ex(digest->ctx, ret, NULL) == 1);
    cu_digest_free(digest);
}

void cu_digest_free(struct cu_digest *digest)
{
    if (digest == NULL) return;
    EVP_MD_CTX_free(digest->ctx);
    digest->ctx = NULL;
}
