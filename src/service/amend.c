/* Statements that stand alone: a case, a correction, a voided serial number, an inventory. Nothing is edited: each points back. */
#include "service/outbox.h"

#include <stdio.h>
#include <stdlib.h>

cu_status cu_case_open(struct cu_place *p, const struct cu_case_request *r, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    CU_BUF name = cu_buf_heap(4096);
    struct cu_details_case details = {
        .number = r->number, .cause = r->cause, .has_number = r->number.n > 0, .has_cause = r->cause.n > 0
    };
    struct cu_case body = { 0 };
    const struct cu_saying say = { CU_KIND_CASE, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_CASE, &details };

    TRY(cu_case_name_normal(r->name, &name, err));
    details.name = cu_buf_span(&name);
    ENSURE(cu_lookup_case(p, details.name, &found, NULL) != CU_OK, err, CU_CASE_EXISTS, "the case \"%.*s\" is open already",
           (int)found.row.name.n, (const char *)found.row.name.p);
    TRY(p->random.fill(p->random.self, body.case_id.b, sizeof body.case_id.b, err));
    return cu_say_and_record(p, &say, ret, err);
}

cu_status cu_correct(struct cu_place *p, struct cu_span name, struct cu_span text, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const struct cu_details_text details = { .text = text };
    struct cu_correction body = { 0 };
    const struct cu_saying say = { CU_KIND_CORRECTION, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_CORRECTION, &details };

    TRY(cu_lookup(p, name, &found, err));
    body.target = found.row.id;
    return cu_say_and_record(p, &say, ret, err);
}

/* ---- given to a member ---- */

static cu_status take_exhibit(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    cu_buf_add(arg, cu_span_hash(&row->id));
    return cu_buf_ok(arg, err);
}

static cu_status add_named(struct cu_place *p, struct cu_span name, struct cu_buf *ids, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_index_query q = { .by = CU_FIND_CASE, .kind = CU_KIND_DEPOSIT };
    const size_t before = ids->n;

    const cu_status exhibit = cu_lookup(p, name, &found, err);
    if (exhibit == CU_OK && found.row.kind == CU_KIND_DEPOSIT) return take_exhibit(ids, &found.row, err);
    if (exhibit != CU_OK && (exhibit != CU_NOT_FOUND || cu_lookup_case(p, name, &found, NULL) != CU_OK)) return exhibit;
    ENSURE(found.row.has_case, err, CU_USAGE, "%.*s: neither an exhibit nor a case; nothing was recorded", (int)name.n,
           (const char *)name.p);
    q.case_id = found.row.case_id;
    TRY(p->index.find(p->index.self, &q, take_exhibit, ids, err));
    ENSURE(ids->n > before, err, CU_NOT_FOUND, "%.*s: the case has no exhibits yet; nothing was recorded", (int)name.n,
           (const char *)name.p);
    return CU_OK;
}

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

/* Ascending, each once. */
static void sort_ids(struct cu_buf *ids)
{
    size_t n = 0;

    if (ids->n) qsort(ids->p, ids->n / sizeof(cu_hash), sizeof(cu_hash), by_hash);
    for (size_t at = 0; at < ids->n; at += sizeof(cu_hash))
        if (n == 0 || memcmp(ids->p + n - sizeof(cu_hash), ids->p + at, sizeof(cu_hash)) != 0)
            memmove(ids->p + n, ids->p + at, sizeof(cu_hash)), n += sizeof(cu_hash);
    ids->n = n;
}

static cu_status disclose_some(struct cu_place *p, const struct cu_disclose_request *r, const uint8_t *ids, size_t n,
                               struct cu_outcome *ret, struct cu_err *err)
{
    CU_BUF targets = cu_buf_heap(CU_ENTRY_MAX);
    char scope[64];
    struct cu_disclosure body = { .targets = { .n = n } };
    struct cu_details_disclosure details = { .recipient = r->recipient,
                                             .has_recipient = true,
                                             .purpose = r->purpose,
                                             .has_purpose = r->purpose.n > 0,
                                             .authority = r->authority,
                                             .has_authority = r->authority.n > 0 };
    const struct cu_saying say = { CU_KIND_DISCLOSURE, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_DISCLOSURE, &details };

    for (size_t i = 0; i < n; i++) cu_cbor_put_bytes(&targets, cu_span(ids + i * sizeof(cu_hash), sizeof(cu_hash)));
    TRY(cu_buf_ok(&targets, err));
    body.targets.bytes = cu_buf_span(&targets);
    snprintf(scope, sizeof scope, "%zu exhibit%s, to be read at a node", n, n == 1 ? "" : "s");
    details.scope = cu_span_str(scope);
    return cu_say_and_record(p, &say, ret, err);
}

static bool is_party(const struct cu_place *p, struct cu_span name)
{
    for (uint64_t id = 1; id <= p->members.parties_n; id++)
        if (cu_span_eq(name, cu_party_named(p, id))) return true;
    return false;
}

cu_status cu_disclose(struct cu_place *p, const struct cu_disclose_request *r, struct cu_outcome *ret, uint64_t *ret_n,
                      struct cu_err *err)
{
    CU_BUF ids = cu_buf_heap(SIZE_MAX / 4);

    ENSURE(r->recipient.n && is_party(p, r->recipient), err, CU_NOT_FOUND,
           "nobody in this ledger is called \"%.*s\": nothing was recorded; `custody member ls` lists them, and `custody export` "
           "is for "
           "who is not among them",
           (int)r->recipient.n, (const char *)r->recipient.p);
    for (size_t i = 0; i < r->n; i++) TRY(add_named(p, cu_span_str(r->names[i]), &ids, err));
    sort_ids(&ids);
    const size_t n = ids.n / sizeof(cu_hash);
    for (size_t i = 0; i < n; i += CU_DISCLOSED_MAX)
        TRY(disclose_some(p, r, ids.p + i * sizeof(cu_hash), n - i < CU_DISCLOSED_MAX ? n - i : CU_DISCLOSED_MAX, ret, err));
    *ret_n = n;
    return CU_OK;
}

cu_status cu_void_serial(struct cu_place *p, uint64_t serial, const cu_hash *claim, struct cu_span text, struct cu_outcome *ret,
                         struct cu_err *err)
{
    const struct cu_details_text details = { .text = text };
    struct cu_void body = { .serial = serial, .reason = claim ? CU_REASON_MISTAKE : CU_REASON_LOST, .has_claim = claim != NULL };
    const struct cu_saying say = { CU_KIND_VOID, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_VOID, &details };

    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };

    TRY(cu_need_key(p, CU_SIGNER_DEPOSITOR, err));
    TRY(cu_outbox_open(p, &box, err));
    ENSURE(serial <= box.highest, err, CU_USAGE, "number %llu was never signed here (the highest is %llu): nothing was voided",
           (unsigned long long)serial, (unsigned long long)box.highest);
    cu_outbox_close(&box);
    if (claim) body.claim = *claim;
    TRY(cu_say_and_record(p, &say, ret, err));
    if (!p->remote.ops) return CU_OK;
    TRY(cu_outbox_open(p, &box, err)); /* what was on its way under that number goes there no more */
    return cu_outbox_give_up(&box, serial, err);
}

struct asked {
    struct cu_ledger *ledger;
    struct cu_inventory *io;
    struct cu_buf *mem;
};

static cu_status look_inventory(void *arg, struct cu_err *err)
{
    const struct asked *a = arg;

    return cu_ledger_inventory(a->ledger, a->io, a->mem, err);
}

cu_status cu_inventory_ask(struct cu_place *p, struct cu_span case_name, struct cu_inventory *ret, struct cu_buf *mem,
                           struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_lookup_case(p, case_name, &found, err));
    *ret = (struct cu_inventory){ .case_id = found.row.case_id, .has_case = true };
    return cu_ask(p, look_inventory, &(struct asked){ p->ledger, ret, mem }, err);
}

/* The node says it, for only it has the ledger's state; what it recorded is read from its log. */
static cu_status inventory_afar(struct cu_place *p, struct cu_span case_name, struct cu_inventory *ret, struct cu_buf *mem,
                                struct cu_outcome *ret_outcome, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 }, made = { 0 };
    struct cu_outcome outcome = { .status = CU_OK };
    struct cu_span bytes;
    struct cu_entry e;

    TRY(cu_lookup_case(p, case_name, &found, err));
    TRY(p->remote.ops->inventory(p->remote.self, found.row.name, &outcome.seq, err));
    TRY(cu_settle(p, err));
    TRY(cu_lookup_seq(p, outcome.seq, &made, err));
    TRY(cu_log_entry(&p->log, outcome.seq, &bytes, err));
    cu_buf_add(mem, bytes);
    TRY(cu_buf_ok(mem, err));
    TRY(cu_entry_read(cu_buf_span(mem), &e, err));
    const struct cu_inventory *said = &e.outer.body.inventory;
    ENSURE(e.kind == CU_KIND_INVENTORY && said->has_case && memcmp(&said->case_id, &found.row.case_id, sizeof said->case_id) == 0,
           err, CU_BAD_PROOF, "the node says that entry %llu is the inventory, and its log has something else there",
           LLU(outcome.seq.v));
    *ret = *said;
    outcome.id = made.row.id;
    outcome.leaf = made.row.leaf;
    outcome.block = made.row.block;
    outcome.closed = made.row.recorded;
    *ret_outcome = outcome;
    return CU_OK;
}

cu_status cu_inventory_make(struct cu_place *p, struct cu_span case_name, struct cu_inventory *ret, struct cu_buf *mem,
                            struct cu_outcome *ret_outcome, struct cu_err *err)
{
    // cppcheck-suppress ctuuninitvar ; only where it stands: it is filled before it is said
    const struct cu_saying say = { CU_KIND_INVENTORY, ret, CU_SIGNER_ORGANISATION, CU_PROFILE_NONE, NULL };

    if (p->remote.ops) return inventory_afar(p, case_name, ret, mem, ret_outcome, err);
    TRY(cu_inventory_ask(p, case_name, ret, mem, err));
    return cu_say_and_record(p, &say, ret_outcome, err);
}
