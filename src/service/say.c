/* Saying something in the log: fill in what every statement has, bind its details, sign, submit. */
#include "service/cosigned.h"
#include "service/outbox.h"

#include <stdlib.h>

#define SHOWN_WITHIN_MS 30000

cu_status cu_need_key(const struct cu_place *p, enum cu_signer who, struct cu_err *err)
{
    ENSURE(p->has_key[who] || !p->remote.ops, err, CU_NOT_ALLOWED,
           who == CU_SIGNER_DEPOSITOR
               ? "say who signs: --key FILE, the private key of a member; nothing was signed"
               : "the key of the %s is not here, where the ledger is read by its address: nothing was signed",
           cu_signer_names[who]);
    ENSURE(p->has_key[who], err, CU_NOT_ALLOWED,
           "the private key of the %s is not here (" CU_DIR_KEYS "/%s.pem): nothing was signed", cu_signer_names[who],
           cu_signer_names[who]);
    return CU_OK;
}

/* A ledger elsewhere that cannot be asked now: who its members are is not known, and only what was seen before of its log. */
static bool out_of_reach(const struct cu_place *p) { return p->remote.ops && p->genesis.kind != CU_KIND_GENESIS; }

/* Nothing is signed that the ledger would not take from this key. Which notice a claim within names is the ledger's to judge. */
static bool may(uint64_t role, enum cu_kind kind, const void *body)
{
    if (kind == CU_KIND_CLAIM) return cu_may(role, cu_act_say(kind, body));
    return cu_may(role, kind) ||
           (kind == CU_KIND_STORED && ((const struct cu_stored *)body)->has_held && cu_may(role, CU_ACT_HELD)) ||
           (cu_kind_row(kind)->nests && cu_may(role, cu_act_say(kind, &(struct cu_claim){ .has_notice = true })));
}

static cu_status may_say(const struct cu_place *p, enum cu_kind kind, const void *body, enum cu_signer by, struct cu_err *err)
{
    const struct cu_member_key *key = cu_members_key(&p->members, &p->key[by].id);

    TRY(cu_need_key(p, by, err));
    ENSURE(key || !p->own_key || by != CU_SIGNER_DEPOSITOR || out_of_reach(p), err, CU_UNKNOWN_KEY,
           "the key is not enrolled in this ledger: nothing was signed; `custody enrol` asks for it");
    if (!key) return CU_OK; /* a ledger that is being made */
    const uint64_t role = cu_members_party(&p->members, key->party)->role;
    ENSURE(may(role, kind, body), err, CU_WRONG_ROLE,
           "the key is that of party %llu, %s, which may not sign a %s: nothing was signed", LLU(key->party), cu_role_name(role),
           cu_kind_row(kind)->name);
    ENSURE(key->until_seq == UINT64_MAX, err, CU_REVOKED, "the key was revoked by entry %llu: nothing was signed",
           LLU(key->until_seq));
    return CU_OK;
}

cu_status cu_ask(struct cu_place *p, cu_status (*look)(void *arg, struct cu_err *err), void *arg, struct cu_err *err)
{
    return p->engine ? p->engine->ask(p->engine->self, look, arg, err) : look(arg, err);
}

struct newest {
    struct cu_ledger *ledger;
    struct cu_seen *ret;
};

static cu_status look_newest(void *arg, struct cu_err *err)
{
    const struct newest *n = arg;

    return cu_ledger_newest_block(n->ledger, n->ret, err);
}

static cu_status newest_seen(struct cu_place *p, struct cu_seen *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    cu_size size;

    TRY(p->index.size(p->index.self, &size, err));
    ENSURE(size.v > 0, err, CU_NOT_CONFIRMED,
           "nothing of the ledger was seen yet: let a verb read it once while the node can be reached");
    TRY(cu_lookup_seq(p, (cu_seq){ size.v - 1 }, &found, err));
    *ret = (struct cu_seen){ found.row.seq.v, found.row.leaf };
    return CU_OK;
}

/* The newest block: of the ledger when it is open, else the last entry of the checkpoint, which always is one. */
static cu_status newest_block(struct cu_place *p, struct cu_seen *ret, struct cu_err *err)
{
    struct cu_span bytes;

    if (out_of_reach(p)) return newest_seen(p, ret, err);
    if (p->ledger) return cu_ask(p, look_newest, &(struct newest){ p->ledger, ret }, err);
    ENSURE(p->log.checkpoint.size.v > 0, err, CU_NOT_CONFIRMED, "the log is empty: nothing can be signed yet");
    ret->seq = p->log.checkpoint.size.v - 1;
    TRY(cu_log_entry(&p->log, (cu_seq){ ret->seq }, &bytes, err));
    ret->leaf = cu_leaf_hash(bytes);
    return CU_OK;
}

/* Of a statement that saw a block: time, block and commitment. */
static cu_status fill_in(struct cu_place *p, enum cu_kind kind, void *body, const cu_hash *commitment, struct cu_err *err)
{
    const struct cu_places *at = cu_places_of(kind);
    const cu_unix_ms now = cu_place_now(p);
    struct cu_seen seen;

    if (at->seen == CU_PLACE_NONE) return CU_OK;
    TRY(newest_block(p, &seen, err));
    memcpy((char *)body + at->time, &now.v, sizeof now.v);
    memcpy((char *)body + at->seen, &seen, sizeof seen);
    if (at->commitment != CU_PLACE_NONE) memcpy((char *)body + at->commitment, commitment, sizeof *commitment);
    return CU_OK;
}

static cu_status say_salted(struct cu_place *p, enum cu_kind kind, void *body, enum cu_signer by, struct cu_span details,
                            const uint8_t salt[CU_SALT_LEN], struct cu_buf *ret_record, struct cu_err *err)
{
    CU_BUF entry = cu_buf_heap(CU_ENTRY_MAX);
    cu_hash commitment = { { 0 } };
    struct cu_record record = { 0 };

    TRY(may_say(p, kind, body, by, err));
    if (details.n) {
        record.salt = cu_span(salt, CU_SALT_LEN);
        record.details = details;
        commitment = cu_commitment(record.salt, details);
    }
    TRY(fill_in(p, kind, body, &commitment, err));
    TRY(cu_statement_sign(kind, body, &p->trust.network, &p->key[by], &entry, err));
    record.entry = cu_buf_span(&entry);
    return cu_record_write(&record, ret_record, err);
}

cu_status cu_say_raw(struct cu_place *p, enum cu_kind kind, void *body, enum cu_signer by, struct cu_span details,
                     struct cu_buf *ret_record, struct cu_err *err)
{
    uint8_t salt[CU_SALT_LEN] = { 0 };

    if (details.n) TRY(p->random.fill(p->random.self, salt, sizeof salt, err));
    return say_salted(p, kind, body, by, details, salt, ret_record, err);
}

cu_status cu_say_alike(struct cu_place *p, const struct cu_saying *what, const char *tag, struct cu_buf *ret_record,
                       struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_DETAILS_MAX);

    TRY(cu_details_write(what->profile, what->details, &details, err));
    const struct cu_span parts[] = { cu_span_str(tag), cu_buf_span(&details) };
    const cu_hash salt = cu_sha256_parts(parts, 2);
    return say_salted(p, what->kind, what->body, what->by, parts[1], salt.b, ret_record, err);
}

cu_status cu_say_over(struct cu_place *p, enum cu_kind kind, void *body, enum cu_signer by, const struct cu_claim_file *parts,
                      struct cu_span content, struct cu_buf *ret_record, struct cu_err *err)
{
    CU_BUF said = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;

    TRY(cu_say_raw(p, kind, body, by, CU_SPAN_EMPTY, &said, err));
    TRY(cu_record_read(cu_buf_span(&said), &record, err));
    record.salt = parts->salt;
    record.details = parts->details;
    record.content = content;
    return cu_record_write(&record, ret_record, err);
}

cu_status cu_say(struct cu_place *p, const struct cu_saying *what, struct cu_buf *ret_record, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_DETAILS_MAX);

    if (what->profile != CU_PROFILE_NONE) TRY(cu_details_write(what->profile, what->details, &details, err));
    return cu_say_raw(p, what->kind, what->body, what->by, cu_buf_span(&details), ret_record, err);
}

cu_status cu_submit(struct cu_place *p, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err)
{
    ENSURE(p->engine || p->remote.ops, err, CU_READ_ONLY, "the ledger is open for reading only: nothing was recorded");
    if (p->engine) TRY(p->engine->submit(p->engine->self, records, n, ret, err));
    else TRY(p->remote.ops->submit(p->remote.self, records, n, ret, err));
    for (size_t i = 0; i < n; i++)
        if (ret[i].status != CU_OK && ret[i].status != CU_DUPLICATE) return cu_fail(err, ret[i].status, "%s", ret[i].text);
    return CU_OK;
}

cu_status cu_settle(struct cu_place *p, struct cu_err *err)
{
    if (p->remote.ops) return cu_follow_afar(p, err);
    TRY(cu_place_refresh(p, err));
    return cu_follow(p, err);
}

cu_status cu_settle_on(struct cu_place *p, const struct cu_outcome *recorded, uint64_t until, struct cu_err *err)
{
    const uint64_t last = recorded->block.v > recorded->seq.v ? recorded->block.v : recorded->seq.v;

    TRY(cu_settle(p, err));
    while (p->remote.ops && p->log.checkpoint.size.v <= last && cu_cosigned_needed(p, p->log.checkpoint.size) &&
           cu_place_now(p).v < until) {
        TRY(p->remote.ops->await(p->remote.self, &recorded->id, 1, err));
        TRY(cu_settle(p, err));
    }
    return CU_OK;
}

/* What a node says became of a statement is met by its log. */
static cu_status is_recorded(struct cu_place *p, struct cu_span record, struct cu_outcome *io, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_record parts;
    struct cu_entry entry;

    TRY(cu_record_read(record, &parts, err));
    TRY(cu_entry_read(parts.entry, &entry, err));
    ENSURE(
        io->seq.v < p->log.checkpoint.size.v || !cu_cosigned_needed(p, p->log.checkpoint.size), err, CU_COSIGNATURES_MISSING,
        "the node says that this was recorded as entry %llu, and it is not cosigned yet by as many as the trust file asks for: "
        "ask for its receipt later",
        LLU(io->seq.v));
    const cu_status there = cu_lookup_seq(p, io->seq, &found, err);
    const bool ours = there == CU_OK && cu_hash_eq(&found.row.id, &cu_entry_innermost(&entry)->id);
    if (io->status == CU_DUPLICATE && !ours)
        return there; /* under another id: the caller says what that means; ours: an answer was lost */
    ENSURE(ours, err, CU_BAD_PROOF,
           "the node says that this was recorded as entry %llu, and its log does not show it there: do not rely on it",
           LLU(io->seq.v));
    io->id = found.row.id;
    io->leaf = found.row.leaf;
    io->block = found.row.block;
    io->closed = found.row.recorded;
    return CU_OK;
}

cu_status cu_say_and_record(struct cu_place *p, const struct cu_saying *what, struct cu_outcome *ret, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);

    TRY(cu_say(p, what, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    TRY(cu_submit(p, &span, 1, ret, err));
    TRY(cu_settle_on(p, ret, cu_place_now(p).v + SHOWN_WITHIN_MS, err));
    return p->remote.ops ? is_recorded(p, span, ret, err) : CU_OK;
}

/* ---- the node's word ---- */
static int by_first(const void *a, const void *b)
{
    const uint64_t x = ((const struct cu_range *)a)->first, y = ((const struct cu_range *)b)->first;

    return x < y ? -1 : x > y;
}

/* Ascending, without gaps inside. */
size_t cu_ranges_join(struct cu_range *io, size_t n)
{
    size_t out = 0;

    if (n > 0) qsort(io, n, sizeof *io, by_first);
    for (size_t i = 0; i < n; i++) {
        if (out && io[i].first <= io[out - 1].last + 1) io[out - 1].last = io[i].last;
        else io[out++] = io[i];
    }
    return out;
}

cu_status cu_attest_record(struct cu_place *p, struct cu_range *held, size_t n, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(CU_STORED_RANGES_MAX * 24);

    n = cu_ranges_join(held, n);
    for (size_t i = 0; i < n; i++) TRY(cu_schema_write(&cu_range_schema, &held[i], &list, err));
    struct cu_stored stored = { .ranges = { n, cu_buf_span(&list) } };
    const struct cu_saying say = { CU_KIND_STORED, &stored, CU_SIGNER_ORGANISATION, CU_PROFILE_NONE, NULL };
    return cu_say(p, &say, ret, err);
}

cu_status cu_attest(struct cu_place *p, struct cu_range *held, size_t n, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_outcome outcome;

    if (n == 0) return CU_OK;
    TRY(cu_attest_record(p, held, n, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    return cu_submit(p, &span, 1, &outcome, err);
}
