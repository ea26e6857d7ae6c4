/* custody case open, case ls */
#include "apps/custody/app.h"

static cu_status open_case(struct session *s, void *outcome, struct cu_err *err)
{
    const struct cu_case_request r = { cu_span_str(s->run->args[0]), opt_span(s->run, "number"), opt_span(s->run, "cause") };

    return cu_case_open(&s->place, &r, outcome, err);
}

static cu_status go_open(struct run *run, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&run->out);
    struct cu_outcome outcome;

    TRY(in_session(run, MODE_WRITE, open_case, &outcome, err));
    if (!run->json) {
        cu_buf_add_str(&run->out, "opened case ");
        put_printable(&run->out, cu_span_str(run->args[0]));
    } else {
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "case", run->args[0]);
        cu_json_hash(&j, "id", &outcome.id);
        cu_json_time(&j, "time", outcome.closed);
        cu_json_close(&j, '}');
    }
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

static cu_status list_case(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct session *s = arg;
    struct cu_index *index = &s->place.index;
    struct cu_buf *out = &s->run->out;
    const uint64_t deposits = index->count(index->self, CU_KIND_DEPOSIT, &row->case_id);

    (void)err;
    if (s->run->json) {
        struct cu_json j = cu_json_on(out);
        cu_tell_case(&s->place, row, &j);
    } else {
        const size_t before = out->n;
        put_printable(out, row->name);
        while (out->n - before < 24) cu_buf_add_byte(out, ' ');
        cu_buf_addf(out, "%6llu exhibits   opened ", (unsigned long long)deposits);
        put_time(out, row->recorded);
    }
    cu_buf_add_str(out, "\n");
    return CU_OK;
}

static cu_status list_cases(struct session *s, void *arg, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_CASE };

    (void)arg;
    return s->place.index.find(s->place.index.self, &q, list_case, s, err);
}

static cu_status go_ls(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, list_cases, NULL, err); }

const struct command command_case_open = {
    .name = "case open",
    .args = "NAME",
    .line = "open a case",
    .help = "Opens a case under a name that people use (C1, 2026-117). Names are kept in the details, not in the public log. A "
            "name that differs from an open one only in case or spaces is refused.",
    .args_min = 1,
    .args_max = 1,
    .go = go_open,
    .options = { { "number", "N", "the case number of the register" }, { "cause", "TEXT", "what the case is about" } },
};
const struct command command_case_ls = {
    .name = "case ls",
    .args = "",
    .line = "list the cases",
    .help = "Lists the cases with the number of their exhibits.",
    .args_max = 0,
    .go = go_ls,
};
