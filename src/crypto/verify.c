/* Who checks signatures. Every implementation gives each job one of OK, BAD_KEY, BAD_SIGNATURE, HIGH_S, judged in this order:
 *
 * 1. the key: length and point (BAD_KEY);
 * 2. the form of the signature: ranges of r and s (BAD_SIGNATURE, HIGH_S), S < L and R allowed (BAD_SIGNATURE);
 * 3. the equation (BAD_SIGNATURE).
 *
 * When OpenSSL runs out of memory nothing can be said about the signature, and saying "bad" would split nodes that must
 * agree: that is a stop, by CU_ASSERT, not an answer.
 */
#include "crypto/lanes.h"
#include "crypto/ossl.h"

#include <openssl/err.h>

/* A loaded key with what OpenSSL can prepare once: for ES256 an initialised EVP_PKEY_CTX, which may verify again and again;
 * for Ed25519 an initialised EVP_MD_CTX, of which each verification takes a copy. */
struct loaded_key {
    struct cu_public_key key;
    EVP_PKEY_CTX *es256;
    EVP_MD_CTX *ed25519;
};

static void unload(struct loaded_key *loaded)
{
    EVP_PKEY_CTX_free(loaded->es256);
    EVP_MD_CTX_free(loaded->ed25519);
    *loaded = (struct loaded_key){ 0 };
}

static bool prepare(struct loaded_key *loaded, EVP_PKEY *pkey)
{
    if (loaded->key.alg == CU_ALG_ES256) {
        loaded->es256 = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        return loaded->es256 != NULL && EVP_PKEY_verify_init(loaded->es256) == 1;
    }
    loaded->ed25519 = EVP_MD_CTX_new();
    return loaded->ed25519 != NULL && EVP_DigestVerifyInit(loaded->ed25519, NULL, NULL, NULL, pkey) == 1;
}

static cu_status load(const struct cu_public_key *key, struct loaded_key *ret)
{
    AUTO_PKEY *pkey = NULL;
    if (!cu_alg_signs(key->alg)) return CU_BAD_KEY;
    cu_status status = ossl_public_load(key, &pkey, NULL);

    CU_ASSERT(status == CU_OK || status == CU_BAD_KEY);
    if (status != CU_OK) return status;
    *ret = (struct loaded_key){ .key = *key };
    CU_ASSERT(prepare(ret, pkey));
    return CU_OK;
}

/* 1 yes; 0 and, for some bad input, -1 no: forms that we let through are all within what OpenSSL judges. */
static cu_status answer(int ossl_says)
{
    if (ossl_says != 1) ERR_clear_error();
    return ossl_says == 1 ? CU_OK : CU_BAD_SIGNATURE;
}

static cu_status check_es256(EVP_PKEY_CTX *ctx, const struct cu_sig_job *job)
{
    uint8_t der[DER_SIG_MAX];

    TRY(es256_form(job->signature));
    cu_hash digest = cu_sha256(job->message);
    return answer(EVP_PKEY_verify(ctx, der, es256_to_der(job->signature, der), digest.b, sizeof digest.b));
}

static cu_status check_ed25519(const EVP_MD_CTX *ready, EVP_MD_CTX *scratch, const struct cu_sig_job *job)
{
    if (!ed25519_point_allowed(job->signature) || !ed25519_scalar_allowed(job->signature + 32)) return CU_BAD_SIGNATURE;
    CU_ASSERT(EVP_MD_CTX_copy_ex(scratch, ready) == 1);
    return answer(EVP_DigestVerify(scratch, job->signature, CU_SIGNATURE_LEN, job->message.p, job->message.n));
}

static cu_status check(const struct loaded_key *loaded, EVP_MD_CTX *scratch, const struct cu_sig_job *job)
{
    return loaded->es256 != NULL ? check_es256(loaded->es256, job) : check_ed25519(loaded->ed25519, scratch, job);
}

/* ---- plain -------------------------------------------------------------------------------------------------------- */

static cu_status check_plain(const struct cu_sig_job *job)
{
    CU_CLEANUP(unload) struct loaded_key loaded = { 0 };
    AUTO_MD_CTX *scratch = EVP_MD_CTX_new();

    CU_ASSERT(scratch != NULL);
    TRY(load(job->key, &loaded));
    return check(&loaded, scratch, job);
}

static void verify_plain(void *self, struct cu_sig_job *jobs, size_t n)
{
    (void)self;
    for (size_t i = 0; i < n; i++) jobs[i].status = check_plain(&jobs[i]);
}

static void free_nothing(void *self) { (void)self; }

struct cu_verifier cu_verifier_plain(void)
{
    return (struct cu_verifier){ .name = "plain", .verify = verify_plain, .free = free_nothing };
}

/* ---- cached ------------------------------------------------------------------------------------------------------- */

/* Slots are found by the whole public key, not by the id that a caller may have mixed up: whatever is passed, the answer is
 * the plain verifier's. Refused keys are not kept. */
struct cache {
    EVP_MD_CTX *scratch;
    es256_lanes *lanes;
    size_t slots, next; /* next: where the oldest key lies, or nothing yet */
    struct loaded_key slot[];
};

static bool holds(const struct loaded_key *slot, const struct cu_public_key *key)
{
    return slot->key.alg == key->alg && memcmp(slot->key.bytes, key->bytes, cu_alg_public_len(key->alg)) == 0;
}

static cu_status find_or_load(struct cache *cache, const struct cu_public_key *key, const struct loaded_key **ret)
{
    struct loaded_key fresh;

    if (cu_alg_public_len(key->alg) == 0) return CU_BAD_KEY; /* an empty slot has no algorithm either */
    for (size_t i = 0; i < cache->slots; i++)
        if (holds(&cache->slot[i], key)) return *ret = &cache->slot[i], CU_OK;

    TRY(load(key, &fresh));
    CU_ASSERT(cache->slots > 0);
    struct loaded_key *slot = &cache->slot[cache->next];
    cache->next = (cache->next + 1) % cache->slots;
    unload(slot);
    *slot = fresh;
    *ret = slot;
    return CU_OK;
}

static cu_status check_cached(struct cache *cache, const struct cu_sig_job *job)
{
    const struct loaded_key *loaded;

    TRY(find_or_load(cache, job->key, &loaded));
    return check(loaded, cache->scratch, job);
}

static void verify_cached(void *self, struct cu_sig_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) jobs[i].status = check_cached(self, &jobs[i]);
}

/* ---- with lanes --------------------------------------------------------------------------------------------------- */

/* What waits for its lanes to fill. A lane's word counts when it is yes; otherwise OpenSSL judges, as it does where too few are
 * left to pay. So lanes can never refuse what OpenSSL takes, and a signature that is bad costs what it costs without them. */
struct waiting {
    struct es256_lane lane[LANES];
    size_t n;
};

static void judge_waiting(struct cache *cache, struct waiting *w)
{
    const unsigned good = w->n >= LANES_PAY ? cache->lanes(w->lane, w->n) : 0;

    for (size_t i = 0; i < w->n; i++) w->lane[i].job->status = good >> i & 1 ? CU_OK : check_cached(cache, w->lane[i].job);
    w->n = 0;
}

/* OK: good, or waiting. */
static cu_status check_or_wait(struct cache *cache, struct waiting *w, struct cu_sig_job *job)
{
    const struct loaded_key *loaded;

    TRY(find_or_load(cache, job->key, &loaded));
    if (loaded->es256 == NULL) return check(loaded, cache->scratch, job);
    TRY(es256_form(job->signature));
    w->lane[w->n++] = (struct es256_lane){ job, cu_sha256(job->message) };
    return CU_OK;
}

static void verify_lanes(void *self, struct cu_sig_job *jobs, size_t n)
{
    struct waiting w;

    if (n < LANES_PAY) return verify_cached(self, jobs, n);
    w.n = 0;
    for (size_t i = 0; i < n; i++) {
        jobs[i].status = check_or_wait(self, &w, &jobs[i]);
        if (w.n == LANES) judge_waiting(self, &w);
    }
    judge_waiting(self, &w);
}

static void free_cached(void *self)
{
    struct cache *cache = self;

    for (size_t i = 0; i < cache->slots; i++) unload(&cache->slot[i]);
    EVP_MD_CTX_free(cache->scratch);
    cache->scratch = NULL;
}

size_t cu_verifier_cached_size(size_t keys) { return sizeof(struct cache) + keys * sizeof(struct loaded_key); }

cu_status cu_verifier_cached(void *memory, size_t size, struct cu_verifier *ret, struct cu_err *err)
{
    struct cache *cache = memory;

    ENSURE(size >= cu_verifier_cached_size(1), err, CU_TOO_LARGE, "a verifier's cache needs room for one key, %zu bytes",
           cu_verifier_cached_size(1));
    memset(memory, 0, size);
    cache->slots = (size - sizeof *cache) / sizeof *cache->slot;
    cache->scratch = EVP_MD_CTX_new();
    if (cache->scratch == NULL) return ossl_fail(err, CU_NO_MEMORY, "a verifier");
    *ret = (struct cu_verifier){ .self = cache, .name = "cached", .verify = verify_cached, .free = free_cached };
    return CU_OK;
}

cu_status verifier_with_lanes(es256_lanes *lanes, void *memory, size_t size, struct cu_verifier *ret, struct cu_err *err)
{
    TRY(cu_verifier_cached(memory, size, ret, err));
    ((struct cache *)memory)->lanes = lanes;
    ret->name = "lanes";
    ret->verify = verify_lanes;
    return CU_OK;
}

cu_status cu_verify_one(struct cu_verifier *by, const struct cu_public_key *key, struct cu_span message,
                        const uint8_t signature[CU_SIGNATURE_LEN], struct cu_err *err)
{
    struct cu_sig_job job = { .key = key, .message = message, .signature = signature, .status = CU_BAD_SIGNATURE };

    by->verify(by->self, &job, 1);
    ENSURE(job.status == CU_OK, err, job.status, "%s signature: %s", cu_alg_name(key->alg), cu_status_text(job.status));
    return CU_OK;
}
