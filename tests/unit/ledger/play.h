/* Conversations with the step function: parties with real keys say things, blocks close, and what was admitted is remembered so
 * that it can be replayed.
 *
 *     play_start(&p, 1);                                    genesis, confirm, one case, each in its block
 *     cu_hash c = claims(&p, OFFICER, 1);                   the officer signs a claim, serial 1
 *     assert_said(OK, accepts(&p));                         the provider accepts the claim last signed
 *     play_close(&p);                                       the block
 */
#ifndef CU_TEST_PLAY_H
#define CU_TEST_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "custody/age.h"
#include "custody/tree.h"
#include "ledger/ledger.h"

enum who { OFFICER, CLERK, PROVIDER, ORG, ORG_LOG, ORG2, ORG2_LOG, ORG3, ORG3_LOG, ORG4, ORG4_LOG, STRANGER, WHO_MAX };
enum { SAID_MAX = 4096, BATCHES_MAX = 2048 };

struct said { uint8_t *bytes; size_t n; };
struct batch { uint64_t opened, closed; size_t first, n; uint8_t block[512]; size_t block_n; cu_hash digest; };

struct play {
    struct cu_ledger *l;
    struct cu_machine m;
    struct cu_verifier by;
    uint64_t orgs;
    cu_hash network;
    struct cu_policy policy;
    cu_case_id case_id;
    uint64_t now, height;
    bool open, trusted;
    struct cu_submission sub;       /* the one last said */
    uint8_t claim_mem[CU_CLAIM_MAX]; /* the claim last signed */
    struct cu_buf claim;
    cu_hash claim_id;
    uint8_t entry_mem[CU_ENTRY_MAX], record_mem[CU_RECORD_MAX];
    struct said said[SAID_MAX];     /* admitted records, in log order, blocks left out */
    size_t said_n;
    struct batch batch[BATCHES_MAX];
    size_t batches_n;
};

static struct cu_private_key play_keys[WHO_MAX];
static struct cu_err err;

#define assert_ok(call) play_status((call), CU_OK, __FILE__, __LINE__)
#define assert_fails(status, call) play_status((call), CU_##status, __FILE__, __LINE__)
#define assert_said(status, call) play_said(&p, (call), CU_##status, __FILE__, __LINE__)

static inline void play_status(cu_status got, cu_status wanted, const char *file, int line)
{
    if (got == wanted) return;
    print_error("got %s (%s), not %s\n", cu_status_name(got), got == CU_OK ? "" : err.text, cu_status_name(wanted));
    _fail(file, line);
}

static inline void play_said(const struct play *p, cu_status got, cu_status wanted, const char *file, int line)
{
    if (got == wanted) return;
    print_error("got %s (%s), not %s\n", cu_status_name(got), p->sub.text, cu_status_name(wanted));
    _fail(file, line);
}

static inline int play_make_keys(void **state)
{
    (void)state;
    if (cu_crypto_init(&err) != CU_OK) return -1;
    for (int i = 0; i < WHO_MAX; i++) {
        bool log = i == ORG_LOG || i == ORG2_LOG || i == ORG3_LOG || i == ORG4_LOG;
        if (cu_private_generate(log ? CU_ALG_EDDSA : CU_ALG_ES256, &play_keys[i], &err) != CU_OK) return -1;
    }
    return 0;
}

static inline int play_free_keys(void **state)
{
    (void)state;
    for (int i = 0; i < WHO_MAX; i++) cu_private_free(&play_keys[i]);
    return 0;
}

static inline const cu_hash *kid_of(enum who who) { return &play_keys[who].id; }

/* ---- saying --------------------------------------------------------------------------------------------------------- */

static const uint8_t play_salt[CU_SALT_LEN] = { 7 };
#define PLAY_DETAILS cu_span_str("\xa1\x67" "profile\x65" "plain")
static inline cu_hash play_commitment(void) { return cu_commitment(CU_SPAN_OF(play_salt), PLAY_DETAILS); }

static inline void play_open(struct play *p)
{
    if (p->open) return;
    p->height++;
    assert_ok(p->m.begin(p->m.self, p->height, (cu_unix_ms){ p->now }, &err));
    p->batch[p->batches_n] = (struct batch){ .opened = p->now, .first = p->said_n };
    p->open = true;
}

/* Whole records, as they travel. */
static inline cu_status say_record(struct play *p, struct cu_span record)
{
    play_open(p);
    p->sub = (struct cu_submission){ .bytes = record, .trusted = p->trusted };
    p->m.prepare(p->m.self, &p->sub, 1, &p->by);
    assert_ok(p->m.step(p->m.self, &p->sub, &err));
    if (p->sub.status != CU_OK) return p->sub.status;
    assert_true(p->said_n < SAID_MAX);
    uint8_t *copy = malloc(record.n);
    memcpy(copy, record.p, record.n);
    p->said[p->said_n++] = (struct said){ copy, record.n };
    p->batch[p->batches_n].n++;
    return CU_OK;
}

/* An entry with the details that everybody here has. */
static inline cu_status say_entry(struct play *p, struct cu_span entry)
{
    struct cu_buf out = cu_buf_over(p->record_mem, sizeof p->record_mem);
    struct cu_record record = { .entry = entry };
    struct cu_entry parsed;

    if (cu_entry_read(entry, &parsed, NULL) == CU_OK && cu_entry_commitment(&parsed)) {
        record.salt = CU_SPAN_OF(play_salt);
        record.details = PLAY_DETAILS;
    }
    assert_ok(cu_record_write(&record, &out, &err));
    return say_record(p, cu_buf_span(&out));
}

static inline struct cu_span play_sign(struct play *p, enum cu_kind kind, enum who who, const void *body)
{
    struct cu_buf out = cu_buf_over(p->entry_mem, sizeof p->entry_mem);

    assert_ok(cu_statement_sign(kind, body, &p->network, &play_keys[who], &out, &err));
    return cu_buf_span(&out);
}

static inline cu_status say(struct play *p, enum cu_kind kind, enum who who, const void *body)
{
    return say_entry(p, play_sign(p, kind, who, body));
}

/* ---- blocks --------------------------------------------------------------------------------------------------------- */

static inline void play_close(struct play *p)
{
    struct batch *b = &p->batch[p->batches_n];
    struct cu_buf block = cu_buf_over(b->block, sizeof b->block);

    if (!p->open) return;
    assert_ok(p->m.end(p->m.self, (cu_unix_ms){ p->now }, &block, &err));
    assert_ok(p->m.commit(p->m.self, &err));
    b->closed = p->now;
    b->block_n = block.n;
    b->digest = cu_ledger_digest(p->l);
    assert_int_equal(b->block_n > 0, b->n > 0);
    p->open = false;
    p->now += 1000;
    if (b->n > 0) p->batches_n++;
    assert_true(p->batches_n < BATCHES_MAX);
}

/* The engine failed: nothing of the open batch happened. */
static inline void play_abandon(struct play *p)
{
    p->m.abandon(p->m.self);
    for (size_t n = p->open ? p->batch[p->batches_n].n : 0; n > 0; n--) free(p->said[--p->said_n].bytes);
    p->open = false;
}

static inline struct cu_seen newest(struct play *p)
{
    struct cu_seen seen = { 0 };
    struct cu_machine m = p->m;

    if (m.tip(m.self).height > 0) assert_ok(cu_ledger_newest_block(p->l, &seen, &err));
    return seen;
}

/* ---- what parties say ----------------------------------------------------------------------------------------------- */

static inline struct cu_claim play_claim(struct play *p, uint64_t serial)
{
    return (struct cu_claim){
        .serial = serial, .case_id = p->case_id, .content = CU_CONTENT_ITEM, .size = 40000, .root = cu_sha256(cu_span(&serial,
            sizeof serial)),
        .time = p->now, .seen = newest(p), .commitment = play_commitment(),
    };
}

static inline cu_hash claims_so(struct play *p, enum who who, const struct cu_claim *claim)
{
    struct cu_statement st;

    p->claim = cu_buf_over(p->claim_mem, sizeof p->claim_mem);
    assert_ok(cu_statement_sign(CU_KIND_CLAIM, claim, &p->network, &play_keys[who], &p->claim, &err));
    assert_ok(cu_statement_read(cu_buf_span(&p->claim), &st, &err));
    p->claim_id = st.id;
    return st.id;
}

static inline cu_hash claims(struct play *p, enum who who, uint64_t serial)
{
    struct cu_claim claim = play_claim(p, serial);

    return claims_so(p, who, &claim);
}

static inline cu_status accepts(struct play *p)
{
    struct cu_deposit deposit = { .claim = cu_buf_span(&p->claim), .time = p->now, .seen = newest(p) };

    return say(p, CU_KIND_DEPOSIT, PROVIDER, &deposit);
}

static inline cu_status refuses(struct play *p)
{
    struct cu_refusal refusal = { .claim = cu_buf_span(&p->claim), .time = p->now, .seen = newest(p),
        .reason = CU_REASON_DAMAGED };

    return say(p, CU_KIND_REFUSAL, PROVIDER, &refusal);
}

static inline cu_status voids(struct play *p, enum who who, uint64_t serial, const cu_hash *claim)
{
    struct cu_void body = { .serial = serial, .time = p->now, .seen = newest(p), .reason = CU_REASON_LOST,
        .commitment = play_commitment() };

    if (claim) body.claim = *claim, body.has_claim = true;
    return say(p, CU_KIND_VOID, who, &body);
}

static inline cu_status opens_case(struct play *p, enum who who, uint8_t number)
{
    struct cu_case body = { .case_id = { { number } }, .time = p->now, .seen = newest(p), .commitment = play_commitment() };

    return say(p, CU_KIND_CASE, who, &body);
}

static inline cu_status deposits(struct play *p, enum who who, uint64_t serial)
{
    claims(p, who, serial);
    return accepts(p);
}

static inline cu_status stores(struct play *p, enum who who, uint64_t first, uint64_t last)
{
    uint8_t mem[32];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_range range = { first, last };

    assert_ok(cu_schema_write(&cu_range_schema, &range, &out, &err));
    struct cu_stored body = { .time = p->now, .seen = newest(p), .ranges = { 1, cu_buf_span(&out) } };
    return say(p, CU_KIND_STORED, who, &body);
}

static inline cu_status corrects(struct play *p, enum who who, const cu_hash *target)
{
    struct cu_correction body = { .time = p->now, .seen = newest(p), .target = *target, .commitment = play_commitment() };

    return say(p, CU_KIND_CORRECTION, who, &body);
}

static inline cu_status discloses(struct play *p, enum who who, const cu_hash *targets, size_t n)
{
    uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    for (size_t i = 0; i < n; i++) cu_cbor_put_bytes(&out, cu_span_hash(&targets[i]));
    struct cu_disclosure body = { .time = p->now, .seen = newest(p), .targets = { n, cu_buf_span(&out) },
        .commitment = play_commitment() };
    return say(p, CU_KIND_DISCLOSURE, who, &body);
}

static inline struct cu_list ids_of(const cu_hash *ids, size_t n)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    for (size_t i = 0; i < n; i++) cu_cbor_put_bytes(&out, cu_span_hash(&ids[i]));
    return (struct cu_list){ n, cu_buf_span(&out) };
}

static inline cu_status grants(struct play *p, enum who who, const cu_hash *target, const cu_hash *readers, size_t n)
{
    struct cu_grant body = { .time = p->now, .seen = newest(p), .target = *target, .readers = ids_of(readers, n),
        .commitment = play_commitment() };
    return say(p, CU_KIND_GRANT, who, &body);
}

/* A new reader of that organisation; its key's id. */
static inline cu_hash gets_a_sealing_key(struct play *p, enum who who, uint64_t party)
{
    struct cu_given_key key = { .purpose = CU_PURPOSE_SEALING, .neg_alg = (uint64_t)-CU_ALG_X25519 };
    struct cu_public_key pub = { .alg = CU_ALG_X25519 };
    struct cu_age_identity identity;
    uint8_t message[128], mem[256];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    assert_ok(cu_age_identity_generate(&identity, &err));
    memcpy(pub.bytes, identity.recipient.share, 32);
    cu_age_identity_free(&identity);
    key.pub = cu_public_span(&pub);
    const size_t n = cu_possession_message(&p->network, CU_PURPOSE_SEALING, &pub, message);
    assert_ok(cu_sign(&play_keys[who], cu_span(message, n), key.proof, &err));
    assert_ok(cu_schema_write(&cu_given_key_schema, &key, &out, &err));
    struct cu_member body = { .time = p->now, .seen = newest(p), .party = party, .role = CU_ROLE_READER, .keys = { 1, cu_buf_span(&out) },
        .commitment = play_commitment() };
    play_said(p, say(p, CU_KIND_MEMBER, who, &body), CU_OK, __FILE__, __LINE__);
    return cu_key_id(&pub);
}

static inline cu_status revokes_the_key(struct play *p, enum who who, uint64_t party, const cu_hash *kid)
{
    const struct cu_revoked revoked = { *kid, CU_NOT_COMPROMISED };
    uint8_t mem[64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    assert_ok(cu_schema_write(&cu_revoked_schema, &revoked, &out, &err));
    struct cu_member body = { .time = p->now, .seen = newest(p), .party = party, .role = CU_ROLE_READER, .revoked = { 1, cu_buf_span(&out) },
        .commitment = play_commitment() };
    return say(p, CU_KIND_MEMBER, who, &body);
}

static inline cu_status reports_equivocation(struct play *p, enum who who)
{
    struct cu_incident body = { .time = p->now, .seen = newest(p), .type = CU_INCIDENT_EQUIVOCATION, .count = 1,
        .commitment = play_commitment(),
                                .claim = cu_buf_span(&p->claim), .has_claim = true };

    return say(p, CU_KIND_INCIDENT, who, &body);
}

static inline cu_status reads(struct play *p, enum who who)
{
    struct cu_access body = { .time = p->now, .seen = newest(p), .count = 1, .commitment = play_commitment() };

    return say(p, CU_KIND_ACCESS, who, &body);
}

static inline struct cu_inventory true_inventory(struct play *p, const enum who *of_key, struct cu_buf *mem)
{
    struct cu_inventory body = { .time = p->now };

    body.has_kid = of_key != NULL;
    body.has_case = !body.has_kid;
    if (of_key) body.kid = *kid_of(*of_key);
    else body.case_id = p->case_id;
    assert_ok(cu_ledger_inventory(p->l, &body, mem, &err));
    return body;
}

/* ---- the beginning -------------------------------------------------------------------------------------------------- */

static inline void put_party(struct cu_buf *out, uint64_t id, uint64_t role, uint64_t organisation, enum who statement,
    const enum who *log)
{
    uint8_t mem[256];
    struct cu_buf keys = cu_buf_over(mem, sizeof mem);
    struct cu_party_key key = { CU_PURPOSE_STATEMENT, 7, cu_public_span(&play_keys[statement].pub) };

    assert_ok(cu_schema_write(&cu_party_key_schema, &key, &keys, &err));
    if (log) {
        key = (struct cu_party_key){ CU_PURPOSE_LOG, 8, cu_public_span(&play_keys[*log].pub) };
        assert_ok(cu_schema_write(&cu_party_key_schema, &key, &keys, &err));
    }
    struct cu_party party = { id, role, organisation, { log ? 2 : 1, cu_buf_span(&keys) } };
    assert_ok(cu_schema_write(&cu_party_schema, &party, out, &err));
}

/* Organisations 1..orgs, the provider and two depositors run by the first. */
static inline struct cu_span play_genesis(struct play *p, uint8_t nonce)
{
    uint8_t mem[4096];
    struct cu_buf parties = cu_buf_over(mem, sizeof mem), out = cu_buf_over(p->entry_mem, sizeof p->entry_mem);
    char origin[64] = "ledger.example/";

    for (uint64_t i = 0; i < p->orgs; i++) put_party(&parties, i + 1, CU_ROLE_ORGANISATION, i + 1, (enum who)(ORG + 2 * i),
        &(enum who){ (enum who)(ORG_LOG + 2 * i) });
    put_party(&parties, p->orgs + 1, CU_ROLE_PROVIDER, 1, PROVIDER, NULL);
    put_party(&parties, p->orgs + 2, CU_ROLE_DEPOSITOR, 1, OFFICER, NULL);
    put_party(&parties, p->orgs + 3, CU_ROLE_DEPOSITOR, 1, CLERK, NULL);
    struct cu_genesis genesis = {
        .suite = 1, .rules = CU_RULES_VERSION, .engine = CU_ENGINE_EMBEDDED, .time = 1, .parties = { p->orgs + 3,
            cu_buf_span(&parties) },
        .policy = p->policy, .commitment = play_commitment(),
    };
    memset(genesis.nonce, nonce, 16);
    for (int i = 0; i < 16; i++) snprintf(origin + 15 + 2 * i, 3, "%02x", nonce);
    genesis.origin = cu_span_str(origin);
    assert_ok(cu_plain_write(CU_KIND_GENESIS, &genesis, &out, &err));
    return cu_buf_span(&out);
}

static inline int play_by_kid(const void *a, const void *b) { return memcmp(kid_of(*(const enum who *)a),
    kid_of(*(const enum who *)b), 32); }

/* The confirm of organisation n, by `n_keys` of its keys. */
static inline cu_status confirms(struct play *p, uint64_t organisation, size_t leave_out)
{
    enum who keys[5] = { (enum who)(ORG + 2 * (organisation - 1)), (enum who)(ORG_LOG + 2 * (organisation - 1)), PROVIDER,
        OFFICER, CLERK };
    size_t n = (organisation == 1 ? 5 : 2) - leave_out;
    uint8_t mem[5 * 128], message[128];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    enum who signer = keys[0];
    qsort(keys, n, sizeof *keys, play_by_kid);
    for (size_t i = 0; i < n; i++) {
        struct cu_possession one = { .kid = *kid_of(keys[i]) };
        bool log = play_keys[keys[i]].pub.alg == CU_ALG_EDDSA;
        size_t length = cu_possession_message(&p->network, log ? CU_PURPOSE_LOG : CU_PURPOSE_STATEMENT,
            &play_keys[keys[i]].pub, message);
        assert_ok(cu_sign(&play_keys[keys[i]], cu_span(message, length), one.signature, &err));
        assert_ok(cu_schema_write(&cu_possession_schema, &one, &out, &err));
    }
    struct cu_confirm body = { .party = organisation, .time = p->now, .keys = { n, cu_buf_span(&out) } };
    return say(p, CU_KIND_CONFIRM, signer, &body);
}

static inline void play_begin(struct play *p, const struct cu_fs *fs, uint64_t orgs)
{
    memset(p, 0, sizeof *p);
    assert_ok(cu_ledger_open(fs, "node/state", &p->l, &err));
    p->m = cu_ledger_machine(p->l);
    p->by = cu_verifier_plain();
    p->orgs = orgs;
    p->now = 1000000;
    p->policy = (struct cu_policy){ .cosigners = 1, .copies = 1, .acceptance_age = 5000 };
    p->case_id = (cu_case_id){ { 1 } };
}

static inline cu_status founds(struct play *p)
{
    struct cu_span genesis = play_genesis(p, 0xab);

    p->network = cu_leaf_hash(genesis);
    return say_entry(p, genesis);
}

/* An embedded ledger's first two blocks: genesis and confirm, then a case. */
static inline void play_start(struct play *p, const struct cu_fs *fs)
{
    play_begin(p, fs, 1);
    play_said(p, founds(p), CU_OK, __FILE__, __LINE__);
    play_said(p, confirms(p, 1, 0), CU_OK, __FILE__, __LINE__);
    play_close(p);
    play_said(p, opens_case(p, OFFICER, 1), CU_OK, __FILE__, __LINE__);
    play_close(p);
}

static inline void play_stop(struct play *p)
{
    cu_ledger_close(p->l);
    for (size_t i = 0; i < p->said_n; i++) free(p->said[i].bytes);
}

/* ---- replay: the entries alone, trusted ------------------------------------------------------------------------------ */

static inline void replay_batch(const struct cu_machine *m, const struct play *from, const struct batch *b)
{
    uint8_t mem[512];
    struct cu_buf block = cu_buf_over(mem, sizeof mem);
    uint64_t height = m->tip(m->self).height;
    struct cu_entry entry;

    assert_ok(cu_entry_read(cu_span(b->block, b->block_n), &entry, &err));
    assert_true(entry.outer.body.block.height > height);
    assert_ok(m->begin(m->self, entry.outer.body.block.height, (cu_unix_ms){ entry.outer.body.block.opened }, &err));
    for (size_t i = 0; i < b->n; i++) {
        const struct said *said = &from->said[b->first + i];
        struct cu_record record;
        uint8_t bare_mem[CU_ENTRY_MAX + 16];
        struct cu_buf bare = cu_buf_over(bare_mem, sizeof bare_mem);
        assert_ok(cu_record_read(cu_span(said->bytes, said->n), &record, &err));
        assert_ok(cu_record_write(&(struct cu_record){ .entry = record.entry }, &bare, &err));
        struct cu_submission sub = { .bytes = cu_buf_span(&bare), .trusted = true };
        m->prepare(m->self, &sub, 1, NULL);
        assert_ok(m->step(m->self, &sub, &err));
        if (sub.status != CU_OK) fail_msg("replay: %s", sub.text);
    }
    assert_ok(m->end(m->self, (cu_unix_ms){ entry.outer.body.block.closed }, &block, &err));
    assert_int_equal(block.n, b->block_n);
    assert_memory_equal(block.p, b->block, b->block_n);
    assert_ok(m->commit(m->self, &err));
}

static inline cu_hash state_hash_of(struct cu_ledger *l)
{
    cu_hash hash;

    assert_ok(cu_ledger_state_hash(l, &hash, &err));
    return hash;
}

#endif
