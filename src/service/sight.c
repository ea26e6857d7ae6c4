/* Who may see what of a ledger. The log is its members'; what is attached to it, and what is looked up in it by name, is an organisation's:
 *
 * (1) A case is its organisation's that opened it, and with it all that is about it; what somebody signed is his organisation's.
 * (2) It is opened to others one exhibit at a time, by an entry: a disclosure to the name of a party of this ledger or of its organisation, a grant
 *     to its key; only by whom it belongs to. A notice, with its case's name, is opened to the provider that it asks; who keeps evidence for an
 *     organisation is else a stranger to it, though it runs him.
 * (3) The rest, in which there is nothing of any case, is common: genesis, confirms, members, attestations.
 * (4) What may not be seen is not there: not found, not counted, not hinted at. custody/may.h says to whom what is foreign is there all the same.
 *
 * Who reads at a node that is his own organisation's has to be told no by that one: what a node holds, its keeper can read.
 */
#include "service/place.h"

#include "custody/text.h"

#include <stdlib.h>

void cu_sight_free(struct cu_sight *s)
{
    cu_buf_free(&s->ids);
    cu_buf_free(&s->cases);
}

static bool has(const struct cu_buf *all, const void *one, size_t n)
{
    for (size_t at = 0; at < all->n; at += n)
        if (memcmp(all->p + at, one, n) == 0) return true;
    return false;
}

static cu_status take_kid(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    (void)err;
    *(cu_hash *)arg = row->kid;
    return CU_OK;
}

static bool owns_case(struct cu_place *p, uint64_t organisation, const cu_case_id *id)
{
    const struct cu_index_query q = { .by = CU_FIND_CASE, .kind = CU_KIND_CASE, .case_id = *id };
    cu_hash kid = { { 0 } };

    return p->index.find(p->index.self, &q, take_kid, &kid, NULL) == CU_OK && cu_organisation_of(p, &kid) == organisation;
}

static bool signed_by(const struct cu_place *p, uint64_t party, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&p->members, kid);

    return party && key && key->party == party;
}

/* By (1). */
static bool owns(struct cu_place *p, uint64_t organisation, const struct cu_index_row *row)
{
    return organisation &&
           (cu_organisation_of(p, &row->kid) == organisation || (row->has_case && owns_case(p, organisation, &row->case_id)));
}

static cu_status entry_at(struct cu_place *p, cu_seq seq, struct cu_buf *mem, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_span bytes;

    TRY(cu_log_entry_unproven(&p->log, seq, &bytes, err));
    cu_buf_clear(mem);
    cu_buf_add(mem, bytes); /* the log's is good until the next call */
    TRY(cu_buf_ok(mem, err));
    return cu_entry_read(cu_buf_span(mem), ret, err);
}

/* ---- (2) ---- */

struct opening {
    struct cu_place *p;
    struct cu_sight *to;
    struct cu_buf mem, found; /* of the entry; rows' positions, kinds as they are there */
    bool bad;
};

/* Of an id that an entry opens, said with this key: is it that one's to open? */
struct opened {
    struct opening *o;
    uint64_t by; /* organisation */
};

static cu_status take_opened(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct opened *d = arg;
    struct cu_sight *to = d->o->to;

    if (row->kind != CU_KIND_DEPOSIT || !owns(d->o->p, d->by, row)) return CU_OK;
    if (!has(&to->ids, row->id.b, sizeof row->id.b)) cu_buf_add(&to->ids, cu_span_hash(&row->id));
    if (!has(&to->cases, row->case_id.b, sizeof row->case_id.b)) cu_buf_add(&to->cases, CU_SPAN_OF(row->case_id.b));
    TRY(cu_buf_ok(&to->ids, err));
    return cu_buf_ok(&to->cases, err);
}

static cu_status open_id(struct opening *o, const cu_hash *signer, const cu_hash *id, struct cu_err *err)
{
    struct opened d = { o, cu_organisation_of(o->p, signer) };
    char hex[65];

    cu_hash_hex(id, hex);
    const struct cu_index_query q = { .by = CU_FIND_ID_PREFIX, .text = cu_span_str(hex) };
    return o->p->index.find(o->p->index.self, &q, take_opened, &d, err);
}

static bool is_party(const struct cu_sight *s, uint64_t party)
{
    return party && (party == s->party || party == s->organisation);
}

static cu_status open_granted(struct opening *o, const struct cu_entry *e, struct cu_err *err)
{
    const struct cu_grant *grant = &e->outer.body.grant;
    cu_hash kid;
    size_t at = 0;

    while (cu_list_next(&grant->readers, &cu_id_schema, &at, &kid)) {
        const struct cu_member_key *key = cu_members_key(&o->p->members, &kid);
        if (key && is_party(o->to, key->party)) return open_id(o, &e->outer.kid, &grant->target, err);
    }
    return CU_OK;
}

static bool is_named(struct cu_place *p, const struct cu_sight *s, struct cu_span name)
{
    return name.n > 0 && (cu_span_eq(name, cu_party_named(p, s->party)) || cu_span_eq(name, cu_party_named(p, s->organisation)));
}

static cu_status open_disclosed(struct opening *o, const struct cu_entry *e, struct cu_err *err)
{
    cu_hash id;
    size_t at = 0;

    while (cu_list_next(&e->outer.body.disclosure.targets, &cu_id_schema, &at, &id)) TRY(open_id(o, &e->outer.kid, &id, err));
    return CU_OK;
}

static cu_status open_asked(struct opening *o, const struct cu_entry *e, struct cu_err *err)
{
    const struct cu_notice *notice = &e->outer.body.notice;
    struct cu_buf *cases = &o->to->cases;

    if (!is_party(o->to, notice->provider) || has(cases, notice->case_id.b, sizeof notice->case_id.b)) return CU_OK;
    cu_buf_add(cases, CU_SPAN_OF(notice->case_id.b));
    return cu_buf_ok(cases, err);
}

static cu_status note_opening(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct opening *o = arg;

    if (row->kind == CU_KIND_DISCLOSURE && !is_named(o->p, o->to, row->name)) return CU_OK;
    cu_buf_add(&o->found, cu_span(&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(&o->found, err);
}

static cu_status follow_openings(struct opening *o, struct cu_err *err)
{
    static const enum cu_kind kinds[] = { CU_KIND_GRANT, CU_KIND_DISCLOSURE, CU_KIND_NOTICE };
    struct cu_entry e;
    cu_seq seq;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = kinds[i], .from = { o->to->upto.v } };
        TRY(o->p->index.find(o->p->index.self, &q, note_opening, o, err));
    }
    for (size_t at = 0; at < o->found.n; at += sizeof seq.v) {
        memcpy(&seq.v, o->found.p + at, sizeof seq.v);
        TRY(entry_at(o->p, seq, &o->mem, &e, err));
        TRY((e.kind == CU_KIND_GRANT ? open_granted : e.kind == CU_KIND_NOTICE ? open_asked : open_disclosed)(o, &e, err));
    }
    return CU_OK;
}

cu_status cu_sight_follow(struct cu_place *p, struct cu_sight *io, struct cu_err *err)
{
    struct opening o = { .p = p, .to = io, .mem = cu_buf_heap(CU_ENTRY_MAX), .found = cu_buf_heap(SIZE_MAX / 4) };
    cu_size size;

    if (!io->ids.max) io->ids = cu_buf_heap(SIZE_MAX / 4), io->cases = cu_buf_heap(SIZE_MAX / 4);
    TRY(p->index.size(p->index.self, &size, err));
    if (size.v > p->log.checkpoint.size.v) size = p->log.checkpoint.size; /* the rest the next time */
    const cu_status followed = io->upto.v < size.v ? follow_openings(&o, err) : CU_OK;
    cu_buf_free(&o.mem);
    cu_buf_free(&o.found);
    TRY(followed);
    io->upto = size;
    return CU_OK;
}

/* ---- what an entry is to whom ---- */

struct related {
    struct cu_place *p;
    const struct cu_sight *sight;
    enum cu_relation nearest;
    unsigned depth;
};

static enum cu_relation relation(struct cu_place *p, const struct cu_sight *s, const struct cu_index_row *row, unsigned depth);

static cu_status take_nearest(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct related *r = arg;
    const enum cu_relation is = relation(r->p, r->sight, row, r->depth);

    (void)err;
    if (is > r->nearest) r->nearest = is;
    return CU_OK;
}

/* Of the statement that another one is about. */
static enum cu_relation relation_by_id(struct cu_place *p, const struct cu_sight *s, const cu_hash *id, unsigned depth)
{
    struct related r = { p, s, CU_FOREIGN, depth + 1 };
    char hex[65];

    cu_hash_hex(id, hex);
    const struct cu_index_query q = { .by = CU_FIND_ID_PREFIX, .text = cu_span_str(hex) };
    return depth < 3 && p->index.find(p->index.self, &q, take_nearest, &r, NULL) == CU_OK ? r.nearest : CU_FOREIGN;
}

/* A list of who read what is there for whom all of that is. */
static enum cu_relation relation_of_reads(struct cu_place *p, const struct cu_sight *s, const struct cu_index_row *row,
                                          unsigned depth)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    enum cu_relation farthest = CU_OWN;
    struct cu_details_rows rows;
    struct cu_access_row one;
    size_t at = 0;

    if (cu_rows_of(p, row, &mem, &rows, NULL) != CU_OK) return CU_FOREIGN;
    while (farthest > CU_FOREIGN && cu_list_next(&rows.rows, &cu_access_row_schema, &at, &one)) {
        const enum cu_relation is = relation_by_id(p, s, &one.id, depth);
        if (is < farthest) farthest = is;
    }
    return farthest;
}

static bool asks_him(struct cu_place *p, const struct cu_sight *s, const struct cu_index_row *row)
{
    CU_BUF mem = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_entry e;

    return entry_at(p, row->seq, &mem, &e, NULL) == CU_OK && e.kind == CU_KIND_NOTICE &&
           is_party(s, e.outer.body.notice.provider);
}

static enum cu_relation relation(struct cu_place *p, const struct cu_sight *s, const struct cu_index_row *row, unsigned depth)
{
    switch (row->kind) {
    case CU_KIND_NONE:
    case CU_KIND_GENESIS:
    case CU_KIND_BLOCK:
    case CU_KIND_CONFIRM:
    case CU_KIND_STORED:
    case CU_KIND_PROPOSE:
    case CU_KIND_APPROVE:
    case CU_KIND_MEMBER: return CU_COMMON; /* (3) */
    case CU_KIND_ACCESS: return relation_of_reads(p, s, row, depth);
    case CU_KIND_CLAIM:
    case CU_KIND_CASE:
    case CU_KIND_DEPOSIT:
    case CU_KIND_REFUSAL:
    case CU_KIND_VOID:
    case CU_KIND_INCIDENT:
    case CU_KIND_CORRECTION:
    case CU_KIND_INVENTORY:
    case CU_KIND_DISCLOSURE:
    case CU_KIND_GRANT:
    case CU_KIND_TIMEOUT:
    case CU_KIND_NOTICE:
    case CU_KIND_ACKNOWLEDGE:
    case CU_KIND_ANSWER: break;
    }
    if (owns(p, s->organisation, row) || signed_by(p, s->party, &row->kid)) return CU_OWN;
    if (row->kind == CU_KIND_CASE) return has(&s->cases, row->case_id.b, sizeof row->case_id.b) ? CU_OPENED : CU_FOREIGN;
    if (row->kind == CU_KIND_NOTICE) return asks_him(p, s, row) ? CU_OPENED : CU_FOREIGN;
    if (row->kind == CU_KIND_DISCLOSURE) return is_named(p, s, row->name) ? CU_OPENED : CU_FOREIGN;
    if (has(&s->ids, row->id.b, sizeof row->id.b)) return CU_OPENED;
    return row->has_ref ? relation_by_id(p, s, &row->ref, depth) : CU_FOREIGN;
}

enum cu_relation cu_relation_of(struct cu_place *p, const struct cu_sight *sight, const struct cu_index_row *row)
{
    return relation(p, sight, row, 0);
}

bool cu_place_sees(struct cu_place *p, const struct cu_index_row *row)
{
    return !p->sight || cu_may_see(p->sight->scope, cu_relation_of(p, p->sight, row));
}
