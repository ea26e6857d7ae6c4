/* custody check, custody reindex */
#include "apps/custody/app.h"

#include <unistd.h>

/* ---- check ---- */
struct checking {
    struct run *run;
    struct session *s;
    bool to_record; /* a repair's note waits to become an incident */
    struct cu_json findings;
    struct cu_buf text;
    struct cu_check_result result;
    bool has_incident;
    struct cu_outcome incident;
};

static void found(void *arg, const struct cu_finding *f)
{
    struct checking *c = arg;

    if (c->run->json) {
        cu_json_open(&c->findings, NULL, '{');
        cu_json_str(&c->findings, "kind", f->kind);
        cu_json_str(&c->findings, "where", f->where);
        cu_json_str(&c->findings, "id", f->id[0] ? f->id : NULL);
        cu_json_str(&c->findings, "what", f->what);
        cu_json_bool(&c->findings, "repaired", f->repaired);
        cu_json_close(&c->findings, '}');
        return;
    }
    cu_buf_addf(&c->run->out, "%-10s  ", f->kind);
    put_printable(&c->run->out, cu_span_str(f->where)); /* an intruder may have chosen the name */
    cu_buf_add_str(&c->run->out, "\n            ");
    put_printable(&c->run->out, cu_span_str(f->what));
    if (f->id[0]) cu_buf_addf(&c->run->out, " (%.8s)", f->id);
    const char *how = strcmp(f->kind, "missing") == 0      ? "restored"
                      : strcmp(f->kind, "unexpected") == 0 ? "moved to quarantine/"
                      : strcmp(f->kind, "unheld") == 0     ? "the provider signs anew for what it serves"
                                                           : "restored; what lay there is kept in quarantine/";
    cu_buf_addf(&c->run->out, "%s%s\n", f->repaired ? "\n            " : "", f->repaired ? how : "");
}

static cu_status renew_index(void *arg, struct cu_err *err)
{
    struct checking *c = arg;

    TRY(session_renew_index(c->s, err));
    return CU_OK;
}

static void tell_json(struct checking *c, bool ok)
{
    const struct cu_check_result *r = &c->result;
    struct cu_json j = cu_json_on(&c->run->out);

    cu_json_open(&j, NULL, '{');
    cu_json_bool(&j, "ok", ok);
    if (opt(c->run, "only")) cu_json_str(&j, "only", opt(c->run, "only"));
    cu_json_uint(&j, "entries", r->entries);
    cu_json_uint(&j, "signatures", r->signatures);
    cu_json_uint(&j, "objects", r->objects);
    cu_json_uint(&j, "bytes", r->bytes);
    if (c->has_incident) cu_json_hash(&j, "incident", &c->incident.id);
    cu_buf_add_str(&c->run->out, ",\"findings\":[");
    cu_buf_add(&c->run->out, cu_buf_span(&c->text));
    cu_buf_add_str(&c->run->out, "]}\n");
}

static void tell_words(struct checking *c, bool repair)
{
    const struct cu_check_result *r = &c->result;
    struct cu_buf *out = &c->run->out;
    const char *findings = r->findings == 1 ? "finding" : "findings";

    cu_buf_addf(out, "checked %llu entries, %llu signatures, %llu objects, ", (unsigned long long)r->entries,
                (unsigned long long)r->signatures, (unsigned long long)r->objects);
    put_size(out, r->bytes);
    cu_buf_add_str(out, "\n");
    if (r->findings == 0)
        cu_buf_add_str(out, opt(c->run, "only")
                                ? "every hash is right; nothing else was judged (`custody check` judges everything)\n"
                                : "everything is as it was recorded\n");
    else if (!repair)
        cu_buf_addf(out, "%llu %s; `custody check --repair` restores what a good copy is left of\n",
                    (unsigned long long)r->findings, findings);
    else if (r->unrepaired == 0) cu_buf_addf(out, "%llu %s, restored\n", (unsigned long long)r->findings, findings);
    else
        cu_buf_addf(out, "%llu %s, %llu beyond repair\n", (unsigned long long)r->findings, findings,
                    (unsigned long long)r->unrepaired);
    if (c->has_incident) {
        cu_buf_add_str(out, "on record as incident ");
        put_short_id(out, &c->incident.id);
        cu_buf_add_str(out, " (`custody trail`)\n");
    }
    if (r->dirty)
        cu_buf_add_str(out,
                       "records of an interrupted run wait in the journal: the next writing verb brings them into the log\n");
}

static cu_status load_for_repair(struct session *s, struct cu_err *err)
{
    TRY(session_load_signer(s, CU_SIGNER_ORGANISATION, err));
    return session_load_signer(s, CU_SIGNER_LOG, err);
}

static cu_status read_only(const struct run *run, struct cu_check_request *r, struct cu_err *err)
{
    static const char *const names[] = {
        [CU_CHECK_LOG] = "log", [CU_CHECK_OBJECTS] = "objects", [CU_CHECK_LOG | CU_CHECK_OBJECTS] = "hashes"
    };
    const char *only = opt(run, "only");

    if (!only) return CU_OK;
    for (unsigned i = 1; i < sizeof names / sizeof *names && !r->only; i++)
        if (strcmp(only, names[i]) == 0) r->only = i;
    ENSURE(r->only, err, CU_USAGE, "--only: hashes, log or objects, not %s", only);
    ENSURE(r->only == CU_CHECK_LOG || !is_afar(run), err, CU_USAGE,
           "of a ledger behind an address the log alone is checked from here: --only log");
    ENSURE(!r->repair, err, CU_USAGE, "--repair needs the whole check: what --only leaves out may be what is damaged");
    return CU_OK;
}

static cu_status check(struct session *s, void *arg, struct cu_err *err)
{
    struct checking *c = arg;
    struct cu_check_request r = { .repair = opt_is(s->run, "repair"),
                                  .index = true,
                                  .lanes = (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
                                  .index_where = s->index_where[0] ? s->index_where : NULL,
                                  .index_what = s->index_what,
                                  .renew_index = renew_index,
                                  .found = found,
                                  .arg = c };
    bool mended;

    c->s = s;
    if (opt(s->run, "sample")) TRY(number_read("--sample", opt(s->run, "sample"), 1000000, &r.sample, err));
    if (r.repair) TRY(load_for_repair(s, err));
    TRY(read_only(s->run, &r, err));
    TRY(cu_check(&s->place, &r, &c->result, err));
    if (!r.repair) return CU_OK;
    return cu_repair_pending(&s->place, &c->to_record, &mended,
                             err); /* of this run, or of one that was killed before it could say so */
}

/* With everything in place again the ledger is opened as usual, and that records the incident. */
static cu_status take_incident(struct session *s, void *arg, struct cu_err *err)
{
    struct checking *c = arg;

    (void)err;
    c->has_incident = s->has_incident;
    c->incident = s->incident;
    return CU_OK;
}

static cu_status check_and_record(struct run *run, struct checking *c, struct cu_err *err)
{
    const bool repair = opt_is(run, "repair");
    struct cu_err why = { 0 };
    cu_status done = in_session(run, opt(run, "only") ? MODE_BARE : MODE_CHECK, check, c, err), recorded = CU_OK;

    if (done != CU_OK && c->result.findings == 0) return done;
    if (done == CU_OK && c->to_record) recorded = in_session(run, MODE_WRITE, take_incident, c, &why);
    const bool ok = done == CU_OK && recorded == CU_OK && (repair ? c->result.unrepaired == 0 : c->result.findings == 0);
    if (run->json) tell_json(c, ok);
    else tell_words(c, repair);
    run->exit = ok ? 0 : 2;
    TRY(done);
    return recorded == CU_OK
               ? CU_OK
               : cu_fail(
                     err, c->result.unrepaired ? CU_CORRUPT : recorded,
                     "what was found is noted in quarantine/ and goes on record with the next verb that can write the log: %s",
                     why.text);
}

static cu_status go_check(struct run *run, struct cu_err *err)
{
    struct checking c = { .run = run, .text = cu_buf_heap((size_t)256 << 20) };
    cu_status checked;

    c.findings = cu_json_on(&c.text);
    cu_json_open(&c.findings, NULL, '[');
    c.text.n = 0;
    checked = check_and_record(run, &c, err);
    cu_buf_free(&c.text);
    return checked;
}

/* ---- reindex ---- */
static cu_status reindex(struct session *s, void *arg, struct cu_err *err)
{
    cu_hash digest;
    char hex[65];
    void *lock;
    cu_status done;

    (void)arg;
    TRY(s->place.fs.ops->lock(s->place.fs.self, CU_FILE_LOCK, 0, &lock, err));
    done = cu_place_refresh(&s->place, err);
    if (done == CU_OK) done = cu_reindex_state(&s->place, &digest, err);
    if (done == CU_OK) done = session_renew_index(s, err);
    if (done == CU_OK) done = cu_follow(&s->place, err);
    s->place.fs.ops->unlock(s->place.fs.self, lock);
    TRY(done);
    cu_hash_hex(&digest, hex);
    if (!s->run->json) {
        cu_buf_addf(&s->run->out, "state and index made anew from %llu entries\nstate digest  %s\n",
                    (unsigned long long)s->place.log.checkpoint.size.v, hex);
        return CU_OK;
    }
    struct cu_json j = cu_json_on(&s->run->out);
    cu_json_open(&j, NULL, '{');
    cu_json_uint(&j, "entries", s->place.log.checkpoint.size.v);
    cu_json_str(&j, "digest", hex);
    cu_json_close(&j, '}');
    cu_buf_add_str(&s->run->out, "\n");
    return CU_OK;
}

static cu_status go_reindex(struct run *run, struct cu_err *err) { return in_session(run, MODE_CHECK, reindex, NULL, err); }

const struct command command_check = {
    .name = "check",
    .args = "",
    .line = "re-derive everything, and restore what was damaged",
    .help =
        "Re-derives every hash, signature and rule of the log, every tile of both copies, every object of both stores, the "
        "state, the index and the journal, and names what is not as it was recorded. Writes nothing. Exit 2 when something is "
        "wrong.\n\nWith --repair everything that a good copy is left of is restored; what was bad is kept in quarantine/, and "
        "one incident goes on record. No repair hides what happened."
        "\n\nWith --only hashes it judges whether bytes have the hashes that they should: every tile and bundle of both copies "
        "of the log, up to the signed checkpoint and the pinned network id, and every object, pack and tree of both stores by "
        "its "
        "name. It judges no signature of a statement, no rule, not whether what the log names is there, and nothing that is "
        "derived: state, index, journal, trust files. --only log is the first half, which is what other tools call checking a "
        "log; "
        "--only objects the second.",
    .args_max = 0,
    .go = go_check,
    .options = { { "only", "WHAT", "hashes alone: of the log, of the objects, or (hashes) of both" },
                 { "repair", NULL, "restore from the good copy, keep the bad bytes, record an incident" },
                 { "sample", "N", "read the bytes of every N-th object only" } },
};
const struct command command_reindex = {
    .name = "reindex",
    .args = "",
    .line = "make state and index anew from the log",
    .help = "Reads the log from the beginning and derives the state and the search index again. What lay there is kept in "
            "quarantine/.",
    .args_max = 0,
    .go = go_reindex,
};
