/* A new ledger: keys, trust files, genesis, the confirm that proves possession of every key, and the case `unfiled`.
 *
 * 1. The format file comes last: a folder without it is no ledger, so a half-made one is never used.
 * 2. `format.unfinished` comes first and becomes `format`: so a folder that holds it was begun here, nothing in it was ever
 *    acknowledged, and the next init begins again: the log, objects and journal of the attempt go to quarantine/, keys and trust
 *    files are written anew.
 * 3. Who makes a ledger holds the lock on that file.
 */
#include "custody/text.h"
#include "service/cosigned.h"
#include "service/audit.h"
#include "service/found.h"

#include <stdio.h>
#include <stdlib.h>

#define SEVEN_DAYS_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define ORIGIN_NAME_MAX 64

/* ---- the folder ---- */
static const char *const attempts[] = { CU_DIR_KEYS,       CU_DIR_TRUST,  "cloud",         "node",
                                        CU_DIR_QUARANTINE, CU_DIR_OUTBOX, CU_DIR_RECEIPTS, CU_DIR_CHAIN };

struct folder {
    char other[256]; /* something that is not of an attempt */
    bool begun, holds;
};

static cu_status look_at(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct folder *f = arg;
    bool ours = false;
    (void)err;

    if (strcmp(name, CU_FILE_MAKING) == 0) return f->begun = true, CU_OK;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        ours |= kind == CU_FILE_FOLDER && strcmp(name, attempts[i]) == 0;
    f->holds = true;
    if (!ours) snprintf(f->other, sizeof f->other, "%s", name);
    return CU_OK;
}

/* (2): nothing, or what an attempt left. */
static cu_status look(const struct cu_place *p, struct folder *ret, struct cu_err *err)
{
    *ret = (struct folder){ .begun = false };
    TRY(p->fs.ops->list(p->fs.self, ".", look_at, ret, err));
    ENSURE(!ret->other[0] && (ret->begun || !ret->holds), err, CU_NOT_ALLOWED,
           "the folder is not empty (it holds \"%s\"): a ledger begins in a folder of its own; nothing was touched",
           ret->other[0] ? ret->other : "keys");
    return CU_OK;
}

struct move {
    const struct cu_fs *fs;
    uint64_t run;
    const char *dir;
};

static cu_status move_one(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    const struct move *m = arg;
    char from[512], to[600];

    snprintf(from, sizeof from, "%s/%s", m->dir, name);
    struct move inside = { m->fs, m->run, from };
    if (strcmp(from, CU_DIR_CLOUD_PINS) == 0)
        return CU_OK; /* they say what was moved out of a bucket, where it stays nevertheless */
    if (kind == CU_FILE_FOLDER) return m->fs->ops->list(m->fs->self, from, move_one, &inside, err);
    snprintf(to, sizeof to, CU_DIR_QUARANTINE "/%llu/%s", (unsigned long long)m->run, from);
    return m->fs->ops->rename(m->fs->self, from, to, err);
}

static cu_status put_attempt_aside(struct cu_place *p, struct cu_err *err)
{
    static const char *const dirs[] = { "cloud", "node" };
    struct move m = { .fs = &p->fs };

    TRY(cu_quarantine_next(p, &m.run, err));
    for (size_t i = 0; i < 2; i++) {
        m.dir = dirs[i];
        const cu_status moved = p->fs.ops->list(p->fs.self, m.dir, move_one, &m, err);
        if (moved != CU_NOT_FOUND) TRY(moved);
    }
    return p->fs.ops->sync_all(p->fs.self, err);
}

static const char *const folders[] = { CU_DIR_KEYS,         CU_DIR_TRUST,    CU_DIR_CLOUD_OBJECTS, CU_DIR_CLOUD_LOG,
                                       CU_DIR_NODE_OBJECTS, CU_DIR_NODE_LOG, CU_DIR_NODE_STATE,    CU_DIR_JOURNAL,
                                       CU_DIR_QUARANTINE,   CU_DIR_OUTBOX,   CU_DIR_RECEIPTS };

cu_status cu_found_begin(struct cu_place *p, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *mark = NULL;
    struct folder folder;

    TRY(look(p, &folder, err));
    TRY(p->fs.ops->lock(p->fs.self, CU_FILE_MAKING, 0, &p->making, err));
    TRY(look(p, &folder, err)); /* who had the lock may have made a ledger meanwhile */
    TRY(p->fs.ops->open(p->fs.self, CU_FILE_MAKING, CU_OPEN_WRITE | CU_OPEN_CREATE, &mark, err));
    TRY(p->fs.ops->sync_dir(p->fs.self, ".", err));
    if (folder.holds) TRY(put_attempt_aside(p, err));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) TRY(p->fs.ops->make_dir(p->fs.self, folders[i], err));
    return CU_OK;
}

/* ---- keys ---- */
static enum cu_alg alg_of(enum cu_signer who)
{
    const struct cu_suite_algs *suite = cu_suite_algs(CU_SUITE_INTERNATIONAL);

    return who == CU_SIGNER_LOG ? suite->log : suite->statement;
}

/* `uri`: of one that is there already, in a token; empty: it is made, in a file. */
static cu_status keep_key(struct cu_place *p, const char *name, struct cu_span uri, enum cu_alg alg, struct cu_span passphrase,
                          struct cu_private_key *ret, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(16384);
    char path[64];

    cu_buf_add(&pem, uri);
    if (pem.n) {
        TRY(cu_key_open(&p->tokens, cu_buf_span(&pem), passphrase, ret, err));
        cu_buf_add_byte(&pem, '\n');
        const bool fits = ret->pub.alg == alg;
        if (!fits) cu_private_free(ret);
        ENSURE(fits, err, CU_BAD_KEY,
               CU_DIR_KEYS "/%s.pem: this key signs by %s, and that in the token does not: nothing was made", name,
               cu_alg_name(alg));
    } else {
        TRY(cu_private_generate(alg, ret, err));
        TRY(cu_private_to_pem(ret, passphrase, &pem, err));
    }
    snprintf(path, sizeof path, CU_DIR_KEYS "/%s.pem", name);
    cu_status written = cu_fs_replace_as(&p->fs, path, CU_DIR_KEYS "/incoming", cu_buf_span(&pem), CU_OPEN_PRIVATE, true, err);
    cu_wipe(pem.p, pem.n);
    return written;
}

cu_status cu_found_key(struct cu_place *p, const char *name, enum cu_alg alg, struct cu_span passphrase,
                       struct cu_private_key *ret, struct cu_err *err)
{
    struct cu_span uri = CU_SPAN_EMPTY;

    for (enum cu_signer who = 0; who < CU_SIGNERS; who++)
        if (strcmp(cu_signer_names[who], name) == 0) uri = p->new_key[who];
    return keep_key(p, name, uri, alg, passphrase, ret, err);
}

/* What a key's file says of where the key is; false: it is not there. */
static cu_status look_at_key(const struct cu_place *p, const char *name, bool *ret_there, bool *ret_token, bool *ret_asked,
                             struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(16384);
    const cu_status read = cu_key_read(&p->fs, name, &text, err);
    struct cu_span is = cu_buf_span(&text);

    while (is.n && is.p[is.n - 1] == '\n') is.n--;
    *ret_there = read == CU_OK;
    *ret_token = cu_key_in_token(is);
    *ret_asked = cu_span_eq(is, p->successor);
    if (text.p) cu_wipe(text.p, text.n);
    return read == CU_NOT_FOUND ? CU_OK : read;
}

cu_status cu_found_next(struct cu_place *p, const char *name, enum cu_alg alg, struct cu_span passphrase,
                        struct cu_private_key *ret, struct cu_err *err)
{
    const struct cu_span uri = cu_key_in_token(p->successor) ? p->successor : CU_SPAN_EMPTY;
    bool there, token, asked, waits, waits_in_token;
    char next[40];

    snprintf(next, sizeof next, "%s-next", name);
    TRY(look_at_key(p, next, &waits, &waits_in_token, &asked, err));
    ENSURE(!waits || !uri.n || asked, err, CU_NOT_ALLOWED,
           CU_DIR_KEYS "/%s.pem waits already, and is another key than --successor names: go on with it without --successor, or "
                       "move it away if it was never approved; nothing was made",
           next);
    if (waits) return cu_key_load_named(p, next, passphrase, ret, err);
    TRY(look_at_key(p, name, &there, &token, &asked, err));
    ENSURE(
        !token || p->successor.n, err, CU_NOT_ALLOWED,
        "the %s key lies in a token, where nobody can copy it, and its successor would be made in a file: make a key for %s in a "
        "token and name it (--successor 'pkcs11:token=…;object=…'), or say --successor file; no key was made",
        name, alg == CU_ALG_ES256 ? "P-256" : "Ed25519");
    return keep_key(p, next, uri, alg, passphrase, ret, err);
}

static cu_status make_key(struct cu_place *p, enum cu_signer who, struct cu_span passphrase, struct cu_err *err)
{
    const cu_status made = cu_found_key(p, cu_signer_names[who], alg_of(who), passphrase, &p->key[who], err);

    p->has_key[who] = p->key[who].ctx != NULL;
    return made;
}

/* ---- genesis ---- */
/* The parties of an embedded ledger: who they are, who runs them, which keys they have. */
static const struct {
    uint64_t id, role, organisation;
    enum cu_signer keys[2];
    enum cu_purpose purposes[2];
    size_t n;
} parties[] = {
    { 1, CU_ROLE_ORGANISATION, 1, { CU_SIGNER_ORGANISATION, CU_SIGNER_LOG }, { CU_PURPOSE_STATEMENT, CU_PURPOSE_LOG }, 2 },
    { 2, CU_ROLE_PROVIDER, 1, { CU_SIGNER_PROVIDER }, { CU_PURPOSE_STATEMENT }, 1 },
    { 3, CU_ROLE_DEPOSITOR, 1, { CU_SIGNER_DEPOSITOR }, { CU_PURPOSE_STATEMENT }, 1 },
};
#define PARTIES (sizeof parties / sizeof parties[0])

static cu_status write_parties(const struct cu_place *p, struct cu_buf *ret, struct cu_err *err)
{
    for (size_t i = 0; i < PARTIES; i++) {
        CU_BUF keys = cu_buf_heap(1024);
        for (size_t k = 0; k < parties[i].n; k++) {
            const struct cu_public_key *pub = &p->key[parties[i].keys[k]].pub;
            const struct cu_party_key key = { parties[i].purposes[k], (uint64_t) - (int64_t)pub->alg, cu_public_span(pub) };
            TRY(cu_schema_write(&cu_party_key_schema, &key, &keys, err));
        }
        const struct cu_party party = {
            parties[i].id, parties[i].role, parties[i].organisation, { parties[i].n, cu_buf_span(&keys) }
        };
        TRY(cu_schema_write(&cu_party_schema, &party, ret, err));
    }
    return CU_OK;
}

static cu_status write_names(const struct cu_found_request *r, struct cu_buf *ret, struct cu_err *err)
{
    const struct cu_span names[PARTIES] = { r->org, r->provider, r->who };
    CU_BUF list = cu_buf_heap(4096);
    struct cu_details_genesis details = { .name = r->name };

    for (size_t i = 0; i < PARTIES; i++) {
        const struct cu_party_name name = { parties[i].id, names[i] };
        TRY(cu_schema_write(&cu_party_name_schema, &name, &list, err));
    }
    details.parties = (struct cu_list){ PARTIES, cu_buf_span(&list) };
    return cu_details_write(CU_PROFILE_GENESIS, &details, ret, err);
}

/* "<name>/<32 hex digits>": what people called it, as far as a signed note's key name can hold that. */
void cu_found_origin(struct cu_span name, const uint8_t nonce[16], struct cu_buf *ret)
{
    for (size_t i = 0; i < name.n && ret->n < ORIGIN_NAME_MAX; i++) {
        const uint8_t c = name.p[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        if (plain) cu_buf_add_byte(ret, c);
        else if (c >= 'A' && c <= 'Z') cu_buf_add_byte(ret, (uint8_t)(c | 0x20));
        else if (ret->n && ret->p[ret->n - 1] != '-') cu_buf_add_byte(ret, '-');
    }
    if (ret->n == 0) cu_buf_add_str(ret, "ledger");
    cu_buf_add_byte(ret, '/');
    cu_hex_put(ret, cu_span(nonce, 16));
}

static int by_profile(const void *a, const void *b)
{
    return cu_span_cmp(((const struct cu_must_seal *)a)->profile, ((const struct cu_must_seal *)b)->profile);
}

cu_status cu_policy_seal_read(struct cu_span text, struct cu_policy *io, struct cu_buf *mem, struct cu_err *err)
{
    struct cu_must_seal must[CU_MUST_SEAL_MAX] = { 0 };
    struct cu_span one;
    size_t n = 0;

    while (text.n) {
        if (!cu_span_split(&text, ',', &one)) one = text, text.n = 0;
        ENSURE(n < CU_MUST_SEAL_MAX, err, CU_USAGE, "--must-seal: at most %d profiles belong there; nothing was made",
               CU_MUST_SEAL_MAX);
        must[n].profile = one;
        must[n].two = cu_span_split(&one, ':', &must[n].profile);
        const enum cu_profile profile = cu_profile_by_name(must[n].profile);
        ENSURE((!must[n].two || cu_span_is(one, "two")) &&
                   (profile == CU_PROFILE_PLAIN || profile == CU_PROFILE_POLICE_COLLECTION),
               err, CU_USAGE,
               "--must-seal: profiles of deposits belong there, plain or police-collection, and :two behind one that takes two "
               "to open; "
               "nothing was made");
        n++;
    }
    qsort(must, n, sizeof *must, by_profile);
    for (size_t i = 0; i < n; i++) TRY(cu_schema_write(&cu_must_seal_schema, &must[i], mem, err));
    io->has_seal = n > 0;
    io->seal = (struct cu_list){ n, cu_buf_span(mem) };
    return CU_OK;
}

static cu_status write_genesis(struct cu_place *p, const struct cu_found_request *r, struct cu_buf *ret_origin,
                               struct cu_buf *ret_entry, struct cu_buf *ret_record, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(CU_ENTRY_MAX), names = cu_buf_heap(CU_DETAILS_MAX), copies = cu_buf_heap(64);
    uint8_t salt[CU_SALT_LEN];
    struct cu_genesis g = {
        .suite = CU_SUITE_INTERNATIONAL, .rules = CU_RULES_VERSION, .engine = CU_ENGINE_EMBEDDED, .time = cu_place_now(p).v
    };

    TRY(p->random.fill(p->random.self, g.nonce, sizeof g.nonce, err));
    TRY(p->random.fill(p->random.self, salt, sizeof salt, err));
    cu_found_origin(r->name, g.nonce, ret_origin);
    TRY(write_parties(p, &list, err));
    TRY(write_names(r, &names, err));
    cu_cbor_put_uint(&copies, 1); /* the organisation itself must hold a copy */
    g.origin = cu_buf_span(ret_origin);
    g.parties = (struct cu_list){ PARTIES, cu_buf_span(&list) };
    g.policy = (struct cu_policy){ .copies = 1,
                                   .mandatory = { 1, cu_buf_span(&copies) },
                                   .acceptance_age = r->acceptance_age ? r->acceptance_age : SEVEN_DAYS_MS,
                                   .has_retention = r->asks.has_retention,
                                   .retention = r->asks.retention,
                                   .has_seal = r->asks.has_seal,
                                   .seal = r->asks.seal };
    g.commitment = cu_commitment(CU_SPAN_OF(salt), cu_buf_span(&names));
    TRY(cu_plain_write(CU_KIND_GENESIS, &g, ret_entry, err));
    const struct cu_record record = { .entry = cu_buf_span(ret_entry), .salt = CU_SPAN_OF(salt), .details = cu_buf_span(&names) };
    return cu_record_write(&record, ret_record, err);
}

/* ---- what a reader pins ---- */
cu_status cu_found_trust(struct cu_place *p, const struct cu_genesis *genesis, const cu_hash *network, struct cu_err *err)
{
    CU_BUF vkey = cu_buf_heap(1024), policy = cu_buf_heap(CU_TRUST_MAX), trust = cu_buf_heap(CU_TRUST_MAX);

    TRY(cu_trust_of_genesis(genesis, network, &p->key[CU_SIGNER_LOG].pub, &trust, err));
    p->trust_text = trust;
    trust = (struct cu_buf){ 0 };
    TRY(cu_trust_read(cu_buf_span(&p->trust_text), &p->trust, err));
    TRY(cu_trust_derived(&p->trust, &policy, &vkey, err));
    TRY(cu_fs_replace(&p->fs, CU_FILE_VKEY, CU_DIR_TRUST "/incoming", cu_buf_span(&vkey), true, err));
    TRY(cu_fs_replace(&p->fs, CU_FILE_POLICY, CU_DIR_TRUST "/incoming", cu_buf_span(&policy), true, err));
    return cu_fs_replace(&p->fs, CU_FILE_TRUST, CU_DIR_TRUST "/incoming", cu_buf_span(&p->trust_text), true, err);
}

cu_status cu_found_files(struct cu_place *p, const struct cu_found_request *r, struct cu_buf *ret_genesis, struct cu_err *err)
{
    CU_BUF origin = cu_buf_heap(CU_ORIGIN_MAX), entry = cu_buf_heap(CU_ENTRY_MAX);

    TRY(cu_found_begin(p, err));
    for (enum cu_signer who = 0; who < CU_SIGNERS; who++) TRY(make_key(p, who, r->passphrase, err));
    TRY(write_genesis(p, r, &origin, &entry, ret_genesis, err));
    const cu_hash network = cu_leaf_hash(cu_buf_span(&entry));
    struct cu_entry genesis;
    TRY(cu_entry_read(cu_buf_span(&entry), &genesis, err));
    return cu_found_trust(p, &genesis.outer.body.genesis, &network, err);
}

/* ---- the first records ---- */
static int by_kid(const void *a, const void *b)
{
    return memcmp(((const struct cu_possession *)a)->kid.b, ((const struct cu_possession *)b)->kid.b, sizeof(cu_hash));
}

cu_status cu_found_confirm(struct cu_place *p, uint64_t party, const struct cu_found_proof *keys, size_t n,
                           struct cu_buf *ret_record, struct cu_err *err)
{
    struct cu_possession proofs[CU_FOUND_KEYS_MAX] = { 0 };
    CU_BUF list = cu_buf_heap(4096);

    CU_ASSERT(n > 0 && n <= CU_FOUND_KEYS_MAX);
    for (size_t i = 0; i < n; i++) {
        uint8_t message[128];
        const size_t length = cu_possession_message(&p->trust.network, keys[i].purpose, &keys[i].key->pub, message);
        proofs[i].kid = keys[i].key->id;
        TRY(cu_sign(keys[i].key, cu_span(message, length), proofs[i].signature, err));
    }
    qsort(proofs, n, sizeof proofs[0], by_kid);
    for (size_t i = 0; i < n; i++) TRY(cu_schema_write(&cu_possession_schema, &proofs[i], &list, err));
    struct cu_confirm confirm = { .party = party, .time = cu_place_now(p).v, .keys = { n, cu_buf_span(&list) } };
    const struct cu_saying say = { CU_KIND_CONFIRM, &confirm, CU_SIGNER_ORGANISATION, CU_PROFILE_NONE, NULL };
    return cu_say(p, &say, ret_record, err);
}

cu_status cu_found_records(struct cu_place *p, struct cu_span genesis, struct cu_err *err)
{
    CU_BUF confirm = cu_buf_heap(CU_RECORD_MAX);
    const struct cu_case_request unfiled = { .name = cu_span_str(CU_CASE_UNFILED) };
    struct cu_found_proof keys[CU_SIGNERS];
    struct cu_outcome outcome[2];

    for (enum cu_signer who = 0; who < CU_SIGNERS; who++)
        keys[who] = (struct cu_found_proof){ who == CU_SIGNER_LOG ? CU_PURPOSE_LOG : CU_PURPOSE_STATEMENT, &p->key[who] };
    TRY(cu_found_confirm(p, 1, keys, CU_SIGNERS, &confirm, err));
    const struct cu_span first[2] = { genesis, cu_buf_span(&confirm) };
    TRY(cu_submit(p, first, 2, outcome, err));
    TRY(cu_settle(p, err));
    TRY(cu_case_open(p, &unfiled, &outcome[0], err));
    TRY(p->engine->drain(p->engine->self, err)); /* a ledger has a published checkpoint */
    return cu_found_done(p, err);
}

cu_status cu_found_done(struct cu_place *p, struct cu_err *err)
{
    TRY(cu_fs_replace(&p->fs, CU_FILE_FORMAT, CU_FILE_MAKING, cu_span_str(CU_FORMAT_LINE), true, err));
    if (p->making) p->fs.ops->unlock(p->fs.self, p->making);
    p->making = NULL;
    return CU_OK;
}
