/* Lanes against OpenSSL: published cases, and signatures made to be hard, of which every one must get the same verdict.
 *
 * The lanes by themselves refuse a few that are good (decision 026), so what they say alone is looked at too. */
#include "crypto/lanes.h"
#include "crypto/ossl.h"

#include "support.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

enum { KEYS = 16, CACHED = 64, BATCH = 61 }; /* a batch leaves tails of every length, since not all of it reaches the lanes */

static void *memory[2];
static struct cu_verifier reference, fast;
static struct cu_private_key keys[KEYS]; /* the last two are Ed25519 */
static EC_GROUP *curve;
static BN_CTX *ctx;
static const BIGNUM *order, *prime;

static int start(void **state)
{
    const size_t size = cu_verifier_cached_size(CACHED);
    BIGNUM *p = BN_new();

    (void)state;
    if (cu_crypto_init(NULL) != CU_OK) return -1;
    for (size_t i = 0; i < 2; i++) memory[i] = malloc(size);
    if (cu_verifier_cached(memory[0], size, &reference, NULL) != CU_OK) return -1;
    if (cu_verifier_fastest(true, memory[1], size, &fast, NULL) != CU_OK) return -1;
    for (size_t i = 0; i < KEYS; i++)
        if (cu_private_generate(i < KEYS - 2 ? CU_ALG_ES256 : CU_ALG_EDDSA, &keys[i], NULL) != CU_OK) return -1;
    curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    ctx = BN_CTX_new();
    order = EC_GROUP_get0_order(curve);
    EC_GROUP_get_curve(curve, p, NULL, NULL, ctx);
    prime = p;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    reference.free(reference.self);
    fast.free(fast.self);
    for (size_t i = 0; i < 2; i++) free(memory[i]);
    for (size_t i = 0; i < KEYS; i++) cu_private_free(&keys[i]);
    EC_GROUP_free(curve);
    BN_CTX_free(ctx);
    BN_free((BIGNUM *)(uintptr_t)prime);
    return 0;
}

static void need_lanes(void)
{
    if (lanes_here() != NULL) return;
    print_message("skipped, no lanes here: %s\n", cu_verifier_in_use(true));
    skip();
}

/* ---- a signature and what it is of --------------------------------------------------------------------------------- */

struct sample {
    struct cu_public_key key;
    uint8_t signature[CU_SIGNATURE_LEN], message[32];
    cu_hash digest;
};

static BIGNUM *number(void)
{
    BIGNUM *n = BN_CTX_get(ctx);

    assert_non_null(n);
    return n;
}

static BIGNUM *from_bytes(const uint8_t b[32]) { return BN_bin2bn(b, 32, number()); }
static void to_bytes(const BIGNUM *n, uint8_t ret[32]) { assert_int_equal(BN_bn2binpad(n, ret, 32), 32); }

/* 1 to n - 1; one in four is small, or the negative of a small one. */
static BIGNUM *scalar(struct chance *chance)
{
    uint8_t b[32];
    BIGNUM *n;

    chance_bytes(chance, b, sizeof b);
    n = from_bytes(b);
    if (chance_below(chance, 4) == 0) BN_set_word(n, 1 + chance_below(chance, 40));
    if (chance_below(chance, 8) == 0) BN_sub(n, order, n);
    BN_nnmod(n, n, order, ctx);
    if (BN_is_zero(n)) BN_one(n);
    return n;
}

static BIGNUM *times(const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *n = number();

    BN_mod_mul(n, a, b, order, ctx);
    return n;
}

static BIGNUM *inverse(const BIGNUM *a) { return BN_mod_inverse(number(), a, order, ctx); }

static BIGNUM *negative(const BIGNUM *a)
{
    BIGNUM *n = number();

    BN_sub(n, order, a);
    return n;
}

/* u·G + v·Q; Q may be NULL. */
static EC_POINT *point(const BIGNUM *u, const EC_POINT *q, const BIGNUM *v)
{
    EC_POINT *p = EC_POINT_new(curve);

    assert_int_equal(EC_POINT_mul(curve, p, u, q, v, ctx), 1);
    return p;
}

static void put_point(const EC_POINT *p, struct cu_public_key *ret)
{
    BIGNUM *x = number(), *y = number();

    ret->alg = CU_ALG_ES256;
    assert_int_equal(EC_POINT_get_affine_coordinates(curve, p, x, y, ctx), 1);
    to_bytes(x, ret->bytes), to_bytes(y, ret->bytes + 32);
}

static BIGNUM *r_of(const EC_POINT *p)
{
    BIGNUM *x = number();

    assert_int_equal(EC_POINT_get_affine_coordinates(curve, p, x, NULL, ctx), 1);
    BN_nnmod(x, x, order, ctx);
    return x;
}

static void put_signature(struct sample *s, const BIGNUM *r, const BIGNUM *of_s)
{
    to_bytes(r, s->signature), to_bytes(of_s, s->signature + 32);
    es256_make_low(s->signature);
}

/* The key is d·G, the nonce k: a good signature of the digest. False where r or s would be 0. */
static bool sign_with(struct sample *s, const BIGNUM *d, const BIGNUM *k)
{
    EC_POINT *public = point(d, NULL, NULL), *r_point = point(k, NULL, NULL);
    const BIGNUM *r = r_of(r_point);
    BIGNUM *sum = times(r, d);

    BN_mod_add(sum, sum, from_bytes(s->digest.b), order, ctx);
    put_point(public, &s->key);
    put_signature(s, r, times(inverse(k), sum));
    EC_POINT_free(public), EC_POINT_free(r_point);
    return !BN_is_zero(r) && !BN_is_zero(sum);
}

/* The key under which (R, s) is good: Q = (s·R - e·G) / r. Whoever chooses R and s first has no private key. */
static void recover(struct sample *s, const EC_POINT *r_point, const BIGNUM *of_s)
{
    const BIGNUM *r = r_of(r_point), *by_r = inverse(r);
    EC_POINT *q = point(times(negative(from_bytes(s->digest.b)), by_r), r_point, times(of_s, by_r));

    put_point(q, &s->key);
    put_signature(s, r, of_s);
    EC_POINT_free(q);
}

/* The next point whose x is this or a little more. */
static EC_POINT *point_near(BIGNUM *x, int odd)
{
    EC_POINT *p = EC_POINT_new(curve);

    while (EC_POINT_set_compressed_coordinates(curve, p, x, odd, ctx) != 1) BN_add_word(x, 1);
    return p;
}

/* ---- kinds of trouble ---------------------------------------------------------------------------------------------- */

static const char *const edges[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "0000000000000000000000000000000000000000000000000000000000000002",
    "000000000000000000000000000000004319055358e8617b0c46353d039cdaae", /* p - n */
    "0000000000000000000000000000000100000000000000000000000000000000",
    "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a7",
    "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", /* n/2 */
    "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9",
    "8000000000000000000000000000000000000000000000000000000000000000",
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", /* n - 1 */
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", /* n */
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
    "ffffffff00000001000000000000000000000000fffffffffffffffffffffffe",
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", /* p */
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
static const char root_of_b[] =
    "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"; /* (0, this) is on the curve */

static void put_edge(struct chance *chance, uint8_t ret[32])
{
    assert_int_equal(unhex(edges[chance_below(chance, sizeof edges / sizeof *edges)], ret, 32), 32);
}

static void good(struct chance *chance, struct sample *s)
{
    const struct cu_private_key *key = &keys[chance_below(chance, KEYS)];

    s->key = key->pub;
    assert_ok(cu_sign(key, CU_SPAN_OF(s->message), s->signature, NULL));
}

static void other_message(struct chance *chance, struct sample *s)
{
    good(chance, s);
    s->message[chance_below(chance, 32)] ^= (uint8_t)(1u << chance_below(chance, 8));
}

static void flipped_key(struct chance *chance, struct sample *s)
{
    good(chance, s);
    s->key.bytes[chance_below(chance, 64)] ^= (uint8_t)(1u << chance_below(chance, 8));
}

static void swapped_key(struct chance *chance, struct sample *s)
{
    good(chance, s);
    s->key = keys[chance_below(chance, KEYS)].pub;
}

static void high_s(struct chance *chance, struct sample *s)
{
    good(chance, s);
    to_bytes(negative(from_bytes(s->signature + 32)), s->signature + 32);
}

static void edge_of_r_or_s(struct chance *chance, struct sample *s)
{
    good(chance, s);
    put_edge(chance, s->signature + 32 * chance_below(chance, 2));
    if (chance_below(chance, 4) == 0) put_edge(chance, s->signature + 32 * chance_below(chance, 2));
}

static void any_signature(struct chance *chance, struct sample *s)
{
    good(chance, s);
    chance_bytes(chance, s->signature, CU_SIGNATURE_LEN);
    s->signature[32] &= 0x7f;
}

static BIGNUM *minus_y(const BIGNUM *y)
{
    BIGNUM *n = number();

    BN_sub(n, prime, y);
    return n;
}

static void edge_of_key(struct chance *chance, struct sample *s)
{
    good(chance, s);
    s->key.alg = CU_ALG_ES256;
    switch (chance_below(chance, 4)) {
    case 0: put_edge(chance, s->key.bytes), put_edge(chance, s->key.bytes + 32); break; /* (0, 0) too: infinity, some say */
    case 1: put_edge(chance, s->key.bytes + 32 * chance_below(chance, 2)); break;
    case 2: memset(s->key.bytes, 0, 32), unhex(root_of_b, s->key.bytes + 32, 32); break;
    case 3: /* -Q */
        s->key = keys[0].pub;
        to_bytes(minus_y(from_bytes(s->key.bytes + 32)), s->key.bytes + 32);
        break;
    }
}

/* u·G and v·Q are the same point: their sum is a doubling. */
static void doubling(struct chance *chance, struct sample *s)
{
    const BIGNUM *k = scalar(chance);
    EC_POINT *r_point = point(k, NULL, NULL);

    assert_true(sign_with(s, times(from_bytes(s->digest.b), inverse(r_of(r_point))), k));
    EC_POINT_free(r_point);
}

/* r, and s, are whatever, but u·G and v·Q are opposite, and the sum infinity, or they are the same. An addition that overlooks
 * this ends at x = 0, or at p, which is another zero and p - n modulo n. */
static void colliding(struct chance *chance, struct sample *s)
{
    const BIGNUM *e = from_bytes(s->digest.b), *r = scalar(chance);
    uint8_t edge[32];

    put_edge(chance, edge);
    if (chance_below(chance, 2) && BN_cmp(from_bytes(edge), order) < 0 && !BN_is_zero(from_bytes(edge))) r = from_bytes(edge);
    const BIGNUM *d = times(e, inverse(r));
    EC_POINT *q = point(chance_below(chance, 2) ? d : negative(d), NULL, NULL);

    put_point(q, &s->key);
    put_signature(s, r, scalar(chance));
    EC_POINT_free(q);
}

static void small_numbers(struct chance *chance, struct sample *s)
{
    while (!sign_with(s, scalar(chance), scalar(chance))) continue;
}

/* x(R) is n or more, so r is not x(R) but what is left of it. */
static void x_beyond_order(struct chance *chance, struct sample *s)
{
    BIGNUM *x = number();

    BN_copy(x, order);
    BN_add_word(x, chance_below(chance, 100000));
    EC_POINT *r_point = point_near(x, (int)chance_below(chance, 2));
    if (BN_cmp(x, order) != 0) recover(s, r_point, scalar(chance));
    EC_POINT_free(r_point);
}

static void small_x(struct chance *chance, struct sample *s)
{
    BIGNUM *x = number();

    BN_set_word(x, 1 + chance_below(chance, 100000));
    EC_POINT *r_point = point_near(x, (int)chance_below(chance, 2));
    recover(s, r_point, scalar(chance));
    if (chance_below(chance, 2)) to_bytes(x, s->signature);
    EC_POINT_free(r_point);
}

static void good_with_edge_of_s(struct chance *chance, struct sample *s)
{
    uint8_t b[32];
    BIGNUM *of_s;

    put_edge(chance, b);
    of_s = from_bytes(b);
    BN_nnmod(of_s, of_s, order, ctx);
    if (BN_is_zero(of_s)) BN_one(of_s);
    EC_POINT *r_point = point(scalar(chance), NULL, NULL);
    recover(s, r_point, of_s);
    EC_POINT_free(r_point);
}

static void (*const kinds[])(struct chance *, struct sample *) = {
    good,        good,          good,           good,          other_message,       flipped_key,
    swapped_key, high_s,        edge_of_r_or_s, any_signature, edge_of_key,         doubling,
    colliding,   small_numbers, x_beyond_order, small_x,       good_with_edge_of_s,
};

static void draw(struct chance *chance, struct sample *s)
{
    BN_CTX_start(ctx);
    *s = (struct sample){ .key = keys[0].pub };
    chance_bytes(chance, s->message, sizeof s->message);
    s->digest = cu_sha256(CU_SPAN_OF(s->message));
    kinds[chance_below(chance, sizeof kinds / sizeof *kinds)](chance, s);
    if (chance_below(chance, 8) == 0) s->signature[chance_below(chance, 64)] ^= (uint8_t)(1u << chance_below(chance, 8));
    BN_CTX_end(ctx);
}

/* ---- every one the same verdict ------------------------------------------------------------------------------------ */

struct said {
    size_t asked, refused;
};

/* What the lanes say by themselves, of those that may reach them. A wrong yes has nobody behind it; of wrong refusals, which OpenSSL
 * puts right, there must be few, or the lanes are of no use. */
static struct said lanes_say(struct cu_sig_job *jobs, size_t n)
{
    struct es256_lane lane[LANES];
    struct said said = { 0 };
    size_t waiting = 0;

    for (size_t i = 0; i < n; i++) {
        if (jobs[i].key->alg == CU_ALG_ES256 && (jobs[i].status == CU_OK || jobs[i].status == CU_BAD_SIGNATURE) &&
            es256_form(jobs[i].signature) == CU_OK)
            lane[waiting++] = (struct es256_lane){ &jobs[i], cu_sha256(jobs[i].message) };
        if (waiting < LANES && (i + 1 < n || waiting == 0)) continue;
        const unsigned yes = lanes_here()(lane, waiting);
        assert_int_equal(yes >> waiting, 0);
        for (size_t k = 0; k < waiting; k++) {
            assert_false((yes >> k & 1) && lane[k].job->status != CU_OK);
            said.refused += !(yes >> k & 1) && lane[k].job->status == CU_OK;
        }
        said.asked += waiting;
        waiting = 0;
    }
    return said;
}

static void every_signature_gets_the_verdict_of_openssl(void **state)
{
    static struct sample sample[BATCH];
    const size_t wanted = getenv("CUSTODY_SLOW") ? 1000000 : 20000;
    struct chance chance = chance_begin();
    size_t seen[256] = { 0 }, asked = 0, refused = 0, done = 0;

    (void)state;
    need_lanes();
    for (; done < wanted; done += BATCH) {
        struct cu_sig_job jobs[BATCH], same[BATCH];
        for (size_t i = 0; i < BATCH; i++) {
            draw(&chance, &sample[i]);
            jobs[i] = (struct cu_sig_job){ .key = &sample[i].key,
                                           .message = CU_SPAN_OF(sample[i].message),
                                           .signature = sample[i].signature };
            same[i] = jobs[i];
        }
        reference.verify(reference.self, jobs, BATCH);
        fast.verify(fast.self, same, BATCH);
        for (size_t i = 0; i < BATCH; i++) assert_status(same[i].status, jobs[i].status);
        for (size_t i = 0; i < BATCH; i++) seen[jobs[i].status]++;
        const struct said said = lanes_say(jobs, BATCH);
        asked += said.asked, refused += said.refused;
    }
    print_message(
        "%zu signatures, %zu of them in lanes: %zu good (%zu by OpenSSL's word alone), %zu bad, %zu high, %zu bad keys\n", done,
        asked, seen[CU_OK], refused, seen[CU_BAD_SIGNATURE], seen[CU_HIGH_S], seen[CU_BAD_KEY]);
    assert_true(refused < done / 15); /* the doublings */
    assert_true(seen[CU_OK] > done / 4 && seen[CU_BAD_SIGNATURE] > done / 8);
    assert_true(seen[CU_HIGH_S] > done / 50 && seen[CU_BAD_KEY] > done / 50 && asked > done / 2);
}

/* ---- digests that no message is known for -------------------------------------------------------------------------- */

static cu_status by_openssl(const struct sample *s)
{
    AUTO_PKEY *pkey = NULL;
    uint8_t der[DER_SIG_MAX];

    TRY(ossl_public_load(&s->key, &pkey, NULL));
    TRY(es256_form(s->signature));
    AUTO_PKEY_CTX *by = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    assert_int_equal(EVP_PKEY_verify_init(by), 1);
    return EVP_PKEY_verify(by, der, es256_to_der(s->signature, der), s->digest.b, 32) == 1 ? CU_OK : CU_BAD_SIGNATURE;
}

/* u and v, the two factors of the verifier, are chosen, and the key d·G: R = (u + v·d)·G, r = x(R), s = r / v, e = u·s. */
static bool with_factors(struct chance *chance, struct sample *s)
{
    const BIGNUM *d = scalar(chance), *v = scalar(chance);
    BIGNUM *u = scalar(chance), *k = times(v, d);

    if (chance_below(chance, 4) == 0) BN_zero(u);
    BN_mod_add(k, k, u, order, ctx);
    if (BN_is_zero(k)) return false;
    EC_POINT *r_point = point(k, NULL, NULL), *public = point(d, NULL, NULL);
    const BIGNUM *r = r_of(r_point), *of_s = times(r, inverse(v));
    put_point(public, &s->key);
    put_signature(s, r, of_s);
    to_bytes(times(u, of_s), s->digest.b);
    EC_POINT_free(r_point), EC_POINT_free(public);
    return true;
}

static bool with_edge_of_digest(struct chance *chance, struct sample *s)
{
    put_edge(chance, s->digest.b); /* n and more too: the digest is taken modulo n */
    return sign_with(s, scalar(chance), scalar(chance));
}

static void no_digest_and_no_factor_makes_lanes_take_what_is_bad(void **state)
{
    const size_t wanted = getenv("CUSTODY_SLOW") ? 20000 : 1000;
    struct chance chance = chance_begin();
    struct sample sample[LANES];
    struct cu_sig_job jobs[LANES];
    struct es256_lane lane[LANES];
    size_t accepted = 0, refused = 0;

    (void)state;
    need_lanes();
    for (size_t done = 0; done < wanted; done += LANES) {
        for (size_t i = 0; i < LANES;) {
            BN_CTX_start(ctx);
            sample[i] = (struct sample){ 0 };
            i += chance_below(&chance, 2) ? with_factors(&chance, &sample[i]) : with_edge_of_digest(&chance, &sample[i]);
            BN_CTX_end(ctx);
        }
        for (size_t i = 0; i < LANES; i++) {
            if (chance_below(&chance, 8) == 0) sample[i].digest.b[31] ^= 1;
            jobs[i] = (struct cu_sig_job){ .key = &sample[i].key, .signature = sample[i].signature };
            lane[i] = (struct es256_lane){ &jobs[i], sample[i].digest };
        }
        const unsigned yes = lanes_here()(lane, LANES);
        for (size_t i = 0; i < LANES; i++) {
            const bool is_good = by_openssl(&sample[i]) == CU_OK;
            assert_false((yes >> i & 1) && !is_good);
            accepted += yes >> i & 1, refused += is_good && !(yes >> i & 1);
        }
    }
    assert_true(accepted > wanted / 2 && refused > 0); /* digests of 0, of n and more, and doublings: what the fall-back is for */
}

/* ---- published cases ----------------------------------------------------------------------------------------------- */

static void lanes_answer_every_published_case(void **state)
{
    static struct sample sample[512];
    static uint8_t messages[512][256];
    static struct cu_sig_job jobs[512];
    static char wanted[512][32];
    size_t n = 0;

    (void)state;
    need_lanes();
    for (struct vectors *v = vectors_open("es256_wycheproof.txt"); vectors_next(v); n++) {
        assert_true(n < 512 && v->n == 5);
        sample[n].key.alg = CU_ALG_ES256;
        unhex(v->field[2], sample[n].key.bytes, 64);
        unhex(v->field[4], sample[n].signature, CU_SIGNATURE_LEN);
        const size_t length = unhex(v->field[3], messages[n], sizeof messages[n]);
        snprintf(wanted[n], sizeof wanted[n], "%s", v->field[1]);
        jobs[n] = (struct cu_sig_job){ .key = &sample[n].key,
                                       .message = cu_span(messages[n], length),
                                       .signature = sample[n].signature };
    }
    fast.verify(fast.self, jobs, n);
    for (size_t i = 0; i < n; i++) assert_string_equal(cu_status_name(jobs[i].status), wanted[i]);
    const struct said said = lanes_say(jobs, n);
    assert_true(said.asked > 100 && said.refused < 5);
}

/* ---- who is asked, with lanes that any machine has ----------------------------------------------------------------- */

static size_t asked[16], asked_n;

static unsigned says_yes(const struct es256_lane *lane, size_t n)
{
    (void)lane;
    asked[asked_n++] = n;
    return (1u << n) - 1;
}

static unsigned says_no(const struct es256_lane *lane, size_t n) { return says_yes(lane, n), 0; }

/* Jobs by two keys in turn, the k-th of them bad if bit k of `bad` says so. */
static void ask(es256_lanes *lanes, size_t n, unsigned bad, cu_status ret[])
{
    static uint8_t signature[32][CU_SIGNATURE_LEN];
    struct cu_sig_job jobs[32];
    const size_t size = cu_verifier_cached_size(1); /* each key makes room for the other */
    struct cu_verifier by;
    void *room = malloc(size);

    assert_ok(verifier_with_lanes(lanes, room, size, &by, NULL));
    asked_n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct cu_private_key *key = &keys[i % 2];
        assert_ok(cu_sign(key, cu_span_str("m"), signature[i], NULL));
        signature[i][5] ^= (uint8_t)(bad >> i & 1);
        jobs[i] = (struct cu_sig_job){ .key = &key->pub, .message = cu_span_str("m"), .signature = signature[i] };
    }
    by.verify(by.self, jobs, n);
    for (size_t i = 0; i < n; i++) ret[i] = jobs[i].status;
    by.free(by.self);
    free(room);
}

static void lanes_run_full_and_a_tail_only_where_it_pays(void **state)
{
    cu_status status[32];

    (void)state;
    ask(says_yes, 2 * LANES + LANES_PAY, 0, status);
    assert_true(asked_n == 3 && asked[0] == LANES && asked[1] == LANES && asked[2] == LANES_PAY);
    ask(says_yes, LANES + LANES_PAY - 1, 0, status);
    assert_true(asked_n == 1 && asked[0] == LANES);
    ask(says_yes, LANES_PAY - 1, 0, status);
    assert_true(asked_n == 0);
}

static void what_lanes_refuse_openssl_decides(void **state)
{
    cu_status status[32];

    (void)state;
    ask(says_no, 19, 0x10204, status);
    for (size_t i = 0; i < 19; i++) assert_status(status[i], 0x10204 >> i & 1 ? CU_BAD_SIGNATURE : CU_OK);
    assert_true(asked_n == 3);
}

static void what_never_reaches_the_lanes_is_judged_as_ever(void **state)
{
    const size_t size = cu_verifier_cached_size(4);
    uint8_t zero[CU_SIGNATURE_LEN] = { 0 }, ed25519[CU_SIGNATURE_LEN];
    struct cu_public_key off_curve = keys[0].pub, unknown = { 0 };
    void *room = malloc(size);
    struct cu_verifier by;

    (void)state;
    off_curve.bytes[63] ^= 1;
    assert_ok(cu_sign(&keys[KEYS - 1], cu_span_str("m"), ed25519, NULL));
    struct cu_sig_job jobs[] = {
        { .key = &keys[0].pub, .message = cu_span_str("m"), .signature = zero },
        { .key = &off_curve, .message = cu_span_str("m"), .signature = zero },
        { .key = &unknown, .message = cu_span_str("m"), .signature = zero },
        { .key = &keys[KEYS - 1].pub, .message = cu_span_str("m"), .signature = ed25519 },
        { .key = &keys[KEYS - 1].pub, .message = cu_span_str("n"), .signature = ed25519 },
    };
    static const cu_status wanted[] = { CU_BAD_SIGNATURE, CU_BAD_KEY, CU_BAD_KEY, CU_OK, CU_BAD_SIGNATURE };
    asked_n = 0;
    assert_ok(verifier_with_lanes(says_yes, room, size, &by, NULL));
    by.verify(by.self, jobs, 5);
    for (size_t i = 0; i < 5; i++) assert_status(jobs[i].status, wanted[i]);
    assert_int_equal(asked_n, 0);
    by.free(by.self);
    free(room);
}

static void switched_off_it_is_openssl(void **state)
{
    const size_t size = cu_verifier_cached_size(4);
    struct cu_verifier by;
    void *room = malloc(size);

    (void)state;
    assert_ok(cu_verifier_fastest(false, room, size, &by, NULL));
    assert_string_equal(by.name, "cached");
    assert_string_equal(cu_verifier_in_use(false), "OpenSSL: the accelerator is switched off");
    assert_string_equal(fast.name, lanes_here() != NULL ? "lanes" : "cached");
    by.free(by.self);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_run_full_and_a_tail_only_where_it_pays),
        cmocka_unit_test(what_lanes_refuse_openssl_decides),
        cmocka_unit_test(what_never_reaches_the_lanes_is_judged_as_ever),
        cmocka_unit_test(switched_off_it_is_openssl),
        cmocka_unit_test(lanes_answer_every_published_case),
        cmocka_unit_test(no_digest_and_no_factor_makes_lanes_take_what_is_bad),
        cmocka_unit_test(every_signature_gets_the_verdict_of_openssl),
    };
    return cmocka_run_group_tests_name("lanes", tests, start, stop);
}
