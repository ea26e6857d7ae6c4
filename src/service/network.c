/* A network's beginning: each organisation makes its keys and hands over what they are; genesis is made of that, and each confirms.
 *
 * What is handed over proves nothing (no network is there that a key could be meant for): whoever collects compares each by telephone. What counts is
 * genesis, whose words all compare, and the confirm by which each organisation proves to hold its keys for this very network.
 */
#include "service/found.h"

#include "custody/text.h"
#include "service/cosigned.h"

#include <stdio.h>
#include <stdlib.h>

#define SEVEN_DAYS_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define TAG "custody/founder/v1\n"
#define PARTIES 3u /* of each organisation: itself, its provider, its depositor */

enum { KEY_ORGANISATION, KEY_LOG, KEY_COSIGN, KEY_VALIDATOR, KEY_NODE, KEY_PROVIDER, KEY_DEPOSITOR, KEYS };
static const struct {
    const char *file;
    enum cu_purpose purpose;
    unsigned party; /* of the three */
    int signer;     /* enum cu_signer; -1: the place has no room for it */
} keys[KEYS] = {
    [KEY_ORGANISATION] = { "organisation", CU_PURPOSE_STATEMENT, 0, CU_SIGNER_ORGANISATION },
    [KEY_LOG] = { "log", CU_PURPOSE_LOG, 0, CU_SIGNER_LOG },
    [KEY_COSIGN] = { "cosign", CU_PURPOSE_COSIGN, 0, -1 },
    [KEY_VALIDATOR] = { "validator", CU_PURPOSE_VALIDATOR, 0, -1 },
    [KEY_NODE] = { "node", CU_PURPOSE_NODE, 0, -1 },
    [KEY_PROVIDER] = { "provider", CU_PURPOSE_STATEMENT, 1, CU_SIGNER_PROVIDER },
    [KEY_DEPOSITOR] = { "depositor", CU_PURPOSE_STATEMENT, 2, CU_SIGNER_DEPOSITOR },
};

/* ---- what one hands over ---- */

static const struct cu_field founder_fields[] = {
    CU_CONST(0, "application/custody-founder+cbor"),
    CU_TEXT(1, struct cu_founder, name, 1, 256),
    CU_TEXT(2, struct cu_founder, provider, 1, 256),
    CU_TEXT(3, struct cu_founder, depositor, 1, 256),
    CU_TEXT(4, struct cu_founder, at, 1, 256),
    CU_TEXT(5, struct cu_founder, http, 0, 256),
    CU_LIST(6, struct cu_founder, keys, KEYS, KEYS, &cu_party_key_schema),
    CU_FIXED(7, struct cu_founder, signature),
    CU_FIXED(8, struct cu_founder, network, CU_OPTIONAL(struct cu_founder, has_network)),
    CU_LIST(9, struct cu_founder, proofs, KEYS, KEYS, &cu_possession_schema, CU_OPTIONAL(struct cu_founder, has_proofs)),
};
static const struct cu_schema founder_schema = CU_SCHEMA_OF("founder", founder_fields, struct cu_founder);

/* HOST:PORT, of characters that mean nothing else wherever it is written down. */
static cu_status check_address(struct cu_span at, struct cu_err *err)
{
    size_t colon = at.n;
    uint64_t port;

    while (colon > 0 && at.p[colon - 1] != ':') colon--;
    bool good = colon > 1 && cu_decimal_read(cu_span_from(at, colon), 65535, &port, NULL) == CU_OK && port > 0;
    for (size_t i = 0; good && i < at.n; i++) {
        const uint8_t c = at.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(".:-[]", c);
    }
    ENSURE(good, err, CU_USAGE, "%.*s: an address of a node is HOST:PORT, as in node.police.example:26656", (int)at.n,
           (const char *)at.p);
    return CU_OK;
}

/* For peers, and for clients if there is one. */
static cu_status check_addresses(struct cu_span at, struct cu_span http, struct cu_err *err)
{
    TRY(check_address(at, err));
    return http.n ? check_address(http, err) : CU_OK;
}

/* What is signed: the file with zeros for the signature. */
static cu_status signed_part(struct cu_founder f, struct cu_buf *ret, struct cu_err *err)
{
    memset(f.signature, 0, sizeof f.signature);
    cu_buf_add_str(ret, TAG);
    return cu_schema_write(&founder_schema, &f, ret, err);
}

struct ring {
    struct cu_private_key key[KEYS];
};

static void free_ring(struct ring *r)
{
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].signer < 0 && r->key[i].ctx) cu_private_free(&r->key[i]);
}

/* Whether made or read; those that the place has room for are the place's. */
static void adopt(struct cu_place *p, size_t i, const struct cu_private_key *key)
{
    if (keys[i].signer < 0) return;
    p->key[keys[i].signer] = *key;
    p->has_key[keys[i].signer] = true;
}

/* Of the keys in the ring; to be judged where there is a network, with a proof for each. */
static cu_status write_founder(struct cu_place *p, struct cu_founder f, const struct ring *ring, struct cu_buf *ret,
                               struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(CU_FOUNDER_MAX), proofs = cu_buf_heap(CU_FOUNDER_MAX), message = cu_buf_heap(CU_FOUNDER_MAX);
    const size_t from = ret->n;

    for (size_t i = 0; i < KEYS; i++) {
        const struct cu_private_key *key = &ring->key[i];
        const struct cu_party_key pub = { keys[i].purpose, (uint64_t) - (int64_t)key->pub.alg, cu_public_span(&key->pub) };
        struct cu_possession proof = { .kid = key->id };
        uint8_t said[128];
        TRY(cu_schema_write(&cu_party_key_schema, &pub, &list, err));
        if (!f.has_network) continue;
        const size_t n = cu_possession_message(&f.network, keys[i].purpose, &key->pub, said);
        TRY(cu_sign(key, cu_span(said, n), proof.signature, err));
        TRY(cu_schema_write(&cu_possession_schema, &proof, &proofs, err));
    }
    f.keys = (struct cu_list){ KEYS, cu_buf_span(&list) };
    f.has_proofs = f.has_network;
    f.proofs = (struct cu_list){ KEYS, cu_buf_span(&proofs) };
    TRY(signed_part(f, &message, err));
    TRY(cu_sign(&ring->key[KEY_ORGANISATION], cu_buf_span(&message), f.signature, err));
    TRY(cu_schema_write(&founder_schema, &f, ret, err));
    return cu_fs_replace(&p->fs, CU_FILE_REQUEST, CU_DIR_CHAIN "/incoming", cu_span_from(cu_buf_span(ret), from), true, err);
}

static enum cu_alg alg_of(size_t i)
{
    const struct cu_suite_algs *suite = cu_suite_algs(CU_SUITE_INTERNATIONAL);

    return keys[i].purpose == CU_PURPOSE_STATEMENT ? suite->statement : suite->log;
}

cu_status cu_founder_make(struct cu_place *p, const struct cu_founder *names, struct cu_span passphrase, struct cu_buf *ret,
                          struct cu_err *err)
{
    CU_CLEANUP(free_ring) struct ring ring = { 0 };

    TRY(check_addresses(names->at, names->http, err));
    TRY(cu_found_begin(p, err));
    for (size_t i = 0; i < KEYS; i++) {
        const cu_status kept = cu_found_key(p, keys[i].file, alg_of(i), passphrase, &ring.key[i], err);
        if (ring.key[i].ctx) adopt(p, i, &ring.key[i]); /* written or not */
        TRY(kept);
    }
    return write_founder(p, *names, &ring, ret, err);
}

/* Of a place that has its own. */
static void free_whole(struct ring *r)
{
    for (size_t i = 0; i < KEYS; i++)
        if (r->key[i].ctx) cu_private_free(&r->key[i]);
}

cu_status cu_founder_rotate(struct cu_place *p, unsigned which, const struct cu_founder *moves, struct cu_span passphrase,
                            struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(free_whole) struct ring ring = { 0 };
    CU_BUF before = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_founder f;

    const cu_status read = cu_fs_read(&p->fs, CU_FILE_REQUEST, CU_FOUNDER_MAX, &before, err);
    ENSURE(read != CU_NOT_FOUND, err, CU_NOT_FOUND,
           CU_FILE_REQUEST " is not there: put the file there that this organisation handed over when it founded or joined the "
                           "network; no key was made");
    TRY(read);
    TRY(cu_founder_read(cu_buf_span(&before), &p->verifier, &f, err));
    if (moves->at.n) f.at = moves->at;
    if (moves->http.n) f.http = moves->http;
    TRY(check_addresses(f.at, f.http, err));
    for (size_t i = 0; i < KEYS; i++) {
        const bool changes = keys[i].party == 0 && (which >> keys[i].purpose & 1);
        if (changes) TRY(cu_found_next(p, keys[i].file, alg_of(i), passphrase, &ring.key[i], err));
        else TRY(cu_key_load_named(p, keys[i].file, passphrase, &ring.key[i], err));
    }
    f.network = p->trust.network;
    f.has_network = true;
    return write_founder(p, f, &ring, ret, err);
}

const char *cu_founder_key_name(enum cu_purpose purpose)
{
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].party == 0 && keys[i].purpose == purpose) return keys[i].file;
    return NULL;
}

static cu_status check_proofs(const struct cu_founder *f, struct cu_verifier *by, struct cu_err *err)
{
    struct cu_possession proof;
    struct cu_party_key key;
    size_t at = 0, proof_at = 0;
    uint8_t said[128];

    ENSURE(f->has_network == f->has_proofs, err, CU_MALFORMED, "founder: proofs of possession are for one network");
    while (f->has_proofs && cu_list_next(&f->keys, &cu_party_key_schema, &at, &key)) {
        struct cu_public_key pub = { .alg = (enum cu_alg) - (int64_t)key.neg_alg };
        CU_ASSERT(cu_list_next(&f->proofs, &cu_possession_schema, &proof_at, &proof));
        ENSURE(key.pub.n == cu_alg_public_len(pub.alg), err, CU_BAD_KEY, "founder: a key is of no algorithm that is known here");
        memcpy(pub.bytes, key.pub.p, key.pub.n);
        const cu_hash kid = cu_key_id(&pub);
        ENSURE(cu_hash_eq(&kid, &proof.kid), err, CU_MALFORMED, "founder: a proof of possession is another key's");
        const size_t n = cu_possession_message(&f->network, (enum cu_purpose)key.purpose, &pub, said);
        TRY(cu_verify_one(by, &pub, cu_span(said, n), proof.signature, err));
    }
    return CU_OK;
}

cu_status cu_founder_given(const struct cu_founder *f, const struct cu_members *m, struct cu_buf *mem, struct cu_list *ret,
                           struct cu_err *err)
{
    struct cu_possession proof;
    struct cu_party_key key;
    size_t at = 0, proof_at = 0, which = 0;
    uint64_t n = 0;

    ENSURE(f->has_proofs && cu_hash_eq(&f->network, &m->network), err, CU_NOT_ALLOWED,
           "it does not prove that its keys are meant for this network: `custody network request --network FILE` makes one that "
           "does; nothing was proposed");
    while (cu_list_next(&f->keys, &cu_party_key_schema, &at, &key) &&
           cu_list_next(&f->proofs, &cu_possession_schema, &proof_at, &proof)) {
        struct cu_given_key given = { key.purpose, key.neg_alg, key.pub, { 0 } };
        if (keys[which++].party != 0 || cu_members_key(m, &proof.kid)) continue;
        memcpy(given.proof, proof.signature, sizeof given.proof);
        TRY(cu_schema_write(&cu_given_key_schema, &given, mem, err));
        n++;
    }
    *ret = (struct cu_list){ n, cu_buf_span(mem) };
    return CU_OK;
}

cu_status cu_founder_read(struct cu_span bytes, struct cu_verifier *by, struct cu_founder *ret, struct cu_err *err)
{
    CU_BUF message = cu_buf_heap(CU_FOUNDER_MAX + sizeof TAG);
    struct cu_public_key signer = { .alg = CU_ALG_ES256 };
    struct cu_party_key key;
    struct cu_founder f;
    size_t at = 0;

    ENSURE(bytes.n <= CU_FOUNDER_MAX, err, CU_TOO_LARGE, "a founder's file has at most %d bytes, not %zu", CU_FOUNDER_MAX,
           bytes.n);
    TRY(cu_schema_read(&founder_schema, bytes, &f, err));
    for (size_t i = 0; i < KEYS; i++) {
        CU_ASSERT(cu_list_next(&f.keys, &cu_party_key_schema, &at, &key));
        ENSURE(key.purpose == keys[i].purpose, err, CU_MALFORMED, "founder: key %zu is for another purpose", i);
        if (i > 0) continue;
        ENSURE(key.pub.n == cu_alg_public_len(CU_ALG_ES256) && key.neg_alg == (uint64_t)-CU_ALG_ES256, err, CU_BAD_KEY,
               "founder: the statement key is not ES256");
        memcpy(signer.bytes, key.pub.p, key.pub.n);
    }
    TRY(check_addresses(f.at, f.http, err));
    TRY(signed_part(f, &message, err));
    TRY(cu_verify_one(by, &signer, cu_buf_span(&message), f.signature, err));
    TRY(check_proofs(&f, by, err));
    *ret = f;
    return CU_OK;
}

/* ---- what a network begins with ---- */

static const struct cu_field peer_fields[] = {
    CU_UINT(0, struct cu_network_peer, party, 1, CU_PARTIES_MAX),
    CU_TEXT(1, struct cu_network_peer, at, 1, 256),
    CU_TEXT(2, struct cu_network_peer, http, 0, 256),
};
static const struct cu_schema peer_schema = CU_SCHEMA_OF("peer", peer_fields, struct cu_network_peer, .tuple = true);
static const struct cu_field now_fields[] = {
    CU_UINT(0, struct cu_network_peer, party, 1, CU_PARTIES_MAX),
    CU_TEXT(1, struct cu_network_peer, at, 1, 256),
    CU_TEXT(2, struct cu_network_peer, http, 0, 256),
    CU_FIXED(3, struct cu_network_peer, node),
};
static const struct cu_schema now_schema = CU_SCHEMA_OF("peer of now", now_fields, struct cu_network_peer, .tuple = true);
struct file {
    struct cu_span genesis;
    struct cu_list peers, now;
    bool has_now;
};
static const struct cu_field file_fields[] = {
    CU_CONST(0, "application/custody-network+cbor"),
    CU_BYTES(1, struct file, genesis, 1, CU_RECORD_MAX),
    CU_LIST(2, struct file, peers, 1, CU_PARTIES_MAX, &peer_schema),
    CU_LIST(3, struct file, now, 1, CU_PARTIES_MAX, &now_schema, CU_OPTIONAL(struct file, has_now)),
};
static const struct cu_schema file_schema = CU_SCHEMA_OF("network", file_fields, struct file);

struct making {
    struct cu_buf parties, names, peers;
    uint64_t next; /* party */
};

static cu_status add_party(struct making *m, uint64_t organisation, unsigned which, const struct cu_founder *f,
                           struct cu_err *err)
{
    static const uint64_t roles[PARTIES] = { CU_ROLE_ORGANISATION, CU_ROLE_PROVIDER, CU_ROLE_DEPOSITOR };
    const struct cu_span named[PARTIES] = { f->name, f->provider, f->depositor };
    CU_BUF list = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_party_key key;
    size_t at = 0;
    uint64_t n = 0;

    for (size_t i = 0; i < KEYS && cu_list_next(&f->keys, &cu_party_key_schema, &at, &key); i++) {
        if (keys[i].party != which) continue;
        TRY(cu_schema_write(&cu_party_key_schema, &key, &list, err));
        n++;
    }
    const struct cu_party party = { m->next++, roles[which], organisation, { n, cu_buf_span(&list) } };
    TRY(cu_schema_write(&cu_party_schema, &party, &m->parties, err));
    return cu_schema_write(&cu_party_name_schema, &(struct cu_party_name){ party.id, named[which] }, &m->names, err);
}

static cu_status add_organisation(struct making *m, const struct cu_founder *f, struct cu_err *err)
{
    const uint64_t organisation = m->next;

    for (unsigned i = 0; i < PARTIES; i++) TRY(add_party(m, organisation, i, f, err));
    return cu_schema_write(&peer_schema, &(struct cu_network_peer){ organisation, f->at, f->http }, &m->peers, err);
}

static cu_status write_genesis(struct cu_place *p, const struct making *m, struct cu_span title, const struct cu_policy *policy,
                               struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF origin = cu_buf_heap(CU_ORIGIN_MAX), details = cu_buf_heap(CU_DETAILS_MAX), entry = cu_buf_heap(CU_ENTRY_MAX);
    const struct cu_details_genesis says = { .name = title, .parties = { m->next - 1, cu_buf_span(&m->names) } };
    uint8_t salt[CU_SALT_LEN];
    struct cu_genesis g = { .suite = CU_SUITE_INTERNATIONAL,
                            .rules = CU_RULES_VERSION,
                            .engine = CU_ENGINE_COMETBFT,
                            .time = cu_place_now(p).v,
                            .parties = { m->next - 1, cu_buf_span(&m->parties) },
                            .policy = *policy };

    TRY(p->random.fill(p->random.self, g.nonce, sizeof g.nonce, err));
    TRY(p->random.fill(p->random.self, salt, sizeof salt, err));
    cu_found_origin(title, g.nonce, &origin);
    g.origin = cu_buf_span(&origin);
    TRY(cu_details_write(CU_PROFILE_GENESIS, &says, &details, err));
    g.commitment = cu_commitment(CU_SPAN_OF(salt), cu_buf_span(&details));
    TRY(cu_plain_write(CU_KIND_GENESIS, &g, &entry, err));
    const struct cu_record record = { .entry = cu_buf_span(&entry), .salt = CU_SPAN_OF(salt), .details = cu_buf_span(&details) };
    return cu_record_write(&record, ret, err);
}

static void free_making(struct making *m)
{
    cu_buf_free(&m->parties);
    cu_buf_free(&m->names);
    cu_buf_free(&m->peers);
}

cu_status cu_network_make(struct cu_place *p, struct cu_span title, const struct cu_policy *asks, const struct cu_span *founders,
                          size_t n, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(free_making)
    struct making m = { .parties = cu_buf_heap(CU_ENTRY_MAX),
                        .names = cu_buf_heap(CU_DETAILS_MAX),
                        .peers = cu_buf_heap(CU_NETWORK_MAX),
                        .next = 1 };
    CU_BUF genesis = cu_buf_heap(CU_RECORD_MAX);
    struct cu_network read;
    struct cu_founder f;

    ENSURE(n >= 1 && n <= CU_PARTIES_MAX / PARTIES, err, CU_USAGE,
           "a network has 1 to %u organisations; four or more bear one that fails or lies", CU_PARTIES_MAX / PARTIES);
    for (size_t i = 0; i < n; i++) {
        TRY(cu_founder_read(founders[i], &p->verifier, &f, err));
        TRY(add_organisation(&m, &f, err));
    }
    struct cu_policy policy = *asks;
    policy.acceptance_age = SEVEN_DAYS_MS;
    policy.cosigners = n > 1 ? n - (n - 1) / 3 : 0;
    if (!policy.copies) policy.copies = n - (n - 1) / 3;
    TRY(write_genesis(p, &m, title, &policy, &genesis, err));
    const struct file made = { .genesis = cu_buf_span(&genesis), .peers = { n, cu_buf_span(&m.peers) } };
    const size_t from = ret->n;
    TRY(cu_schema_write(&file_schema, &made, ret, err));
    return cu_network_read(cu_span_from(cu_buf_span(ret), from), &read,
                           err); /* a key listed twice, more copies than organisations */
}

const struct cu_member_key *cu_network_key(const struct cu_network *n, uint64_t party, enum cu_purpose purpose)
{
    for (size_t i = 0; i < n->members.keys_n; i++)
        if (n->members.key[i].party == party && n->members.key[i].purpose == purpose) return &n->members.key[i];
    return NULL;
}

/* Every organisation has an address and the keys that its share of the chain is run with. */
static cu_status check_peers(const struct cu_network *n, struct cu_err *err)
{
    struct cu_network_peer peer;
    uint64_t before = 0;
    size_t at = 0;

    ENSURE(n->peers.n == n->members.organisations, err, CU_MALFORMED, "network: %llu addresses for %llu organisations",
           LLU(n->peers.n), LLU(n->members.organisations));
    while (cu_list_next(&n->peers, &peer_schema, &at, &peer)) {
        const struct cu_member_party *party = cu_members_party(&n->members, peer.party);
        ENSURE(party && party->role == CU_ROLE_ORGANISATION && peer.party > before, err, CU_MALFORMED,
               "network: an address is of party %llu, where the next organisation's should stand", LLU(peer.party));
        before = peer.party;
        TRY(check_addresses(peer.at, peer.http, err));
        ENSURE(cu_network_key(n, peer.party, CU_PURPOSE_VALIDATOR) && cu_network_key(n, peer.party, CU_PURPOSE_NODE), err,
               CU_MALFORMED, "network: organisation %llu has no validator key or no node key", LLU(peer.party));
    }
    before = at = 0;
    while (n->has_now && cu_list_next(&n->now, &now_schema, &at, &peer)) {
        ENSURE(peer.party > before, err, CU_MALFORMED, "network: party %llu stands where a later one should", LLU(peer.party));
        before = peer.party;
        TRY(check_addresses(peer.at, peer.http, err));
    }
    return CU_OK;
}

bool cu_network_next(const struct cu_network *n, size_t *at, struct cu_network_peer *ret)
{
    if (n->has_now) return cu_list_next(&n->now, &now_schema, at, ret);
    if (!cu_list_next(&n->peers, &peer_schema, at, ret)) return false;
    memcpy(ret->node, cu_network_key(n, ret->party, CU_PURPOSE_NODE)->pub.bytes, sizeof ret->node);
    return true;
}

cu_status cu_network_renew(const struct cu_network *n, const struct cu_network_peer *peers, size_t peers_n, struct cu_buf *ret,
                           struct cu_err *err)
{
    CU_BUF now = cu_buf_heap(CU_NETWORK_MAX);

    for (size_t i = 0; i < peers_n; i++) TRY(cu_schema_write(&now_schema, &peers[i], &now, err));
    const struct file file = { n->genesis, n->peers, { peers_n, cu_buf_span(&now) }, true };
    return cu_schema_write(&file_schema, &file, ret, err);
}

cu_status cu_network_read(struct cu_span bytes, struct cu_network *ret, struct cu_err *err)
{
    struct cu_network n = { .genesis = CU_SPAN_EMPTY };
    struct cu_record record;
    struct file file;

    ENSURE(bytes.n <= CU_NETWORK_MAX, err, CU_TOO_LARGE, "a network's file has at most %d bytes, not %zu", CU_NETWORK_MAX,
           bytes.n);
    TRY(cu_schema_read(&file_schema, bytes, &file, err));
    n.genesis = file.genesis;
    n.peers = file.peers;
    n.now = file.now;
    n.has_now = file.has_now;
    TRY(cu_record_read(n.genesis, &record, err));
    TRY(cu_entry_read(record.entry, &n.entry, err));
    ENSURE(n.entry.kind == CU_KIND_GENESIS && n.entry.outer.body.genesis.engine == CU_ENGINE_COMETBFT, err, CU_MALFORMED,
           "network: what it begins with is not the genesis of a network");
    TRY(cu_record_match(&record, &n.entry, err));
    TRY(cu_members_from_genesis(&n.entry.outer.body.genesis, &n.entry.leaf, &n.members, err));
    TRY(check_peers(&n, err));
    *ret = n;
    return CU_OK;
}

/* ---- following ---- */

/* What a proposal that took effect says of where an organisation is reached. */
struct moves {
    struct cu_place *p;
    const struct cu_members *m;
    struct cu_network_peer *of;
    size_t *n;
    struct cu_buf found, *text; /* found: positions */
};

static cu_status note_seq(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct moves *v = arg;

    cu_buf_add(&v->found, cu_span((const uint8_t *)&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(&v->found, err);
}

/* In its place, parties ascending. */
static struct cu_network_peer *peer_of(struct moves *v, uint64_t party)
{
    size_t i = 0;

    while (i < *v->n && v->of[i].party < party) i++;
    if (i < *v->n && v->of[i].party == party) return &v->of[i];
    if (*v->n == CU_PARTIES_MAX) return NULL;
    memmove(&v->of[i + 1], &v->of[i], ((*v->n)++ - i) * sizeof *v->of);
    v->of[i] = (struct cu_network_peer){ .party = party };
    return &v->of[i];
}

static bool took_effect(const struct cu_members *m, const struct cu_propose *body)
{
    struct cu_given_key given;
    size_t at = 0;

    if (!cu_list_next(&body->keys, &cu_given_key_schema, &at, &given) || given.pub.n > CU_PUBLIC_LEN_MAX) return false;
    for (size_t i = 0; i < m->keys_n; i++)
        if (m->key[i].party == body->party && cu_span_eq(cu_public_span(&m->key[i].pub), given.pub)) return true;
    return false;
}

static cu_status take_move(struct moves *v, cu_seq seq, struct cu_err *err)
{
    CU_BUF attached = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    union cu_details details;
    struct cu_span bytes;
    struct cu_entry e;

    TRY(cu_log_entry(&v->p->log, seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    const struct cu_propose body = e.outer.body.propose;
    if (e.kind != CU_KIND_PROPOSE || !took_effect(v->m, &body)) return CU_OK;
    TRY(cu_place_details(v->p, seq, &body.commitment, &attached, err));
    TRY(cu_details_check(cu_span_from(cu_buf_span(&attached), CU_SALT_LEN), CU_KIND_PROPOSE, &details, err));
    if (!details.member.has_at) return CU_OK;
    struct cu_network_peer *peer = peer_of(v, body.party);
    if (!peer) return CU_OK;
    const size_t from = v->text->n;
    cu_buf_add(v->text, details.member.at);
    cu_buf_add(v->text, details.member.http);
    TRY(cu_buf_ok(v->text, err));
    peer->at = cu_span(v->text->p + from, details.member.at.n);
    peer->http = cu_span(v->text->p + from + details.member.at.n, details.member.http.n);
    return CU_OK;
}

/* Those that are gone are left out, and each node has the key that it has now. */
static void take_keys(struct moves *v)
{
    size_t n = 0;

    for (size_t i = 0; i < *v->n; i++) {
        const struct cu_member_key *node = cu_members_newest(v->m, v->of[i].party, CU_PURPOSE_NODE);
        if (!node || v->of[i].at.n == 0) continue;
        v->of[n] = v->of[i];
        memcpy(v->of[n++].node, node->pub.bytes, 32);
    }
    *v->n = n;
}

/* One that is open may take effect later. */
static cu_seq next_to_look_at(const struct cu_members *m, cu_size size)
{
    cu_seq next = { size.v };

    for (size_t i = 0; i < m->proposals_n; i++)
        if (m->proposal[i].seq < next.v) next.v = m->proposal[i].seq;
    return next;
}

cu_status cu_network_moves(struct cu_place *p, const struct cu_members *m, cu_size size, cu_seq *io_from,
                           struct cu_network_peer io[CU_PARTIES_MAX], size_t *io_n, struct cu_buf *text, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_PROPOSE, .from = *io_from };
    struct moves v = { .p = p, .m = m, .of = io, .n = io_n, .found = cu_buf_heap(SIZE_MAX / 4), .text = text };
    cu_seq at;

    cu_status done = cu_buf_grow(text, CU_NETWORK_MAX - 1) ? CU_OK : cu_fail(err, CU_NO_MEMORY, "out of memory");
    text->n = 0; /* it does not move from now on */
    if (done == CU_OK) done = p->index.find(p->index.self, &q, note_seq, &v, err);
    for (size_t i = 0; done == CU_OK && i < v.found.n; i += sizeof at.v) {
        memcpy(&at.v, v.found.p + i, sizeof at.v);
        done = take_move(&v, at, err);
    }
    cu_buf_free(&v.found);
    TRY(done);
    take_keys(&v);
    *io_from = next_to_look_at(m, size);
    return CU_OK;
}

/* ---- joining ---- */

uint64_t cu_network_own(const struct cu_network *n, const struct cu_place *p)
{
    const struct cu_member_key *key = p->has_key[CU_SIGNER_ORGANISATION]
                                          ? cu_members_key(&n->members, &p->key[CU_SIGNER_ORGANISATION].id)
                                          : NULL;

    return key && key->purpose == CU_PURPOSE_STATEMENT && cu_members_party(&n->members, key->party)->role == CU_ROLE_ORGANISATION
               ? key->party
               : 0;
}

/* Every key of this organisation, and of whom it runs, that these members list. */
static cu_status sign_confirm(struct cu_place *p, const struct cu_members *m, uint64_t party, const struct ring *ring,
                              struct cu_buf *ret, struct cu_err *err)
{
    struct cu_found_proof proofs[KEYS];
    size_t n = 0;

    for (size_t i = 0; i < KEYS; i++)
        if (cu_members_key(m, &ring->key[i].id)) proofs[n++] = (struct cu_found_proof){ keys[i].purpose, &ring->key[i] };
    TRY(cu_found_confirm(p, party, proofs, n, ret, err));
    return cu_fs_replace(&p->fs, CU_FILE_CONFIRM, CU_DIR_CHAIN "/incoming", cu_buf_span(ret), true, err);
}

/* The organisation's cosigner, which signed nothing of this log yet. */
static cu_status begin_cosigner(struct cu_place *p, struct cu_span origin, uint64_t party, const struct cu_private_key *key,
                                struct cu_err *err)
{
    CU_BUF name = cu_buf_heap(CU_ORIGIN_MAX + 32);
    struct cu_cosigner c;

    cu_cosigner_name(origin, party, &name);
    TRY(cu_buf_ok(&name, err));
    if (!cu_fs_exists(&p->fs, CU_DIR_COSIGNER "/cosigner")) /* an attempt that was cut short left it */
        TRY(cu_cosigner_create(&p->fs, CU_DIR_COSIGNER, cu_buf_span(&name), key, err));
    TRY(cu_cosigner_open(&p->fs, CU_DIR_COSIGNER, key, p->clock, &c, err));
    const cu_status begun = cu_cosigner_begin(&c, origin, err);
    cu_cosigner_close(&c);
    return begun;
}

/* Genesis does not have this organisation: then what it handed over was meant for this network. */
static cu_status check_request(struct cu_place *p, const struct cu_network *n, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_founder f = { .has_network = false };
    cu_status read = cu_fs_read(&p->fs, CU_FILE_REQUEST, CU_FOUNDER_MAX, &file, err);

    if (read == CU_OK) read = cu_founder_read(cu_buf_span(&file), &p->verifier, &f, err);
    if (read != CU_NOT_FOUND) TRY(read);
    ENSURE(f.has_network && cu_hash_eq(&f.network, &n->entry.leaf), err, CU_NOT_ALLOWED,
           "the network was made without the keys of this folder (" CU_DIR_KEYS
           "/organisation.pem), which were not made to join it later either (`custody network request --network FILE`): "
           "nothing was touched");
    return CU_OK;
}

static cu_status confirm_as_founder(struct cu_place *p, const struct cu_network *n, const struct ring *ring, struct cu_err *err)
{
    const uint64_t own = cu_network_own(n, p);
    CU_BUF confirm = cu_buf_heap(CU_RECORD_MAX);

    TRY(begin_cosigner(p, n->entry.outer.body.genesis.origin, own, &ring->key[KEY_COSIGN], err));
    return sign_confirm(p, &n->members, own, ring, &confirm, err);
}

cu_status cu_network_join(struct cu_place *p, struct cu_span file, struct cu_span passphrase,
                          struct cu_private_key *ret_validator, struct cu_private_key *ret_node, struct cu_err *err)
{
    CU_CLEANUP(free_ring) struct ring ring = { 0 };
    struct cu_network n;

    TRY(cu_network_read(file, &n, err));
    ENSURE(!cu_fs_exists(&p->fs, CU_FILE_FORMAT), err, CU_NOT_ALLOWED, "the folder is a ledger already: nothing was touched");
    for (size_t i = 0; i < KEYS; i++) {
        TRY(cu_key_load_named(p, keys[i].file, passphrase, &ring.key[i], err));
        adopt(p, i, &ring.key[i]);
        ENSURE(!cu_network_own(&n, p) || cu_members_key(&n.members, &ring.key[i].id), err, CU_NOT_ALLOWED,
               "the network was made without the keys of this folder (" CU_DIR_KEYS "/%s.pem): nothing was touched",
               keys[i].file);
    }
    const bool founded = cu_network_own(&n, p) > 0;
    if (!founded) TRY(check_request(p, &n, err));
    TRY(cu_found_trust(p, &n.entry.outer.body.genesis, &n.entry.leaf, err));
    if (founded) TRY(confirm_as_founder(p, &n, &ring, err));
    TRY(cu_fs_replace(&p->fs, CU_FILE_NETWORK, CU_DIR_CHAIN "/incoming", file, true, err));
    *ret_validator = ring.key[KEY_VALIDATOR];
    *ret_node = ring.key[KEY_NODE];
    ring.key[KEY_VALIDATOR].ctx = ring.key[KEY_NODE].ctx = NULL;
    return CU_OK;
}

/* ---- confirming ---- */

struct standing {
    const struct cu_place *p;
    uint64_t party; /* 0: nobody approved that it joins */
    bool confirmed;
    struct cu_members *members;
};

static cu_status look_confirmed(void *arg, struct cu_err *err)
{
    struct standing *s = arg;
    const struct cu_members *m = cu_ledger_members(s->p->ledger);
    const struct cu_member_key *key = cu_members_key(m, &s->p->key[CU_SIGNER_ORGANISATION].id);

    (void)err;
    if (!key) return CU_OK;
    s->party = key->party;
    s->confirmed = cu_members_party(m, key->party)->confirmed;
    *s->members = *m;
    return CU_OK;
}

static cu_status confirm_later(struct cu_place *p, const struct standing *is, struct cu_span passphrase, struct cu_buf *ret,
                               struct cu_err *err)
{
    CU_CLEANUP(free_whole) struct ring ring = { 0 };

    for (size_t i = 0; i < KEYS; i++) TRY(cu_key_load_named(p, keys[i].file, passphrase, &ring.key[i], err));
    TRY(begin_cosigner(p, p->genesis.outer.body.genesis.origin, is->party, &ring.key[KEY_COSIGN], err));
    return sign_confirm(p, is->members, is->party, &ring, ret, err);
}

static cu_status confirm(struct cu_place *p, struct standing *is, struct cu_span passphrase, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_outcome outcome;

    TRY(cu_ask(p, look_confirmed, is, err));
    ENSURE(is->party > 0, err, CU_NOT_CONFIRMED,
           "more than two thirds of the organisations have not approved that this one joins");
    if (is->confirmed) return CU_OK;
    const cu_status read = cu_fs_read(&p->fs, CU_FILE_CONFIRM, CU_RECORD_MAX, &record, err);
    if (read == CU_NOT_FOUND) TRY(confirm_later(p, is, passphrase, &record, err));
    else TRY(read);
    const struct cu_span span = cu_buf_span(&record);
    return cu_submit(p, &span, 1, &outcome, err);
}

cu_status cu_network_confirm(struct cu_place *p, struct cu_span passphrase, struct cu_err *err)
{
    struct standing is = { .p = p, .members = malloc(sizeof *is.members) };

    ENSURE(is.members, err, CU_NO_MEMORY, "no memory to confirm");
    const cu_status done = confirm(p, &is, passphrase, err);
    free(is.members);
    return done;
}

/* ---- whom it runs ---- */

/* As genesis enrols the founders': by the name and the key that were handed over, and that key's proof. */
static cu_status enrol_one(struct cu_place *p, const struct cu_members *m, const struct cu_founder *f, bool provider,
                           const struct cu_given_key *key, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX), list = cu_buf_heap(256);
    struct cu_outcome outcome;

    TRY(cu_schema_write(&cu_given_key_schema, key, &list, err));
    struct cu_member body = { .party = m->parties_n + 1,
                              .role = provider ? CU_ROLE_PROVIDER : CU_ROLE_DEPOSITOR,
                              .keys = { 1, cu_buf_span(&list) } };
    const struct cu_details_member words = { .name = provider ? f->provider : f->depositor };
    const struct cu_saying say = { CU_KIND_MEMBER, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_MEMBER, &words };
    TRY(cu_say(p, &say, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    return cu_submit(p, &span, 1, &outcome, err);
}

static cu_status enrol(struct cu_place *p, struct standing *is, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_possession proof;
    struct cu_party_key key;
    size_t at = 0, proof_at = 0;
    struct cu_founder f;

    const cu_status read = cu_fs_read(&p->fs, CU_FILE_REQUEST, CU_FOUNDER_MAX, &file, err);
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    TRY(cu_founder_read(cu_buf_span(&file), &p->verifier, &f, err));
    if (!f.has_network || !cu_hash_eq(&f.network, &p->trust.network)) return CU_OK; /* a founder's: genesis has them */
    for (size_t i = 0; i < KEYS; i++) {
        CU_ASSERT(cu_list_next(&f.keys, &cu_party_key_schema, &at, &key) &&
                  cu_list_next(&f.proofs, &cu_possession_schema, &proof_at, &proof));
        if (keys[i].party == 0) continue;
        TRY(cu_ask(p, look_confirmed, is, err));
        if (!is->confirmed || cu_members_party(is->members, is->party)->left > 0) return CU_OK;
        if (cu_members_key(is->members, &proof.kid)) continue; /* revoked or not */
        struct cu_given_key given = { key.purpose, key.neg_alg, key.pub, { 0 } };
        memcpy(given.proof, proof.signature, sizeof given.proof);
        TRY(enrol_one(p, is->members, &f, i == KEY_PROVIDER, &given, err));
    }
    return CU_OK;
}

cu_status cu_network_enrol(struct cu_place *p, struct cu_err *err)
{
    struct standing is = { .p = p, .members = malloc(sizeof *is.members) };

    ENSURE(is.members, err, CU_NO_MEMORY, "no memory to enrol");
    const cu_status done = enrol(p, &is, err);
    free(is.members);
    return done;
}
