/* Statements that stand alone: a case, a correction, a voided serial number, an inventory. Nothing is edited: each points back. */
#include "service/outbox.h"

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
