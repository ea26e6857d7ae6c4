/* A small ledger made in memory with real keys: entries, blocks, checkpoints, receipts. What a node does in earnest, a page long. */
#ifndef TEST_SYNTHETIC_H
#define TEST_SYNTHETIC_H

#include "custody/content.h"
#include "custody/details.h"
#include "custody/member.h"
#include "custody/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENTRIES_MAX 64
#define ORGS_MAX 4
#define OK(call)                                                              \
    do {                                                                      \
        struct cu_err *e_ = &error;                                           \
        e_->text[0] = '\0';                                                   \
        cu_status s_ = (call);                                                \
        if (s_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(s_), e_->text); \
    } while (0)
static struct cu_err error;

struct made {
    struct cu_buf bytes, details, content;
    uint8_t salt[CU_SALT_LEN];
    bool has_details, has_content;
    cu_hash leaf, id;
    enum cu_kind kind;
    uint64_t orgs;                 /* bit per organisation whose confirm its signers need */
    uint64_t seen[2], case_seq;    /* 0: none */
    uint64_t covers_first, covers_last;
};

struct synthetic {
    size_t orgs;
    struct cu_private_key statement[ORGS_MAX], log[ORGS_MAX], cosign[ORGS_MAX], provider, depositor, witness[3];
    struct cu_buf origin;
    cu_hash network;
    uint64_t now, height, block_first, serial;
    size_t n;
    struct made at[ENTRIES_MAX];
    struct cu_verifier by;
    void *by_memory;
};

#define UNUSED __attribute__((unused))
#define PROVIDER(s) ((s)->orgs + 1)
#define DEPOSITOR(s) ((s)->orgs + 2)
#define PROVIDER_ORG(s) ((s)->orgs > 1 ? 2u : 1u)

static cu_status memory_node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    struct synthetic *s = self;
    cu_hash leaves[ENTRIES_MAX];
    uint64_t from = index << level, n = 1ull << level;

    ENSURE(from + n <= s->n, err, CU_NOT_FOUND, "no such node");
    for (uint64_t i = 0; i < n; i++) leaves[i] = s->at[from + i].leaf;
    *ret = cu_tree_root(leaves, n);
    return CU_OK;
}

static cu_hash root_of(struct synthetic *s, size_t size)
{
    cu_hash leaves[ENTRIES_MAX];

    for (size_t i = 0; i < size; i++) leaves[i] = s->at[i].leaf;
    return size == 0 ? cu_empty_root() : cu_tree_root(leaves, size);
}

/* ---- entries ------------------------------------------------------------------------------------------------------- */

static struct made *new_entry(struct synthetic *s)
{
    struct made *m = &s->at[s->n];

    assert_true(s->n < ENTRIES_MAX);
    *m = (struct made){ .bytes = cu_buf_heap(CU_ENTRY_MAX), .details = cu_buf_heap(CU_DETAILS_MAX), .content = cu_buf_heap(CU_CONTENT_INLINE_MAX) };
    for (size_t i = 0; i < sizeof m->salt; i++) m->salt[i] = (uint8_t)(s->n * 7 + i);
    return m;
}

static cu_hash commit(struct made *m)
{
    m->has_details = true;
    return cu_commitment(CU_SPAN_OF(m->salt), cu_buf_span(&m->details));
}

static uint64_t enter(struct synthetic *s, struct made *m)
{
    static struct cu_entry entry;

    OK(cu_entry_read(cu_buf_span(&m->bytes), &entry, &error));
    m->leaf = entry.leaf;
    m->kind = entry.kind;
    m->id = entry.signed_ ? cu_entry_innermost(&entry)->id : entry.leaf;
    s->now += 10;
    return s->n++;
}

static void put_details(struct made *m, enum cu_profile profile, const void *details)
{
    OK(cu_schema_write(cu_profile_schema(profile), details, &m->details, &error));
}

static UNUSED uint64_t add_block(struct synthetic *s)
{
    struct made *m = new_entry(s);
    struct cu_block b = { .height = ++s->height, .opened = s->now + 1, .closed = s->now + 1, .first = s->block_first, .count = s->n - s->block_first, .root = root_of(s, s->n) };

    OK(cu_plain_write(CU_KIND_BLOCK, &b, &m->bytes, &error));
    s->block_first = s->n + 1;
    s->now += 1000;
    return enter(s, m);
}

static struct cu_seen seen_at(struct synthetic *s, uint64_t seq)
{
    while (s->at[seq].kind != CU_KIND_BLOCK) seq--;
    return (struct cu_seen){ seq, s->at[seq].leaf };
}
static struct cu_seen seen_now(struct synthetic *s) { return seen_at(s, s->n - 1); }

static void put_key(struct cu_buf *out, enum cu_purpose purpose, const struct cu_private_key *key)
{
    struct cu_party_key k = { .purpose = purpose, .neg_alg = (uint64_t)-(int64_t)key->pub.alg, .pub = cu_public_span(&key->pub) };

    OK(cu_schema_write(&cu_party_key_schema, &k, out, &error));
}

static void put_party(struct cu_buf *out, uint64_t id, uint64_t role, uint64_t org, struct cu_span keys, size_t n)
{
    struct cu_party p = { .id = id, .role = role, .organisation = org, .keys = { n, keys } };

    OK(cu_schema_write(&cu_party_schema, &p, out, &error));
}

static void add_genesis(struct synthetic *s)
{
    struct made *m = new_entry(s);
    CU_BUF parties = cu_buf_heap(65536), keys = cu_buf_heap(65536), names = cu_buf_heap(4096), mandatory = cu_buf_heap(16);
    struct cu_genesis g = { .suite = 1, .rules = 1, .engine = s->orgs > 1 ? CU_ENGINE_COMETBFT : CU_ENGINE_EMBEDDED, .time = s->now };
    char name[64];

    for (size_t i = 0; i < s->orgs; i++) {
        cu_buf_clear(&keys);
        put_key(&keys, CU_PURPOSE_STATEMENT, &s->statement[i]);
        put_key(&keys, CU_PURPOSE_LOG, &s->log[i]);
        if (s->orgs > 1) put_key(&keys, CU_PURPOSE_COSIGN, &s->cosign[i]);
        put_party(&parties, i + 1, CU_ROLE_ORGANISATION, i + 1, cu_buf_span(&keys), s->orgs > 1 ? 3 : 2);
    }
    cu_buf_clear(&keys);
    put_key(&keys, CU_PURPOSE_STATEMENT, &s->provider);
    put_party(&parties, PROVIDER(s), CU_ROLE_PROVIDER, PROVIDER_ORG(s), cu_buf_span(&keys), 1);
    cu_buf_clear(&keys);
    put_key(&keys, CU_PURPOSE_STATEMENT, &s->depositor);
    put_party(&parties, DEPOSITOR(s), CU_ROLE_DEPOSITOR, 1, cu_buf_span(&keys), 1);

    for (uint64_t id = 1; id <= DEPOSITOR(s); id++) {
        int n = snprintf(name, sizeof name, id <= s->orgs ? "Organisation %d" : id == PROVIDER(s) ? "Cloud" : "陈警官 \xE2\x80\xAE%d", (int)id);
        struct cu_party_name p = { id, cu_span(name, (size_t)n) };
        OK(cu_schema_write(&cu_party_name_schema, &p, &names, &error));
    }
    struct cu_details_genesis d = { cu_span_str("genesis"), cu_span_str("Test ledger"), { DEPOSITOR(s), cu_buf_span(&names) } };
    put_details(m, CU_PROFILE_GENESIS, &d);

    cu_buf_add_str(&s->origin, "custody.example/");
    cu_hex_put(&s->origin, CU_SPAN_OF(g.nonce));
    g.origin = cu_buf_span(&s->origin);
    g.parties = (struct cu_list){ DEPOSITOR(s), cu_buf_span(&parties) };
    g.policy = (struct cu_policy){ .cosigners = s->orgs > 1 ? 3 : 0, .copies = s->orgs > 1 ? 2 : 1, .acceptance_age = 600000 };
    if (s->orgs > 1) {
        cu_cbor_put_uint(&mandatory, 3);
        g.policy.mandatory = (struct cu_list){ 1, cu_buf_span(&mandatory) };
    }
    g.commitment = commit(m);
    OK(cu_plain_write(CU_KIND_GENESIS, &g, &m->bytes, &error));
    enter(s, m);
    s->network = m->leaf;
}

struct possessor { cu_hash kid; const struct cu_private_key *key; enum cu_purpose purpose; };
static int by_kid(const void *a, const void *b) { return memcmp(((const struct possessor *)a)->kid.b, ((const struct possessor *)b)->kid.b, 32); }

static void add_confirm(struct synthetic *s, size_t org)
{
    struct possessor p[8];
    size_t n = 0;
    struct made *m = new_entry(s);
    CU_BUF list = cu_buf_heap(8192);
    uint8_t message[128];

    p[n++] = (struct possessor){ s->statement[org].id, &s->statement[org], CU_PURPOSE_STATEMENT };
    p[n++] = (struct possessor){ s->log[org].id, &s->log[org], CU_PURPOSE_LOG };
    if (s->orgs > 1) p[n++] = (struct possessor){ s->cosign[org].id, &s->cosign[org], CU_PURPOSE_COSIGN };
    if (org + 1 == PROVIDER_ORG(s)) p[n++] = (struct possessor){ s->provider.id, &s->provider, CU_PURPOSE_STATEMENT };
    if (org == 0) p[n++] = (struct possessor){ s->depositor.id, &s->depositor, CU_PURPOSE_STATEMENT };
    qsort(p, n, sizeof *p, by_kid);
    for (size_t i = 0; i < n; i++) {
        struct cu_possession one = { .kid = p[i].kid };
        size_t len = cu_possession_message(&s->network, p[i].purpose, &p[i].key->pub, message);
        OK(cu_sign(p[i].key, cu_span(message, len), one.signature, &error));
        OK(cu_schema_write(&cu_possession_schema, &one, &list, &error));
    }
    struct cu_confirm c = { .party = org + 1, .time = s->now, .keys = { n, cu_buf_span(&list) } };
    OK(cu_statement_sign(CU_KIND_CONFIRM, &c, &s->network, &s->statement[org], &m->bytes, &error));
    m->orgs = 1u << org;
    enter(s, m);
}

static UNUSED uint64_t add_case(struct synthetic *s, const char *name, uint8_t id)
{
    struct made *m = new_entry(s);
    struct cu_case c = { .case_id = { { id } }, .time = s->now, .seen = seen_now(s) };
    struct cu_details_case d = { .profile = cu_span_str("case"), .name = cu_span_str(name) };

    put_details(m, CU_PROFILE_CASE, &d);
    c.commitment = commit(m);
    m->orgs = 1;
    m->seen[0] = c.seen.seq;
    OK(cu_statement_sign(CU_KIND_CASE, &c, &s->network, &s->depositor, &m->bytes, &error));
    return enter(s, m);
}

struct order { /* what a deposit is to be; zeros: an honest one */
    struct cu_span content, manifest;
    struct cu_folder folder;
    bool is_folder, refuse;
    const cu_hash *network;
    const struct cu_private_key *depositor, *provider;
    struct cu_seen claim_seen, deposit_seen;
    struct cu_buf *keep_claim;
    struct cu_span details;  /* instead of honest ones */
    const cu_hash *sha256;   /* of something else */
    struct cu_span use_claim;
};

static UNUSED void sign_claim(struct synthetic *s, struct made *m, const struct order *o, uint64_t case_seq, struct cu_buf *out)
{
    struct cu_entry entry;
    CU_BUF digests = cu_buf_heap(256);
    cu_hash sha = o->sha256 ? *o->sha256 : cu_sha256(o->content);
    struct cu_detail_digest digest = { CU_DIGEST_SHA256, cu_span_hash(&sha) };
    struct cu_details_deposit d = { .profile = cu_span_str("plain"), .name = cu_span_str("IMG_0001.jpg"), .tool = cu_span_str("test 1") };

    OK(cu_schema_write(&cu_detail_digest_schema, &digest, &digests, &error));
    if (!o->is_folder) d.digests = (struct cu_list){ 1, cu_buf_span(&digests) }, d.has_digests = true;
    if (o->details.n > 0) cu_buf_add(&m->details, o->details);
    else put_details(m, CU_PROFILE_PLAIN, &d);
    OK(cu_entry_read(cu_buf_span(&s->at[case_seq].bytes), &entry, &error));
    struct cu_claim c = { .serial = ++s->serial, .case_id = entry.outer.body.a_case.case_id, .content = o->is_folder ? CU_CONTENT_FOLDER : CU_CONTENT_ITEM,
                          .size = o->content.n, .root = cu_content_root_of(o->content), .time = s->now, .seen = o->claim_seen.seq ? o->claim_seen : seen_now(s),
                          .folder = o->folder, .has_folder = o->is_folder };
    c.commitment = commit(m);
    m->seen[0] = c.seen.seq;
    OK(cu_statement_sign(CU_KIND_CLAIM, &c, o->network ? o->network : &s->network, o->depositor ? o->depositor : &s->depositor, out, &error));
}

static UNUSED uint64_t add_deposit(struct synthetic *s, uint64_t case_seq, const struct order *o)
{
    struct made *m = new_entry(s);
    CU_BUF claim = cu_buf_heap(CU_CLAIM_MAX);

    if (o->use_claim.n) cu_buf_add(&claim, o->use_claim);
    else sign_claim(s, m, o, case_seq, &claim);
    if (o->keep_claim) cu_buf_add(o->keep_claim, cu_buf_span(&claim));
    struct cu_deposit d = { .claim = cu_buf_span(&claim), .time = s->now, .seen = o->deposit_seen.seq ? o->deposit_seen : seen_now(s) };
    struct cu_refusal r = { .claim = d.claim, .time = d.time, .seen = d.seen, .reason = CU_REASON_QUOTA };
    OK(cu_statement_sign(o->refuse ? CU_KIND_REFUSAL : CU_KIND_DEPOSIT, o->refuse ? (const void *)&r : &d, o->network ? o->network : &s->network,
                         o->provider ? o->provider : &s->provider, &m->bytes, &error));
    m->seen[1] = d.seen.seq;
    m->case_seq = case_seq;
    m->orgs = 1u | 1u << (PROVIDER_ORG(s) - 1);
    if (!o->refuse && o->content.n <= CU_CONTENT_INLINE_MAX) {
        cu_buf_add(&m->content, o->content);
        m->has_content = true;
    }
    return enter(s, m);
}

static UNUSED uint64_t add_stored(struct synthetic *s, size_t org, uint64_t first, uint64_t last)
{
    struct made *m = new_entry(s);
    CU_BUF ranges = cu_buf_heap(64);
    struct cu_range range = { first, last };

    OK(cu_schema_write(&cu_range_schema, &range, &ranges, &error));
    struct cu_stored st = { .time = s->now, .seen = seen_now(s), .ranges = { 1, cu_buf_span(&ranges) } };
    OK(cu_statement_sign(CU_KIND_STORED, &st, &s->network, &s->statement[org], &m->bytes, &error));
    m->orgs = 1u << org;
    m->seen[0] = st.seen.seq;
    m->covers_first = first, m->covers_last = last;
    return enter(s, m);
}

static UNUSED uint64_t add_inventory(struct synthetic *s, uint64_t case_seq, const cu_hash *ids, size_t n)
{
    struct made *m = new_entry(s);
    struct cu_entry entry;

    OK(cu_entry_read(cu_buf_span(&s->at[case_seq].bytes), &entry, &error));
    struct cu_inventory v = { .time = s->now, .seen = seen_now(s), .case_id = entry.outer.body.a_case.case_id, .has_case = true, .n = n, .root = cu_empty_root() };
    if (n > 0) v.root = cu_tree_root(ids, n), v.last = ids[n - 1], v.has_last = true;
    OK(cu_statement_sign(CU_KIND_INVENTORY, &v, &s->network, &s->depositor, &m->bytes, &error));
    m->orgs = 1;
    m->seen[0] = v.seen.seq;
    m->case_seq = case_seq;
    return enter(s, m);
}

static UNUSED uint64_t add_void(struct synthetic *s)
{
    struct made *m = new_entry(s);
    struct cu_details_text d = { cu_span_str("void"), cu_span_str("lost at the scene") };
    struct cu_void v = { .serial = ++s->serial, .time = s->now, .seen = seen_now(s), .reason = CU_REASON_LOST };

    put_details(m, CU_PROFILE_VOID, &d);
    v.commitment = commit(m);
    OK(cu_statement_sign(CU_KIND_VOID, &v, &s->network, &s->depositor, &m->bytes, &error));
    m->orgs = 1;
    m->seen[0] = v.seen.seq;
    return enter(s, m);
}

static UNUSED uint64_t add_correction(struct synthetic *s, const cu_hash *target)
{
    struct made *m = new_entry(s);
    struct cu_details_text d = { cu_span_str("correction"), cu_span_str("the label reads AP/1/2") };
    struct cu_correction c = { .time = s->now, .seen = seen_now(s), .target = *target };

    put_details(m, CU_PROFILE_CORRECTION, &d);
    c.commitment = commit(m);
    OK(cu_statement_sign(CU_KIND_CORRECTION, &c, &s->network, &s->depositor, &m->bytes, &error));
    m->orgs = 1;
    m->seen[0] = c.seen.seq;
    return enter(s, m);
}

static UNUSED uint64_t add_disclosure(struct synthetic *s, const cu_hash *target)
{
    struct made *m = new_entry(s);
    struct cu_details_disclosure d = { .profile = cu_span_str("disclosure"), .scope = cu_span_str("evidence and receipts"), .recipient = cu_span_str("District Court"), .has_recipient = true };
    uint8_t mem[64];
    struct cu_buf targets = cu_buf_over(mem, sizeof mem);

    cu_cbor_put_bytes(&targets, cu_span_hash(target));
    struct cu_disclosure body = { .time = s->now, .seen = seen_now(s), .targets = { 1, cu_buf_span(&targets) } };
    put_details(m, CU_PROFILE_DISCLOSURE, &d);
    body.commitment = commit(m);
    OK(cu_statement_sign(CU_KIND_DISCLOSURE, &body, &s->network, &s->depositor, &m->bytes, &error));
    m->orgs = 1;
    m->seen[0] = body.seen.seq;
    return enter(s, m);
}

static UNUSED uint64_t add_incident(struct synthetic *s, struct cu_span claim)
{
    struct made *m = new_entry(s);
    struct cu_details_rows d = { .profile = cu_span_str("incident"), .text = cu_span_str("two claims, one number") };
    struct cu_incident i = { .time = s->now, .seen = seen_now(s), .type = claim.n ? CU_INCIDENT_EQUIVOCATION : CU_INCIDENT_DAMAGE, .count = 0, .root = cu_empty_root(), .claim = claim, .has_claim = claim.n > 0 };

    put_details(m, CU_PROFILE_INCIDENT, &d);
    i.commitment = commit(m);
    OK(cu_statement_sign(CU_KIND_INCIDENT, &i, &s->network, &s->statement[0], &m->bytes, &error));
    m->orgs = 1;
    m->seen[0] = i.seen.seq;
    return enter(s, m);
}

/* ---- a ledger's life ----------------------------------------------------------------------------------------------- */

static void generate(struct synthetic *s)
{
    for (size_t i = 0; i < s->orgs; i++) {
        OK(cu_private_generate(CU_ALG_ES256, &s->statement[i], &error));
        OK(cu_private_generate(CU_ALG_EDDSA, &s->log[i], &error));
        OK(cu_private_generate(CU_ALG_EDDSA, &s->cosign[i], &error));
    }
    OK(cu_private_generate(CU_ALG_ES256, &s->provider, &error));
    OK(cu_private_generate(CU_ALG_ES256, &s->depositor, &error));
    for (size_t i = 0; i < 3; i++) OK(cu_private_generate(CU_ALG_EDDSA, &s->witness[i], &error));
}

/* Genesis, confirms, block. */
static UNUSED struct synthetic *synthetic_new(size_t orgs)
{
    struct synthetic *s = calloc(1, sizeof *s);

    OK(cu_crypto_init(&error));
    s->orgs = orgs;
    s->now = 1780000000000;
    s->origin = cu_buf_heap(CU_ORIGIN_MAX);
    s->by_memory = malloc(cu_verifier_cached_size(64));
    OK(cu_verifier_cached(s->by_memory, cu_verifier_cached_size(64), &s->by, &error));
    generate(s);
    add_genesis(s);
    for (size_t i = 0; i < orgs; i++) add_confirm(s, i);
    add_block(s);
    return s;
}

/* Forget everything from `size` on: the beginning of a forged history. */
static UNUSED void cut_back(struct synthetic *s, size_t size)
{
    while (s->n > size) {
        s->n--;
        cu_buf_free(&s->at[s->n].bytes);
        cu_buf_free(&s->at[s->n].details);
        cu_buf_free(&s->at[s->n].content);
    }
    s->block_first = size;
    for (s->height = 0, size = 0; size < s->n; size++) s->height += s->at[size].kind == CU_KIND_BLOCK;
}

static UNUSED void synthetic_free(struct synthetic *s)
{
    cut_back(s, 0);
    for (size_t i = 0; i < s->orgs; i++) {
        cu_private_free(&s->statement[i]);
        cu_private_free(&s->log[i]);
        cu_private_free(&s->cosign[i]);
    }
    cu_private_free(&s->provider);
    cu_private_free(&s->depositor);
    for (size_t i = 0; i < 3; i++) cu_private_free(&s->witness[i]);
    cu_buf_free(&s->origin);
    if (s->by.free) s->by.free(s->by.self);
    free(s->by_memory);
    free(s);
}

/* ---- checkpoints, trust, receipts ---------------------------------------------------------------------------------- */

#define WITNESS(i) ((i) == 0 ? "witness.example/0" : (i) == 1 ? "witness.example/1" : "witness.example/2")

/* Signed by the first organisation's log key; cosigned by the outside witnesses in `witnesses`, the organisations in `orgs`. */
static UNUSED void put_note(struct synthetic *s, size_t size, unsigned witnesses, unsigned orgs, struct cu_buf *out)
{
    CU_BUF text = cu_buf_heap(512);
    struct cu_checkpoint c = { cu_buf_span(&s->origin), { size }, root_of(s, size) };
    char name[32];

    cu_checkpoint_put(&c, &text);
    OK(cu_note_sign(out, cu_buf_span(&text), c.origin, &s->log[0], &error));
    for (unsigned i = 0; i < 3; i++)
        if (witnesses >> i & 1) OK(cu_note_cosign(out, cu_buf_span(&text), cu_span_str(WITNESS(i)), &s->witness[i], s->now / 1000 + i, &error));
    for (unsigned i = 0; i < s->orgs; i++) {
        (void)snprintf(name, sizeof name, "org%u.example", i + 1);
        if (orgs >> i & 1) OK(cu_note_cosign(out, cu_buf_span(&text), cu_span_str(name), &s->cosign[i], s->now / 1000, &error));
    }
}

static void put_vkey(struct cu_buf *out, struct cu_span name, enum cu_note_key_type type, const struct cu_private_key *key)
{
    struct cu_vkey v;

    OK(cu_vkey_make(name, type, &key->pub, &v, &error));
    OK(cu_vkey_write(&v, out, &error));
}

/* `quorum`: lines after the keys, with names w0 w1 w2 o1 o2 o3 o4. */
static UNUSED void put_trust(struct synthetic *s, const char *require, const char *quorum, struct cu_buf *out)
{
    char name[32];

    cu_buf_add_str(out, "custody-trust/v1\nnetwork ");
    cu_hex_put(out, cu_span_hash(&s->network));
    cu_buf_addf(out, "\nrequire %s\nepoch 0 -\nlog ", require);
    put_vkey(out, cu_buf_span(&s->origin), CU_NOTE_ED25519, &s->log[0]);
    cu_buf_add_byte(out, '\n');
    for (unsigned i = 0; i < 3; i++) {
        cu_buf_addf(out, "witness w%u ", i);
        put_vkey(out, cu_span_str(WITNESS(i)), CU_NOTE_COSIGNATURE, &s->witness[i]);
        cu_buf_add_byte(out, '\n');
    }
    for (unsigned i = 0; s->orgs > 1 && i < s->orgs; i++) {
        (void)snprintf(name, sizeof name, "org%u.example", i + 1);
        cu_buf_addf(out, "witness o%u ", i + 1);
        put_vkey(out, cu_span_str(name), CU_NOTE_COSIGNATURE, &s->cosign[i]);
        cu_buf_add_byte(out, '\n');
    }
    cu_buf_addf(out, "%s\n", quorum);
}

static void need(bool *set, uint64_t seq, uint64_t own) { if (seq != own) set[seq] = true; }

static uint64_t dating_of(struct synthetic *s, uint64_t seq)
{
    while (s->at[seq].kind != CU_KIND_BLOCK) seq++;
    return seq;
}

/* What docs/formats/receipt.md says goes with a record. */
static UNUSED void support_of(struct synthetic *s, uint64_t seq, bool *set)
{
    const struct made *m = &s->at[seq];
    uint64_t orgs = m->orgs, stored_orgs = 0;

    need(set, 0, seq);
    need(set, dating_of(s, seq), seq);
    for (int i = 0; i < 2; i++)
        if (m->seen[i]) need(set, m->seen[i], seq);
    if (m->case_seq) need(set, m->case_seq, seq), orgs |= s->at[m->case_seq].orgs;
    for (uint64_t i = seq; m->kind == CU_KIND_DEPOSIT && i < s->n; i++) {
        if (s->at[i].kind != CU_KIND_STORED || s->at[i].covers_first > seq || s->at[i].covers_last < seq || stored_orgs & s->at[i].orgs) continue;
        need(set, i, seq);
        need(set, dating_of(s, i), seq);
        stored_orgs |= s->at[i].orgs;
    }
    for (uint64_t i = 0; i < s->orgs; i++)
        if ((orgs | stored_orgs) >> i & 1) need(set, 1 + i, seq);
}

static UNUSED void put_record(const struct made *m, struct cu_buf *out)
{
    struct cu_record r = { .entry = cu_buf_span(&m->bytes) };

    if (m->has_details) r.salt = CU_SPAN_OF(m->salt), r.details = cu_buf_span(&m->details);
    if (m->has_content) r.content = cu_span(m->content.p ? m->content.p : (const uint8_t *)"", m->content.n);
    OK(cu_record_write(&r, out, &error));
}

static UNUSED void put_receipt_with(struct synthetic *s, uint64_t seq, const bool *set, struct cu_span note, struct cu_buf *out)
{
    struct cu_support support[ENTRIES_MAX];
    struct cu_node_source nodes = { s, memory_node };
    size_t n = 0;
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);

    put_record(&s->at[seq], &record);
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        const struct made *m = &s->at[i];
        bool show = m->has_details && (m->kind == CU_KIND_GENESIS || m->kind == CU_KIND_CASE);
        if (!set[i]) continue;
        support[n++] = (struct cu_support){ .seq = i, .entry = cu_buf_span(&m->bytes), .salt = show ? CU_SPAN_OF(m->salt) : CU_SPAN_EMPTY,
                                            .details = show ? cu_buf_span(&m->details) : CU_SPAN_EMPTY, .has_details = show };
    }
    struct cu_receipt_parts parts = { .checkpoint = note, .seq = { seq }, .record = cu_buf_span(&record), .support = support, .support_n = n };
    OK(cu_receipt_make(&parts, &nodes, out, &error));
}

static UNUSED void put_receipt(struct synthetic *s, uint64_t seq, struct cu_span note, struct cu_buf *out)
{
    bool set[ENTRIES_MAX] = { false };

    support_of(s, seq, set);
    put_receipt_with(s, seq, set, note, out);
}

/* Verify under a trust text; NULL: none pinned. */
static UNUSED cu_status judge(struct synthetic *s, struct cu_span receipt, struct cu_span trust_text, const struct cu_evidence *evidence, struct cu_report *ret)
{
    static uint8_t scratch[CU_VERIFY_SCRATCH];
    static struct cu_trust trust;
    static uint8_t text[CU_TRUST_MAX]; /* what was read last: once per text, not once per flipped bit */
    static struct cu_span read;

    if (trust_text.n && !cu_span_eq(trust_text, read)) {
        memcpy(text, trust_text.p, trust_text.n);
        read = cu_span(text, trust_text.n);
        OK(cu_trust_read(read, &trust, &error));
    }
    return cu_receipt_verify(receipt, trust_text.n ? &trust : NULL, evidence, &s->by, scratch, ret, &error);
}

#endif
