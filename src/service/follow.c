/* The index follows the log: one row an entry, what people search by taken from the details.
 *
 * Rows of a batch wait for the block entry that dates them, so the log is walked block by block: find the block, then its records.
 */
#include "service/place.h"

/* How many entries are indexed in one transaction at least (whole batches only). */
#define TRANSACTION_ENTRIES 65536u

/* A case's next exhibit number, counted from the index once and then kept for the cases met last. */
struct numbers {
    struct {
        cu_case_id id;
        uint64_t next;
        bool used;
    } slot[64];
};

struct follower {
    struct cu_place *place;
    struct cu_index *index;
    struct numbers numbers;
    uint64_t cases;
    struct cu_along along; /* details lie in the stores in log order */
    struct cu_buf details; /* of the entry read last, with their salt */
};

static uint64_t next_number(struct follower *f, const cu_case_id *id)
{
    const size_t at = id->b[0] % (sizeof f->numbers.slot / sizeof f->numbers.slot[0]);

    if (!f->numbers.slot[at].used || memcmp(f->numbers.slot[at].id.b, id->b, sizeof id->b) != 0) {
        f->numbers.slot[at].used = true;
        f->numbers.slot[at].id = *id;
        f->numbers.slot[at].next = f->index->count(f->index->self, CU_KIND_DEPOSIT, id) + 1;
    }
    return f->numbers.slot[at].next++;
}

static void names_of_deposit(const struct cu_details_deposit *d, struct cu_index_row *row)
{
    struct cu_detail_digest digest;
    size_t at = 0;

    row->name = d->name;
    if (d->has_label) row->label = d->label;
    if (d->has_note) row->note = d->note;
    if (!d->has_digests || !cu_list_next(&d->digests, &cu_detail_digest_schema, &at, &digest) || digest.alg != CU_DIGEST_SHA256)
        return;
    memcpy(row->sha256.b, digest.value.p, sizeof row->sha256.b);
    row->has_sha256 = true;
}

static bool is_lost(cu_status status)
{
    return status == CU_NOT_FOUND || status == CU_BAD_HASH || status == CU_CORRUPT || status == CU_MALFORMED ||
           status == CU_TOO_LARGE;
}

/* Details that do not parse leave the row without names: the index judges nothing. */
void cu_index_names(struct cu_span attached, struct cu_index_row *row)
{
    enum cu_profile profile;
    union cu_details details;

    if (attached.n < CU_SALT_LEN ||
        cu_details_read(cu_span(attached.p + CU_SALT_LEN, attached.n - CU_SALT_LEN), &profile, &details, NULL) != CU_OK)
        return;
    if (profile == CU_PROFILE_PLAIN || profile == CU_PROFILE_POLICE_COLLECTION) names_of_deposit(&details.deposit, row);
    if (profile == CU_PROFILE_CASE) row->name = details.a_case.name;
    if (profile == CU_PROFILE_NOTICE)
        row->label = details.notice.number, row->name = details.notice.object, row->note = details.notice.basis;
    if (profile == CU_PROFILE_VOID || profile == CU_PROFILE_CORRECTION || profile == CU_PROFILE_ANSWER)
        row->note = details.text.text;
    if (profile == CU_PROFILE_GENESIS) row->name = details.genesis.name;
    if (profile == CU_PROFILE_DISCLOSURE) row->name = details.disclosure.recipient, row->note = details.disclosure.purpose;
    if (profile == CU_PROFILE_MEMBER) row->name = details.member.name, row->note = details.member.note;
    if (profile == CU_PROFILE_GRANT) row->name = details.grant.readers, row->note = details.grant.note;
    if (profile == CU_PROFILE_INCIDENT || profile == CU_PROFILE_ACCESS) row->note = details.rows.text;
}

/* What people wrote. So do details that are lost. Those that cannot be read just now end the walk: the row would stay without names
 * for good. */
cu_status cu_index_names_of(struct cu_place *p, const struct cu_entry *e, struct cu_buf *mem, struct cu_index_row *row,
                            struct cu_err *err)
{
    const cu_hash *commitment = cu_entry_commitment(e);

    cu_buf_clear(mem);
    if (!commitment || p->nameless) return CU_OK;
    const cu_status read = cu_place_details(p, row->seq, commitment, mem, err);
    p->blind |= p->remote.ops && read == CU_NOT_FOUND;
    if (is_lost(read)) return CU_OK;
    TRY(read);
    p->opened |= e->kind == CU_KIND_GRANT || e->kind == CU_KIND_DISCLOSURE || e->kind == CU_KIND_NOTICE;
    cu_index_names(cu_buf_span(mem), row);
    return CU_OK;
}

static void row_of_claim(const struct cu_claim *c, struct cu_index_row *row)
{
    row->has_case = true;
    row->case_id = c->case_id;
    row->serial = c->serial;
    row->content = c->content;
    row->size = c->size;
    row->root = c->root;
}

static void row_of_timeout(const struct cu_timeout *t, struct cu_index_row *row)
{
    struct cu_statement claim;

    row->ref = t->notice;
    if (t->has_notice || cu_statement_read(t->claim, &claim, NULL) != CU_OK) return;
    row_of_claim(&claim.body.claim, row);
    row->ref = claim.id;
}

void cu_index_row_of(const struct cu_entry *e, struct cu_index_row *row)
{
    const cu_hash *notice = cu_entry_notice(e);

    row->kind = e->kind;
    row->leaf = e->leaf;
    row->id = e->signed_ ? cu_entry_innermost(e)->id : e->leaf;
    row->time = (cu_unix_ms){ cu_entry_time(e) };
    if (e->signed_) row->kid = cu_entry_innermost(e)->kid;
    if (notice) row->has_ref = true, row->ref = *notice;
    switch (e->kind) {
    case CU_KIND_DEPOSIT:
    case CU_KIND_REFUSAL: row_of_claim(&e->inner.body.claim, row); break;
    case CU_KIND_CASE:
        row->has_case = true;
        row->case_id = e->outer.body.a_case.case_id;
        break;
    case CU_KIND_VOID:
        row->serial = e->outer.body.a_void.serial;
        row->has_ref = e->outer.body.a_void.has_claim;
        row->ref = e->outer.body.a_void.claim;
        break;
    case CU_KIND_CORRECTION:
        row->has_ref = true;
        row->ref = e->outer.body.correction.target;
        break;
    case CU_KIND_GRANT:
        row->has_ref = true;
        row->ref = e->outer.body.grant.target;
        break;
    case CU_KIND_APPROVE:
        row->has_ref = true;
        row->ref = e->outer.body.approve.proposal;
        break;
    case CU_KIND_INVENTORY:
        row->has_case = e->outer.body.inventory.has_case;
        row->case_id = e->outer.body.inventory.case_id;
        break;
    case CU_KIND_TIMEOUT:
        row->has_ref = true;
        row_of_timeout(&e->outer.body.timeout, row);
        break;
    case CU_KIND_NOTICE:
        row->has_case = true;
        row->case_id = e->outer.body.notice.case_id;
        break;
    case CU_KIND_NONE:
    case CU_KIND_GENESIS:
    case CU_KIND_BLOCK:
    case CU_KIND_CONFIRM:
    case CU_KIND_CLAIM:
    case CU_KIND_ACKNOWLEDGE:
    case CU_KIND_ANSWER:
    case CU_KIND_STORED:
    case CU_KIND_INCIDENT:
    case CU_KIND_ACCESS:
    case CU_KIND_DISCLOSURE:
    case CU_KIND_PROPOSE:
    case CU_KIND_MEMBER: break;
    }
}

bool cu_index_next_stored(const struct cu_entry *e, cu_seq seq, const struct cu_members *members, size_t *at,
                          struct cu_index_stored *ret)
{
    const struct cu_member_key *key = cu_members_key(members, &e->outer.kid);
    const struct cu_member_party *party = key ? cu_members_party(members, key->party) : NULL;
    struct cu_range range;

    if (!cu_list_next(&e->outer.body.stored.ranges, &cu_range_schema, at, &range)) return false;
    /* a provider's word on what it holds is nobody's copy */
    if (e->outer.body.stored.has_held) party = NULL;
    *ret = (struct cu_index_stored){ seq, party ? party->organisation : 0, { range.first }, { range.last } };
    return true;
}

static cu_status put_stored(struct follower *f, const struct cu_entry *e, cu_seq seq, struct cu_err *err)
{
    struct cu_index_stored row;
    size_t at = 0;

    while (cu_index_next_stored(e, seq, &f->place->members, &at, &row)) TRY(f->index->put_stored(f->index->self, &row, err));
    return CU_OK;
}

/* Which statements an access or a disclosure names. */
static cu_status put_about(struct follower *f, const struct cu_entry *e, cu_seq seq, struct cu_err *err)
{
    struct cu_access_row access;
    enum cu_profile profile;
    union cu_details said;
    cu_hash id;
    size_t at = 0;

    while (e->kind == CU_KIND_DISCLOSURE && cu_list_next(&e->outer.body.disclosure.targets, &cu_id_schema, &at, &id))
        TRY(f->index->put_about(f->index->self, seq, &id, err));
    if (e->kind != CU_KIND_ACCESS || f->details.n < CU_SALT_LEN) return CU_OK;
    const struct cu_span details = cu_span(f->details.p + CU_SALT_LEN, f->details.n - CU_SALT_LEN);
    if (cu_details_read(details, &profile, &said, NULL) != CU_OK || profile != CU_PROFILE_ACCESS) return CU_OK;
    while (cu_list_next(&said.rows.rows, &cu_access_row_schema, &at, &access))
        TRY(f->index->put_about(f->index->self, seq, &access.id, err));
    return CU_OK;
}

static cu_status put_entry(struct follower *f, cu_seq seq, cu_seq block, cu_unix_ms closed, struct cu_err *err)
{
    struct cu_index_row row = { .seq = seq, .block = block, .recorded = closed };
    struct cu_entry e;
    struct cu_span bytes;

    TRY(cu_log_entry_in_order(&f->place->log, seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    cu_index_row_of(&e, &row);
    if (e.kind == CU_KIND_DEPOSIT) row.number = next_number(f, &row.case_id);
    if (e.kind == CU_KIND_CASE) row.number = ++f->cases;
    TRY(cu_index_names_of(f->place, &e, &f->details, &row, err));
    TRY(f->index->put(f->index->self, &row, err));
    TRY(put_about(f, &e, seq, err));
    if (e.kind == CU_KIND_STORED) return put_stored(f, &e, seq, err);
    return e.signed_ ? cu_members_take(&f->place->members, &e.outer, seq, false, &f->place->verifier, err) : CU_OK;
}

/* The block entry at or after `from`. */
static cu_status find_block(struct follower *f, cu_seq from, cu_size upto, cu_seq *ret, cu_unix_ms *ret_closed,
                            struct cu_err *err)
{
    struct cu_entry e;
    struct cu_span bytes;

    for (cu_seq seq = from; seq.v < upto.v; seq.v++) {
        TRY(cu_log_entry_in_order(&f->place->log, seq, &bytes, err));
        if (bytes.n && bytes.p[0] == 0xd2) continue; /* COSE_Sign1: a block is a plain map */
        TRY(cu_entry_read(bytes, &e, err));
        if (e.kind != CU_KIND_BLOCK) continue;
        *ret = seq;
        *ret_closed = (cu_unix_ms){ e.outer.body.block.closed };
        return CU_OK;
    }
    return cu_fail(err, CU_CORRUPT, "the log ends at %llu entries without the block entry that closes its last batch",
                   (unsigned long long)upto.v);
}

static cu_status follow_some(struct follower *f, cu_size *io_at, cu_size upto, struct cu_err *err)
{
    const uint64_t start = io_at->v;
    cu_unix_ms closed;
    cu_seq block;

    while (io_at->v < upto.v && io_at->v - start < TRANSACTION_ENTRIES) {
        TRY(find_block(f, (cu_seq){ io_at->v }, upto, &block, &closed, err));
        for (cu_seq seq = { io_at->v }; seq.v <= block.v; seq.v++) TRY(put_entry(f, seq, block, closed, err));
        io_at->v = block.v + 1;
    }
    return CU_OK;
}

static cu_status follow_batches(struct follower *f, cu_size *io_at, cu_size upto, struct cu_err *err)
{
    struct cu_index *index = f->index;

    TRY(index->begin(index->self, err));
    cu_status done = follow_some(f, io_at, upto, err);
    if (done == CU_OK) done = index->commit(index->self, *io_at, err);
    if (done != CU_OK) index->rollback(index->self);
    return done;
}

static void free_follower(struct follower *f)
{
    f->place->along = NULL;
    cu_along_free(&f->along);
    cu_buf_free(&f->details);
}

static cu_status follow_upto(struct cu_place *p, cu_size upto, struct cu_err *err)
{
    CU_CLEANUP(free_follower)
    struct follower f = { .place = p,
                          .index = &p->index,
                          .along = { .store = p->store[p->near] },
                          .details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX) };
    cu_size at;

    TRY(f.index->size(f.index->self, &at, err));
    if (at.v >= upto.v) return CU_OK;
    f.cases = f.index->count(f.index->self, CU_KIND_CASE, NULL);
    p->along = &f.along; // cppcheck-suppress autoVariables ; and NULL again when f is freed
    while (at.v < upto.v) TRY(follow_batches(&f, &at, upto, err));
    return CU_OK;
}

/* An index that begins anew is told what lies in the stores first. */
static cu_status begin_anew(struct cu_place *p, struct cu_err *err)
{
    cu_size size;

    TRY(p->index.size(p->index.self, &size, err));
    for (int store = 0; store < CU_STORES && size.v == 0; store++)
        if (p->store[store]) TRY(cu_objects_reindex(p->store[store], err));
    return CU_OK;
}

cu_status cu_follow(struct cu_place *p, struct cu_err *err)
{
    TRY(begin_anew(p, err));
    TRY(cu_members_follow(p, err)); /* who is a member below what is followed now, and then whoever came in it */
    TRY(follow_upto(p, p->log.checkpoint.size, err));
    return cu_members_follow(p, err);
}
