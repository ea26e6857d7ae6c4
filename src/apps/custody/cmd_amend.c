/* custody correct, custody void: nothing is edited; a further statement points back. */
#include "apps/custody/app.h"

static void tell(struct run *run, const char *what, const struct cu_outcome *outcome)
{
    struct cu_json j = cu_json_on(&run->out);

    if (!run->json) {
        cu_buf_addf(&run->out, "%s recorded ", what);
        put_time(&run->out, outcome->closed);
        cu_buf_add_str(&run->out, " as ");
        put_short_id(&run->out, &outcome->id);
        cu_buf_add_str(&run->out, "\n");
        return;
    }
    cu_json_open(&j, NULL, '{');
    cu_json_hash(&j, "id", &outcome->id);
    cu_json_hash(&j, "leaf", &outcome->leaf);
    cu_json_time(&j, "time", outcome->closed);
    cu_json_close(&j, '}');
    cu_buf_add_str(&run->out, "\n");
}

static cu_status go_correct(struct run *run, struct cu_err *err)
{
    struct cu_outcome outcome;
    struct session s;
    cu_status done, closed;

    ENSURE(opt(run, "text"), err, CU_USAGE, "say what is right: --text TEXT");
    done = session_open(&s, run, MODE_WRITE, err);
    if (done == CU_OK) done = cu_correct(&s.place, cu_span_str(run->args[0]), opt_span(run, "text"), &outcome, err);
    closed = session_close(&s, done == CU_OK ? err : NULL);
    TRY(done);
    tell(run, "correction", &outcome);
    return closed;
}

static cu_status go_void(struct run *run, struct cu_err *err)
{
    struct cu_outcome outcome;
    struct session s;
    uint64_t serial;
    cu_hash claim;
    cu_status done, closed;

    ENSURE(opt(run, "reason"), err, CU_USAGE, "say why: --reason TEXT");
    TRY(cu_decimal_read(cu_span_str(run->args[0]), UINT64_MAX - 1, &serial, err));
    if (opt(run, "id")) TRY(cu_hex_read(opt_span(run, "id"), claim.b, sizeof claim.b, err));
    done = session_open(&s, run, MODE_WRITE, err);
    if (done == CU_OK) done = cu_void_serial(&s.place, serial, opt(run, "id") ? &claim : NULL, opt_span(run, "reason"), &outcome, err);
    closed = session_close(&s, done == CU_OK ? err : NULL);
    TRY(done);
    tell(run, "void", &outcome);
    return closed;
}

const struct command command_correct = {
    .name = "correct", .args = "ID --text TEXT", .line = "record what was said wrong, and what is right",
    .help = "Records a correction of an exhibit or entry. Nothing is edited: what was said stays, and the correction stands beside it in show and trail.", .args_min = 1, .args_max = 1, .go = go_correct,
    .options = { { "text", "TEXT", "what was wrong and what is right" } },
};
const struct command command_void = {
    .name = "void", .args = "SERIAL --reason TEXT", .line = "give up a serial number that was signed and never recorded",
    .help = "Each claim of a depositor has a serial number, and an open one shows in every inventory. A number whose claim was lost, or is not to be used, is voided with a reason. Without --id that is final; with --id a deposit of that very "
            "claim still outranks it.",
    .args_min = 1, .args_max = 1, .go = go_void,
    .options = { { "reason", "TEXT", "why" }, { "id", "HEX", "the claim's id, all 64 digits" } },
};
