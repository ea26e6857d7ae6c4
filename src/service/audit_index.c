/* The search index: derived, and yet when it differs from what log and stores lead to, somebody should know.
 *
 * Its rows of the log must be those that the replayed entries lead to: both are summed up, and nothing is made anew. Its hints of
 * objects are tried on every use, and need be neither true nor complete: where they do not help the stores' own files answer.
 */
#include "service/audit.h"

#include "content/crew.h"

#include <stdlib.h>

static void add(struct cu_row_sum *sum, struct cu_span row)
{
    const cu_hash digest = cu_sha256(row);

    for (unsigned i = 0; i < 4; i++) sum->v[i] += cu_be64(digest.b + 8 * i);
    sum->n++;
}

/* What people wrote, in eight bytes, that are never zero. */
static uint64_t names_of(const struct cu_index_row *row)
{
    const struct cu_span *text[] = { &row->name, &row->label, &row->note };
    uint8_t head[4 * 8] = { row->has_sha256 };

    for (unsigned i = 0; i < 3; i++) cu_put_be64(head + 8 + 8 * i, text[i]->n);
    const cu_hash digest = cu_sha256_parts(
        (struct cu_span[]){ CU_SPAN_OF(head), *text[0], *text[1], *text[2], cu_span_hash(&row->sha256) }, 5);
    return cu_be64(digest.b) | 1;
}

uint64_t cu_audit_names_of(enum cu_object_kind kind, struct cu_span bytes)
{
    struct cu_index_row row = { .kind = CU_KIND_NONE };

    if (kind == CU_OBJECT_DETAILS) cu_index_names(bytes, &row);
    return kind == CU_OBJECT_DETAILS ? names_of(&row) : 0;
}

static void add_entry(struct cu_row_sum *sum, const struct cu_index_row *row, uint64_t names)
{
    const uint64_t number[] = { row->seq.v, row->kind,    row->has_case, row->number,  row->serial,     row->content,
                                row->size,  row->has_ref, row->time.v,   row->block.v, row->recorded.v, names };
    const cu_hash *hash[] = { &row->id, &row->leaf, &row->kid, &row->root, &row->ref };
    uint8_t bytes[sizeof number + sizeof row->case_id + 5 * sizeof(cu_hash)];
    uint8_t *at = bytes;

    for (size_t i = 0; i < sizeof number / sizeof *number; i++, at += 8) cu_put_be64(at, number[i]);
    for (size_t i = 0; i < 5; i++, at += sizeof(cu_hash)) memcpy(at, hash[i]->b, sizeof(cu_hash));
    memcpy(at, row->case_id.b, sizeof row->case_id);
    add(sum, CU_SPAN_OF(bytes));
}

static void add_stored(struct cu_row_sum *sum, const struct cu_index_stored *s)
{
    const uint64_t number[] = { s->seq.v, s->party, s->first.v, s->last.v };
    uint8_t bytes[sizeof number];

    for (size_t i = 0; i < 4; i++) cu_put_be64(bytes + 8 * i, number[i]);
    add(sum, CU_SPAN_OF(bytes));
}

/* ---- what the log leads to ---- */
cu_status cu_audit_index_begin(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_index *have = &a->p->index;

    (void)err;
    a->indexed.v = 0;
    if (!a->r->index || !have->self || a->r->index_where) return CU_OK;
    if (have->size(have->self, &a->indexed, NULL) != CU_OK) a->index_bad = true;
    if (a->indexed.v <= a->checkpoint.size.v) return CU_OK;
    a->index_bad = a->indexed.v > a->acknowledged.v; /* it follows what is acknowledged, and may be ahead of what is drained */
    a->indexed = a->checkpoint.size;
    return CU_OK;
}

/* Details that were read with the stores are known; others are read now, from whichever copy has them. */
static cu_status names_known(struct cu_audit *a, const struct cu_entry *e, uint64_t *ret, struct cu_err *err)
{
    const cu_hash *commitment = cu_entry_commitment(e);
    const struct cu_census_row *known = commitment ? cu_census_find(&a->census, CU_OBJECT_DETAILS, commitment) : NULL;
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_index_row row = { .kind = CU_KIND_NONE };

    if (!known || !known->about) TRY(cu_index_names_of(a->p, e, &mem, &row, err));
    *ret = known && known->about ? known->about : names_of(&row);
    return CU_OK;
}

static cu_status number_of(struct cu_audit *a, const struct cu_index_row *row, uint64_t *ret, struct cu_err *err)
{
    struct cu_recorded recorded = { .exhibit = 0 };

    if (row->kind == CU_KIND_CASE) recorded.exhibit = ++a->cases;
    if (row->kind == CU_KIND_DEPOSIT) TRY(cu_ledger_statement(a->replay, &row->id, &recorded, err));
    *ret = recorded.exhibit;
    return CU_OK;
}

cu_status cu_audit_index_entry(struct cu_audit *a, const struct cu_entry *e, cu_seq seq, const struct cu_dated *block,
                               struct cu_err *err)
{
    struct cu_index_row row = { .seq = seq, .block = block->seq, .recorded = block->closed };
    struct cu_index_stored stored;
    uint64_t names = 0;
    size_t at = 0;

    if (seq.v >= a->indexed.v) return CU_OK;
    cu_index_row_of(e, &row);
    TRY(number_of(a, &row, &row.number, err));
    if (cu_audit_saw(a, names_known(a, e, &names, NULL)) != CU_OK) a->index_bad = true;
    add_entry(&a->due, &row, names);
    while (e->kind == CU_KIND_STORED && cu_index_next_stored(e, seq, cu_ledger_members(a->replay), &at, &stored))
        add_stored(&a->due, &stored);
    return CU_OK;
}

/* ---- what the index says ---- */
struct cu_index_reader {
    struct cu_audit *a;
    struct cu_row_sum said;
    cu_status status;
    struct cu_crew *crew;
};

static cu_status said_entry(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_index_reader *s = arg;
    (void)err;

    if (row->seq.v < s->a->indexed.v) add_entry(&s->said, row, names_of(row));
    return CU_OK;
}

static cu_status said_stored(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    struct cu_index_reader *s = arg;
    (void)err;

    if (stored->seq.v < s->a->indexed.v) add_stored(&s->said, stored);
    return CU_OK;
}

static cu_status read_index(void *reader, size_t slot, struct cu_err *err)
{
    struct cu_index_reader *s = reader;
    const struct cu_index *have = &s->a->p->index;
    const struct cu_index_query all = { .by = CU_FIND_ALL };

    (void)slot, (void)err;
    s->status = have->find(have->self, &all, said_entry, s, NULL);
    if (s->status == CU_OK) s->status = have->each_stored(have->self, said_stored, s, NULL);
    return CU_OK; /* what it found is for whoever waits */
}

cu_status cu_audit_index_read(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_lane lane = { .work = read_index, .arg = a->reader = calloc(1, sizeof *a->reader) };
    size_t slot;

    ENSURE(a->reader, err, CU_NO_MEMORY, "out of memory while the search index is read");
    a->reader->a = a;
    if (a->indexed.v == 0 || a->r->lanes < 2 || a->r->repair) return CU_OK;
    TRY(cu_crew_new(&lane, 1, 1, true, &a->reader->crew, err));
    TRY(cu_crew_claim(a->reader->crew, &slot, err));
    cu_crew_submit(a->reader->crew);
    return CU_OK;
}

void cu_audit_index_free(struct cu_audit *a)
{
    if (a->reader) cu_crew_free(a->reader->crew);
    free(a->reader);
}

/* Nothing in it: whoever writes next makes it. */
static cu_status index_differs(struct cu_audit *a, bool *ret, struct cu_err *err)
{
    struct cu_index_reader *s = a->reader;

    *ret = false;
    if (a->indexed.v == 0) return CU_OK;
    TRY(s->crew ? cu_crew_wait(s->crew, ~0u, 1, err) : read_index(s, 0, err));
    *ret = memcmp(&s->said, &a->due, sizeof s->said) != 0;
    return s->status;
}

/* A fault that the app found in the index' file, or a content that is not what it should be. */
cu_status cu_audit_index(struct cu_audit *a, struct cu_err *err)
{
    const bool judged = a->r->index && a->p->index.self && !a->log_bad[CU_LOG_NODE] && !a->log_broken && !a->stores_bad;
    const char *where = a->r->index_where ? a->r->index_where : CU_FILE_INDEX;
    const char *what = a->r->index_where ? a->r->index_what : "the search index is not what the log leads to";
    bool differs = a->r->index_where != NULL, mended = false;

    if (!differs && judged && (a->index_bad || cu_audit_saw(a, index_differs(a, &differs, NULL)) != CU_OK)) differs = true;
    if (!differs) return CU_OK;
    if (a->r->repair) {
        TRY(cu_audit_note(a, "damaged", where, NULL, err));
        TRY(a->r->renew_index(a->r->arg, err));
        mended = true;
    }
    cu_audit_report(a, "damaged", where, NULL, mended, "%s (it is derived: nothing of the evidence depends on it)", what);
    return CU_OK;
}
