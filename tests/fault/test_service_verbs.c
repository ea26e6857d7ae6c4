/* Every other verb that writes, stopped after any effect and failed at any call: a new ledger, cases, corrections, voided numbers,
 * inventories, reads that are noted, the state made anew. */
#include "custody/trust_chain.h"
#include "service_world.h"

#include "court/certificate.h"
#include "service/outbox.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- a new ledger ---- */

static cu_status found(struct service_world *w, struct cu_err *err)
{
    const struct cu_outcome unfiled = { .seq = { 3 } };
    struct cu_outcome outcome = unfiled;
    struct cu_span bytes;

    TRY(sw_create(w, err));
    TRY(sw_open(w, SW_WRITE, err)); /* init was acknowledged: from here on the case is a promise */
    TRY(cu_log_entry(&w->place.log, outcome.seq, &bytes, err));
    outcome.leaf = cu_leaf_hash(bytes);
    TRY(sw_recorded(w, CU_KIND_CASE, &outcome, err));
    return sw_close(w, err);
}

/* A folder in which the making was cut short is no ledger, says so, and becomes one when it is made again; whatever is one is a
 * whole one. */
static const char *judge_new(struct service_world *w)
{
    static char sentence[1200];
    struct cu_err err = { 0 };
    cu_status opened = sw_open(w, SW_CHECK, &err);

    if (opened == CU_OK) {
        if (sw_close(w, &err) == CU_OK) return sw_judge(w);
    } else if (opened == CU_NOT_FOUND && !w->promises_n && !cu_fs_exists(&w->memory, CU_FILE_FORMAT)) {
        w->points_n = 0; /* nobody was told of the attempt */
        opened = found(w, &err);
        if (opened == CU_OK) return sw_judge(w);
    }
    snprintf(sentence, sizeof sentence, "neither a ledger nor none: %s", err.text);
    return sentence;
}

/* ---- statements that stand alone ---- */

/* Signed at the scene, and lost. */
static cu_status lose_claim(struct service_world *w, uint64_t *ret_serial, struct cu_err *err)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);
    struct cu_claim_file parts;
    struct cu_statement claim;

    TRY(cu_claim_make(&w->place, &r, SW_OTHER, &file, err));
    TRY(cu_schema_read(&cu_claim_file_schema, cu_buf_span(&file), &parts, err));
    TRY(cu_statement_read(parts.claim, &claim, err));
    *ret_serial = claim.body.claim.serial;
    return CU_OK;
}

static cu_status amend(struct service_world *w, struct cu_err *err)
{
    const struct cu_case_request c1 = { .name = cu_span_str("C1"),
                                        .number = cu_span_str("2026-17"),
                                        .cause = cu_span_str("theft") };
    CU_BUF mem = cu_buf_heap(65536);
    struct cu_inventory inventory;
    struct cu_outcome outcome;
    uint64_t serial;

    TRY(sw_open(w, SW_WRITE, err));
    TRY(cu_case_open(&w->place, &c1, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_CASE, &outcome, err));
    TRY(cu_correct(&w->place, cu_span_str("unfiled/1"), cu_span_str("found in the kitchen"), &outcome, err));
    TRY(sw_recorded(w, CU_KIND_CORRECTION, &outcome, err));
    w->claims_max++;
    TRY(lose_claim(w, &serial, err));
    TRY(cu_void_serial(&w->place, serial, NULL, cu_span_str("the device was lost"), &outcome, err));
    w->claims_max--;
    TRY(sw_recorded(w, CU_KIND_VOID, &outcome, err));
    TRY(cu_inventory_make(&w->place, cu_span_str("unfiled"), &inventory, &mem, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_INVENTORY, &outcome, err));
    return sw_close(w, err);
}

/* ---- notices, and what is late ---- */

#define WEEK_MS UINT64_C(604800000)

static cu_status answer(struct service_world *w, struct cu_err *err)
{
    const struct cu_span number = cu_span_str("D/117");
    struct cu_notice_told notice;
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS, .notice = &notice };
    struct cu_outcome outcome;

    TRY(cu_notice_acknowledge(&w->place, number, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_ACKNOWLEDGE, &outcome, err));
    TRY(cu_notice_find(&w->place, number, &notice, err));
    w->deposits_max++;
    TRY(cu_deposit(&w->place, &r, (const char *const[]){ SW_OTHER }, 1, sw_deposited, w, err));
    TRY(cu_notice_answer(&w->place, number, 0, cu_span_str("all there is"), &outcome, err));
    return sw_recorded(w, CU_KIND_ANSWER, &outcome, err);
}

/* Two claims are watched: the provider refuses one, and says nothing of the other. */
static cu_status watch(struct service_world *w, struct cu_err *err)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    struct cu_outcome outcome;
    uint64_t late;
    cu_hash id;
    cu_unix_ms due;

    for (int i = 0; i < 2; i++) {
        CU_BUF file = cu_buf_heap(CU_RECORD_MAX);
        w->claims_max++;
        TRY(cu_claim_make(&w->place, &r, SW_NEXT, &file, err));
        TRY(cu_supervise(&w->place, cu_buf_span(&file), &id, &due, err));
        if (i == 0) TRY(cu_claim_refuse(&w->place, cu_buf_span(&file), CU_REASON_DAMAGED, &outcome, err));
        if (i == 0) TRY(sw_recorded(w, CU_KIND_REFUSAL, &outcome, err));
        w->claims_max -= i == 0;
    }
    w->clock += 2 * WEEK_MS;
    TRY(cu_due_record(&w->place, &late, err));
    ENSURE(late == 2, err, CU_BAD_PROOF, "%llu timeouts were recorded, not those of a claim and of a notice", LLU(late));
    w->claims_max--;
    TRY(cu_due_record(&w->place, &late, err));
    ENSURE(late == 0, err, CU_BAD_PROOF, "a timeout was recorded a second time");
    return CU_OK;
}

static cu_status notice(struct service_world *w, struct cu_err *err)
{
    struct cu_notice_request r = {
        .provider = cu_span_str("Cloud"),
        .words = { .number = cu_span_str("D/117"), .basis = cu_span_str("art. 54"), .object = cu_span_str("sign-ins") }
    };
    struct cu_outcome outcome;

    TRY(sw_open(w, SW_WRITE, err));
    r.until.v = cu_place_now(&w->place).v + WEEK_MS;
    TRY(cu_notice_create(&w->place, &r, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_NOTICE, &outcome, err));
    TRY(answer(w, err));
    r.words.number = cu_span_str("D/118");
    TRY(cu_notice_create(&w->place, &r, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_NOTICE, &outcome, err));
    TRY(watch(w, err));
    return sw_close(w, err);
}

/* ---- another log key ---- */

/* What is recorded next is the new key's, in this run and in the next. */
static cu_status rotate(struct service_world *w, struct cu_err *err)
{
    const struct cu_case_request c1 = { .name = cu_span_str("C1") }, c2 = { .name = cu_span_str("C2") };
    struct cu_outcome outcome;

    TRY(sw_open(w, SW_WRITE, err));
    const size_t epochs = w->place.trust.epochs_n;
    TRY(cu_propose_log_key(&w->place, cu_span_str("yearly"), CU_SPAN_EMPTY, &outcome, err));
    ENSURE(w->place.trust.epochs_n == epochs + 1, err, CU_BAD_PROOF, "no epoch began with the new key");
    TRY(cu_case_open(&w->place, &c1, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_CASE, &outcome, err));
    TRY(sw_close(w, err));
    TRY(sw_open(w, SW_WRITE, err));
    TRY(cu_case_open(&w->place, &c2, &outcome, err));
    TRY(sw_recorded(w, CU_KIND_CASE, &outcome, err));
    return sw_close(w, err);
}

/* Of whatever is left its readers come from the network id to each epoch that there is. */
static cu_status follow(struct service_world *w, struct cu_err *err)
{
    CU_BUF chain = cu_buf_heap(CU_TRUST_CHAIN_MAX), trust = cu_buf_heap(CU_TRUST_MAX);
    size_t steps;

    TRY(cu_trust_chain_make(&w->place, &chain, &trust, &steps, err));
    ENSURE(steps + 1 == w->place.trust.epochs_n && cu_span_eq(cu_buf_span(&trust), cu_buf_span(&w->place.trust_text)), err,
           CU_BAD_PROOF, "the chain of trust leads to another trust file than the ledger's");
    return CU_OK;
}

static cu_status rotate_and_follow(struct service_world *w, struct cu_err *err)
{
    TRY(rotate(w, err));
    TRY(sw_open(w, SW_READ, err));
    TRY(follow(w, err));
    return sw_close(w, err);
}

static const char *judge_rotated(struct service_world *w)
{
    const char *wrong = sw_judge(w);
    static struct cu_err err;

    if (wrong) return wrong;
    cu_status led = sw_open(w, SW_READ, &err);
    if (led == CU_OK) led = follow(w, &err);
    const cu_status closed = sw_close(w, led == CU_OK ? &err : NULL);
    return led == CU_OK && closed == CU_OK ? NULL : err.text;
}

/* ---- reads ---- */

static cu_status ignore(void *arg, struct cu_span bytes, struct cu_err *err)
{
    (void)arg, (void)bytes, (void)err;
    return CU_OK;
}

static cu_status restart(void *arg, struct cu_err *err)
{
    (void)arg, (void)err;
    return CU_OK;
}

static cu_status get(struct service_world *w, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch fetch = { .found = { .mem = { 0 } } };
    struct cu_access_row row = { .who = cu_span_str("officer"), .reason = cu_span_str("trial"), .time = 1760000000000 };
    bool damaged = false;

    TRY(cu_fetch_begin(&w->place, cu_span_str("unfiled/1"), &fetch, err));
    row.id = fetch.found.row.id;
    w->reads_max++;
    TRY(cu_access_note(&w->place, &row, err));
    w->reads++;
    return cu_fetch_object(&w->place, &fetch.claim.root, fetch.claim.size, NULL, ignore, restart, NULL, &damaged, err);
}

static cu_status get_twice_and_flush(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_READ, err));
    TRY(get(w, err));
    TRY(get(w, err));
    TRY(sw_close(w, err));
    TRY(sw_open(w, SW_WRITE, err));
    return sw_close(w, err);
}

/* ---- on paper ---- */

static cu_status certify(struct service_world *w, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    CU_CLEANUP(cu_draft_free) struct cu_draft draft = { .chunks = NULL };

    TRY(sw_open(w, SW_READ, err));
    TRY(cu_lookup(&w->place, cu_span_str("unfiled/1"), &found, err));
    const struct cu_certificate_exhibit exhibit = { found.row.seq, "unfiled/1", "unfiled-1.tlog-proof", NULL, CU_SPAN_EMPTY };
    TRY(cu_certificate(&w->place, &exhibit, 1, &draft, err));
    return sw_close(w, err);
}

/* ---- the state made anew, with something left in the journal ---- */

static cu_status leave_something(struct service_world *w, struct cu_err *err)
{
    static const char *const paths[] = { SW_SMALL };

    TRY(sw_open(w, SW_WRITE, err));
    cu_status status = sw_deposit(w, paths, 1, false, err);
    sw_crash(w, 1); /* the receipt is handed out, and the log is not drained */
    return status;
}

static cu_status reindex(struct service_world *w, struct cu_err *err)
{
    TRY(sw_reindex(w, err));
    TRY(sw_open(w, SW_WRITE, err));
    return sw_close(w, err);
}

static const struct sw_story stories[] = {
    { .name = "init", .from_nothing = true, .act = found, .judge = judge_new, .stride = 3, .call_stride = 3 },
    { .name = "amend", .act = amend, .stride = 5, .call_stride = 9 },
    { .name = "notice", .act = notice, .stride = 7, .call_stride = 13 },
    { .name = "rotate", .act = rotate_and_follow, .judge = judge_rotated, .stride = 5, .call_stride = 11 },
    { .name = "get", .act = get_twice_and_flush, .stride = 3, .call_stride = 5 },
    { .name = "certificate", .act = certify, .stride = 5, .call_stride = 5 },
    { .name = "reindex", .act = reindex, .call_stride = 4 },
    { .name = "reindex-after-crash", .prepare = leave_something, .act = reindex, .deposits = 1, .stride = 3, .call_stride = 6 },
};
#define STORIES (sizeof stories / sizeof *stories)

static void any_verb_that_loses_power_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_stop_everywhere(&stories[i]);
}

static void any_call_of_any_verb_that_fails_is_told_and_loses_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_fail_everywhere(&stories[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_verb_that_loses_power_keeps_what_was_acknowledged),
        cmocka_unit_test(any_call_of_any_verb_that_fails_is_told_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, sw_prepare, sw_release);
}
