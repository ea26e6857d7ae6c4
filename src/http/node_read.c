/* What is asked of the node: the service's own answers, as the command line gives them, with --json. */
#include "http/node_inside.h"

#include "custody/text.h"

#include <stdio.h>

static cu_status finish(struct cu_http_answer *a, struct cu_err *err)
{
    cu_buf_add_str(&a->body, "\n");
    return cu_buf_ok(&a->body, err);
}

static cu_status height_of(struct cu_place *p, uint64_t seq, uint64_t *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_span bytes;
    struct cu_entry block;

    TRY(cu_lookup_seq(p, (cu_seq){ seq }, &found, err));
    TRY(cu_log_entry(&p->log, found.row.block, &bytes, err));
    TRY(cu_entry_read(bytes, &block, err));
    *ret = block.kind == CU_KIND_BLOCK ? block.outer.body.block.height : 0;
    return CU_OK;
}

static const char *standing_of(const struct cu_member_party *party)
{
    return party->left ? "left" : party->confirmed ? "member" : party->later ? "newcomer" : "unconfirmed";
}

static cu_status tell_member(struct cu_reader *r, const struct cu_member_party *party, struct cu_json *j, struct cu_err *err)
{
    CU_BUF name = cu_buf_heap(CU_DETAILS_MAX);
    uint64_t height;

    cu_node_name(r->node, party->id, &name);
    cu_json_open(j, NULL, '{');
    cu_json_uint(j, "party", party->id);
    cu_json_text(j, "name", cu_buf_span(&name));
    cu_json_str(j, "standing", standing_of(party));
    if (party->left) {
        TRY(height_of(&r->place, party->left - 1, &height, err));
        cu_json_uint(j, "left_height", height);
    }
    cu_json_close(j, '}');
    return CU_OK;
}

/* The list is the last of all: who reads flat objects alone has had everything else by then. */
static cu_status tell_members(struct cu_reader *r, struct cu_json *j, struct cu_err *err)
{
    const struct cu_members *m = &r->place.members;
    const struct cu_member_party *own = cu_members_party(m, r->node->party);
    uint64_t height;

    if (r->place.genesis.outer.body.genesis.engine != CU_ENGINE_COMETBFT) return CU_OK;
    cu_json_bool(j, "member", own && own->confirmed && !own->left);
    if (own && own->left) {
        TRY(height_of(&r->place, own->left - 1, &height, err));
        cu_json_uint(j, "left_height", height);
    }
    cu_json_open(j, "members", '[');
    for (size_t i = 0; i < m->parties_n; i++)
        if (m->party[i].role == CU_ROLE_ORGANISATION && (!m->party[i].later || m->party[i].joined))
            TRY(tell_member(r, &m->party[i], j, err));
    cu_json_close(j, ']');
    return CU_OK;
}

cu_status cu_get_status(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_json j = cu_json_on(&a->body);
    CU_BUF name = cu_buf_heap(CU_DETAILS_MAX);
    char where[100];

    (void)q;
    cu_node_name(r->node, r->node->party, &name);
    TRY(cu_reader_refresh(r, true, err));
    snprintf(where, sizeof where, "%s://%s:%u", r->node->config.tls ? "https" : "http", r->node->config.address,
             cu_http_port(r->node->server));
    cu_json_open(&j, NULL, '{');
    TRY(cu_tell_standing_in(&r->place, where, &j, err));
    cu_json_text(&j, "organisation", cu_buf_span(&name));
    cu_json_uint(&j, "misbehaviour", r->node->misbehaviour);
    cu_cosigning_tell(r->node, &j);
    cu_json_uint(&j, "enrolments_waiting", cu_node_waiting(r));
    cu_pull_tell(r->node, &j);
    TRY(tell_members(r, &j, err));
    cu_json_close(&j, '}');
    return finish(a, err);
}

/* ---- one entry ---- */

cu_status cu_get_entry(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_span entry;

    TRY(cu_reader_begin(r, q, err));
    TRY(cu_reader_find(r, q, &found, err));
    TRY(cu_log_entry(&r->place.log, found.row.seq, &entry, err));
    a->cache = CU_HTTP_BRIEFLY;
    cu_buf_add(&a->body, entry);
    return cu_buf_ok(&a->body, err);
}

static bool is_by(const struct cu_reader *r, const struct cu_http_request *q, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&r->place.members, kid);

    return q->peer.party && key && key->party == q->peer.party;
}

/* Content of 32 KiB or less is handed out with a record or receipt: a reading as any other, but for the receipt of whoever gave or accepted it. */
static cu_status hands_out(struct cu_reader *r, const struct cu_http_request *q, const struct cu_index_row *row, bool receipt,
                           bool *ret, struct cu_err *err)
{
    struct cu_span bytes;
    struct cu_entry e;

    *ret = false;
    if (q->head || row->kind != CU_KIND_DEPOSIT) return CU_OK;
    TRY(cu_log_entry(&r->place.log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    const uint64_t size = e.inner.body.claim.size;
    *ret = size > 0 && size <= CU_CONTENT_INLINE_MAX && !(receipt && (is_by(r, q, &e.inner.kid) || is_by(r, q, &e.outer.kid)));
    return CU_OK;
}

cu_status cu_get_record(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_span without;
    bool reads;
    const bool content = !cu_query_find(q->query, "without", &without);

    ENSURE(content || cu_span_is(without, "content"), err, CU_USAGE, "?without= is content: nothing else is left out");
    TRY(cu_reader_begin(r, q, err));
    TRY(cu_reader_find(r, q, &found, err));
    a->cache = CU_HTTP_BRIEFLY;
    TRY(cu_place_record(&r->place, found.row.seq, content, &a->body, err));
    TRY(hands_out(r, q, &found.row, false, &reads, err));
    return cu_reader_note(r, q, content && reads ? &found.row.id : NULL, false, err);
}

cu_status cu_get_show(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_json j = cu_json_on(&a->body);

    TRY(cu_reader_begin(r, q, err));
    TRY(cu_reader_find(r, q, &found, err));
    TRY(cu_tell_entry(&r->place, &found.row, &j, err));
    return finish(a, err);
}

cu_status cu_get_receipt(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    CU_BUF exhibit = cu_buf_heap(4096);
    bool reads;

    TRY(cu_reader_begin(r, q, err));
    TRY(cu_reader_find(r, q, &found, err));
    if (found.row.kind == CU_KIND_DEPOSIT) TRY(cu_exhibit_name(&r->place, &found.row, &exhibit, err));
    TRY(cu_receipt_of(&r->place, found.row.seq, &a->body, err));
    cu_receipt_name(exhibit.n ? (const char *)exhibit.p : "", &found.row.id, a->file);
    for (char *c = a->file; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\') *c = '-'; /* a header has no other letters */
    TRY(hands_out(r, q, &found.row, true, &reads, err));
    return cu_reader_note(r, q, reads ? &found.row.id : NULL, false, err);
}

/* ---- lists, a page at a time ---- */

struct list {
    struct cu_reader *r;
    struct cu_json j;
    uint64_t after, left, next;
    bool has_after, more;
    cu_status (*put)(struct list *l, const struct cu_index_row *row, struct cu_err *err);
};

static cu_status put_row(void *list, const struct cu_index_row *row, struct cu_err *err)
{
    struct list *l = list;

    if ((l->has_after && row->seq.v <= l->after) || !cu_place_sees(&l->r->place, row)) return CU_OK;
    if (l->left == 0) return l->more = true, CU_INTERRUPTED; /* the walk ends */
    l->left--;
    l->next = row->seq.v;
    return l->put(l, row, err);
}

static cu_status number_of(const struct cu_http_request *q, const char *name, uint64_t max, uint64_t *ret, bool *ret_there,
                           struct cu_err *err)
{
    struct cu_span text;

    *ret_there = cu_query_find(q->query, name, &text);
    if (!*ret_there) return CU_OK;
    ENSURE(cu_decimal_read(text, max, ret, NULL) == CU_OK, err, CU_USAGE, "?%s= is a decimal number, %llu at most", name,
           LLU(max));
    return CU_OK;
}

static cu_status begin_list(struct list *l, const struct cu_http_request *q, const char *key, struct cu_err *err)
{
    bool there;

    l->left = CU_HTTP_PAGE;
    TRY(number_of(q, "limit", CU_HTTP_PAGE, &l->left, &there, err));
    TRY(number_of(q, "after", INT64_MAX, &l->after, &l->has_after, err));
    cu_json_open(&l->j, NULL, '{');
    cu_json_open(&l->j, key, '[');
    return CU_OK;
}

/* "next" is what ?after= takes for the page behind this one. */
static cu_status end_list(struct list *l, cu_status walked, struct cu_http_answer *a, struct cu_err *err)
{
    if (walked != CU_INTERRUPTED || !l->more) TRY(walked);
    cu_json_close(&l->j, ']');
    if (l->more) cu_json_uint(&l->j, "next", l->next);
    else cu_json_str(&l->j, "next", NULL);
    cu_json_close(&l->j, '}');
    return finish(a, err);
}

/* The walk begins where the page does: what lies before is not read. */
static cu_seq begins_at(const struct list *l) { return (cu_seq){ l->has_after ? l->after + 1 : 0 }; }

static cu_status find_all(struct list *l, const struct cu_index_query *by, struct cu_err *err)
{
    struct cu_index *index = &l->r->place.index;
    struct cu_index_query q = *by;

    q.from = begins_at(l);
    return index->find(index->self, &q, put_row, l, err);
}

static cu_status put_case(struct list *l, const struct cu_index_row *row, struct cu_err *err)
{
    cu_tell_case(&l->r->place, row, &l->j);
    return cu_buf_ok(l->j.out, err);
}

static cu_status put_exhibit(struct list *l, const struct cu_index_row *row, struct cu_err *err)
{
    return row->kind == CU_KIND_DEPOSIT ? cu_tell_exhibit(&l->r->place, row, &l->j, err) : CU_OK;
}

static cu_status put_step(struct list *l, const struct cu_index_row *row, struct cu_err *err)
{
    CU_BUF exhibit = cu_buf_heap(4096);

    TRY(cu_exhibit_of(&l->r->place, row, &exhibit, err));
    cu_trail_json(&l->r->place, row, (const char *)exhibit.p, &l->j);
    return cu_buf_ok(l->j.out, err);
}

cu_status cu_get_cases(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct list l = { .r = context, .j = cu_json_on(&a->body), .put = put_case };
    const struct cu_index_query cases = { .by = CU_FIND_KIND, .kind = CU_KIND_CASE };

    TRY(cu_reader_begin(l.r, q, err));
    TRY(begin_list(&l, q, "cases", err));
    return end_list(&l, find_all(&l, &cases, err), a, err);
}

cu_status cu_get_case(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct list l = { .r = context, .j = cu_json_on(&a->body), .put = put_exhibit };
    struct cu_index_query exhibits = { .by = CU_FIND_CASE, .kind = CU_KIND_DEPOSIT };
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_reader_begin(l.r, q, err));
    TRY(cu_reader_find_case(l.r, q, &found, err));
    exhibits.case_id = found.row.case_id;
    TRY(begin_list(&l, q, "exhibits", err));
    return end_list(&l, find_all(&l, &exhibits, err), a, err);
}

cu_status cu_get_trail(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct list l = { .r = context, .j = cu_json_on(&a->body), .put = put_step };
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_trail of;

    TRY(cu_reader_begin(l.r, q, err));
    if (q->arg[0].n) {
        TRY(cu_reader_find(l.r, q, &found, err));
        of = cu_trail_one(&found.row);
    }
    TRY(begin_list(&l, q, "trail", err));
    return end_list(&l, cu_trail_each(&l.r->place, q->arg[0].n ? &of : NULL, begins_at(&l), put_row, &l, err), a, err);
}

/* ---- searching ---- */

/* One thing of that name, or all whose id begins so, or that bear the label, or have the digest, or a case. */
static cu_status look_for(struct list *l, struct cu_span what, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const struct cu_index_query by_id = { .by = CU_FIND_ID_PREFIX, .text = what },
                                by_label = { .by = CU_FIND_LABEL, .text = what };
    struct cu_index_query by_sum = { .by = CU_FIND_SHA256 };
    const uint64_t before = l->left;

    if (what.n == 64 && cu_hex_read(what, by_sum.hash.b, sizeof by_sum.hash.b, NULL) == CU_OK) TRY(find_all(l, &by_sum, err));
    if (l->left != before) return CU_OK;
    const cu_status looked = cu_lookup(&l->r->place, what, &found, NULL);
    if (looked == CU_OK) return put_row(l, &found.row, err);
    if (looked == CU_AMBIGUOUS) TRY(find_all(l, &by_label, err));
    if (looked == CU_AMBIGUOUS && l->left == before) TRY(find_all(l, &by_id, err));
    if (l->left != before || cu_lookup_case(&l->r->place, what, &found, NULL) != CU_OK) return CU_OK;
    return put_row(l, &found.row, err);
}

cu_status cu_get_find(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct list l = { .r = context, .j = cu_json_on(&a->body), .put = put_step };
    CU_BUF what = cu_buf_heap(CU_TARGET_MAX);
    bool there;

    TRY(cu_http_query(q, "q", &what, &there, err));
    ENSURE(there && what.n > 0, err, CU_USAGE,
           "?q= says what is looked for: an exhibit, an id's first digits, a digest, a label or a case");
    TRY(cu_reader_begin(l.r, q, err));
    TRY(begin_list(&l, q, "found", err));
    return end_list(&l, look_for(&l, cu_buf_span(&what), err), a, err);
}
