/* What is read, and what the depositor says of it. */
#include "service/deposit.h"
#include "service/form.h"

void cu_work_free(struct cu_work *w)
{
    cu_ingested_free(&w->in);
    cu_buf_free(&w->claim_file);
    cu_buf_free(&w->record);
}

static cu_status match_item(void *arg, const struct cu_item *item, const struct cu_digest_value *digests, size_t n,
                            struct cu_err *err)
{
    if (item->type == CU_ITEM_HARDLINK) return cu_expect_link(arg, item->path, item->target, err);
    return item->type == CU_ITEM_FILE ? cu_expect_match(arg, item->path, digests, n, err) : CU_OK;
}

static struct cu_span base_name(const char *path)
{
    size_t n = strlen(path), from;

    if (strcmp(path, "-") == 0) return cu_span_str("standard input");
    while (n > 1 && path[n - 1] == '/') n--;
    for (from = n; from > 0 && path[from - 1] != '/'; from--) continue;
    return n == from ? cu_span(path, n) : cu_span(path + from, n - from);
}

static cu_status as_expected(const struct cu_expect *expect, const struct cu_work *w, struct cu_err *err)
{
    if (w->in.type == CU_CONTENT_ITEM) TRY(cu_expect_match(expect, base_name(w->path), w->in.digest, w->in.digests_n, err));
    return cu_expect_done(expect, err);
}

cu_status cu_work_read(struct cu_place *p, const struct cu_deposit_request *r, const struct cu_ingest *how, struct cu_work *w,
                       struct cu_err *err)
{
    struct cu_ingest ingest = *how;

    ingest.source = &p->source;
    ingest.digests = r->digests;
    ingest.progress = p->progress;
    if (r->seal) ingest.to = r->seal->to, ingest.to_n = r->seal->n;
    if (r->seal && r->seal->second) ingest.second = r->seal->second->to, ingest.second_n = r->seal->second->n;
    if (r->expect) {
        ingest.digests |= cu_expect_algs(r->expect);
        ingest.item = match_item;
        ingest.item_arg = r->expect;
    }
    struct cu_err why = { 0 };
    cu_status read = cu_ingest_path(&ingest, w->path, &w->in, &why);
    if (read == CU_OK && r->expect) {
        read = as_expected(r->expect, w, &why);
        if (read != CU_OK) cu_ingested_free(&w->in);
    }
    return read == CU_OK ? CU_OK
                         : cu_fail(err, read, "%s%s", why.text,
                                   strstr(why.text, "nothing") ? "" : "; of this path nothing was signed or recorded");
}

cu_status cu_work_form(const struct cu_deposit_request *r, const struct cu_work *w, struct cu_buf *ret, struct cu_err *err)
{
    return cu_form_write(r, base_name(w->path), &w->in, ret, err);
}

cu_status cu_work_sign(struct cu_place *p, const struct cu_deposit_request *r, const cu_case_id *case_id, uint64_t serial,
                       struct cu_work *w, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_DETAILS_MAX), sealed = cu_buf_heap(CU_DETAILS_MAX), record = cu_buf_heap(CU_RECORD_MAX);
    const struct cu_buf *said_of_it = &details;
    struct cu_claim claim = { .serial = serial,
                              .case_id = *case_id,
                              .content = w->in.type,
                              .size = w->in.size,
                              .root = w->in.root,
                              .folder = w->in.folder,
                              .has_folder = w->in.type == CU_CONTENT_FOLDER };
    struct cu_claim_file parts = { 0 };
    struct cu_record said;

    TRY(cu_work_form(r, w, &details, err));
    if (r->seal) {
        claim.sealed = r->seal->list;
        claim.has_sealed = true;
        claim.has_second = r->seal->second != NULL;
        if (claim.has_second) claim.second = r->seal->second->list;
        TRY(cu_seal_details(r->seal, cu_buf_span(&details), &sealed, err));
        said_of_it = &sealed;
    }
    if (r->notice) claim.has_notice = true, claim.notice = r->notice->id;
    TRY(cu_say_raw(p, CU_KIND_CLAIM, &claim, cu_claims_by(p, r), cu_buf_span(said_of_it), &record, err));
    TRY(cu_record_read(cu_buf_span(&record), &said, err));
    parts.claim = said.entry;
    parts.salt = said.salt;
    parts.details = said.details;
    w->claim_file = cu_buf_heap(CU_RECORD_MAX);
    TRY(cu_schema_write(&cu_claim_file_schema, &parts, &w->claim_file, err));
    return cu_schema_read(&cu_claim_file_schema, cu_buf_span(&w->claim_file), &w->parts, err);
}

cu_status cu_claim_read(const struct cu_claim_file *parts, struct cu_statement *ret, struct cu_err *err)
{
    TRY(cu_statement_read(parts->claim, ret, err));
    ENSURE(ret->kind == CU_KIND_CLAIM, err, CU_WRONG_KIND, "this is no claim file: it holds a statement of another kind");
    return CU_OK;
}

cu_status cu_work_case(struct cu_place *p, const struct cu_deposit_request *r, cu_case_id *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    if (r->notice) return *ret = r->notice->said.case_id, CU_OK;
    TRY(cu_lookup_case(p, r->case_name.n ? r->case_name : cu_span_str(CU_CASE_UNFILED), &found, err));
    *ret = found.row.case_id;
    return CU_OK;
}

cu_status cu_work_is(const struct cu_work *w, const struct cu_claim *claim, struct cu_err *err)
{
    const struct cu_ingested *in = &w->in;
    const bool same = claim->content == (uint64_t)in->type && claim->size == in->size && cu_hash_eq(&claim->root, &in->root);

    ENSURE(same, err, CU_BAD_HASH,
           "these are not the bytes that the claim was signed for (%llu bytes claimed, %llu here): nothing was recorded",
           LLU(claim->size), LLU(in->size));
    return CU_OK;
}

/* ---- claims to be sent later ---- */
static cu_status sign_alone(struct cu_place *p, const struct cu_deposit_request *r, const cu_case_id *case_id, struct cu_work *w,
                            struct cu_err *err)
{
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };

    TRY(cu_outbox_open_of(p, cu_claims_by(p, r), &box, err));
    TRY(cu_work_sign(p, r, case_id, ++box.highest, w, err));
    return cu_outbox_keep(&box, err);
}

cu_status cu_claim_make(struct cu_place *p, const struct cu_deposit_request *r, const char *path, struct cu_buf *ret_file,
                        struct cu_err *err)
{
    CU_CLEANUP(cu_work_free) struct cu_work w = { .path = path };
    cu_case_id case_id;

    TRY(cu_need_key(p, cu_claims_by(p, r), err));
    TRY(cu_form_check(p, r, err));
    TRY(cu_work_case(p, r, &case_id, err));
    TRY(cu_work_read(p, r, &(struct cu_ingest){ .put = NULL }, &w, err));
    TRY(sign_alone(p, r, &case_id, &w, err));
    w.parts.path = cu_span_str(path);
    return cu_schema_write(&cu_claim_file_schema, &w.parts, ret_file, err);
}
