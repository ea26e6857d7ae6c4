/* custody ls, custody status */
#include "apps/custody/app.h"
#include "service/cosigned.h"

/* ---- ls ---- */
struct listing {
    struct session *s;
    uint64_t n;
};

static void row_words(struct cu_place *p, const struct cu_index_row *row, const char *exhibit, struct cu_buf *out)
{
    CU_BUF sealed = cu_buf_heap(65536);
    char time[32];

    cu_time_text(row->recorded, time);
    cu_buf_addf(out, "%-14s ", exhibit);
    put_short_id(out, &row->id);
    cu_buf_addf(out, "  %.19sZ  ", time);
    if (row->content == CU_CONTENT_FOLDER) cu_buf_add_str(out, "        folder  ");
    else cu_buf_addf(out, "%14llu  ", (unsigned long long)row->size);
    put_printable(out, row->name);
    cu_row_sealed_for(p, row, &sealed);
    if (sealed.n) cu_buf_add_str(out, "sealed for "), put_printable(out, cu_buf_span(&sealed));
    if (row->label.n) cu_buf_add_str(out, "  ["), put_printable(out, row->label), cu_buf_add_str(out, "]");
    cu_buf_add_str(out, "\n");
}

static cu_status list_deposit(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct listing *l = arg;
    CU_BUF exhibit = cu_buf_heap(4096);
    struct cu_buf *out = &l->s->run->out;
    struct cu_json j = cu_json_on(out);

    TRY(cu_exhibit_name(&l->s->place, row, &exhibit, err));
    if (!l->s->run->json) row_words(&l->s->place, row, (const char *)exhibit.p, out);
    else {
        TRY(cu_tell_exhibit(&l->s->place, row, &j, err));
        cu_buf_add_str(out, "\n");
    }
    if (++l->n % 1000 == 0) run_print(l->s->run);
    return CU_OK;
}

/* Of what was claimed and not accepted: numbers and times, no name and no content. */
static cu_status list_refused(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct listing *l = arg;
    CU_CLEANUP(cu_found_free) struct cu_found now = { 0 };
    CU_BUF exhibit = cu_buf_heap(4096), why = cu_buf_heap(4096);
    const cu_hash *claim = row->kind == CU_KIND_TIMEOUT ? &row->ref : &row->id;
    struct cu_buf *out = &l->s->run->out;
    struct cu_json j = cu_json_on(out);
    char time[32], hex[65];

    if (!row->serial) return CU_OK; /* of a notice: `notice ls` */
    cu_hash_hex(claim, hex);
    TRY(put_why(l->s, row, &why, err));
    const bool accepted = cu_lookup(&l->s->place, cu_span_str(hex), &now, NULL) == CU_OK && now.row.kind == CU_KIND_DEPOSIT;
    if (accepted) TRY(cu_exhibit_name(&l->s->place, &now.row, &exhibit, err));
    cu_buf_add_byte(&why, 0);
    TRY(cu_buf_ok(&why, err));
    const char *reason = why.n > 1 ? (const char *)why.p + 2 : "";
    l->n++;
    if (l->s->run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "kind", cu_kind_row(row->kind)->name);
        cu_json_uint(&j, "serial", row->serial);
        cu_json_hash(&j, "claim", claim);
        cu_json_str(&j, "reason", reason[0] ? reason : NULL);
        cu_json_time(&j, "time", row->recorded);
        cu_json_str(&j, "exhibit", accepted ? (const char *)exhibit.p : NULL);
        cu_json_close(&j, '}');
    } else {
        cu_time_text(row->recorded, time);
        cu_buf_addf(out, "%-9s serial %-6llu claim %.8s  %.19sZ  %s%s%s", cu_kind_row(row->kind)->name,
                    (unsigned long long)row->serial, hex, time, reason, accepted ? "  accepted later: " : "",
                    accepted ? (const char *)exhibit.p : "");
        while (out->p[out->n - 1] == ' ') out->n--;
    }
    cu_buf_add_str(out, "\n");
    return CU_OK;
}

static cu_status list_unaccepted(struct session *s, void *arg, struct cu_err *err)
{
    struct listing l = { s, 0 };
    const struct cu_index_query q[] = { { .by = CU_FIND_KIND, .kind = CU_KIND_REFUSAL },
                                        { .by = CU_FIND_KIND, .kind = CU_KIND_TIMEOUT } };

    (void)arg;
    for (size_t i = 0; i < 2; i++) TRY(s->place.index.find(s->place.index.self, &q[i], list_refused, &l, err));
    if (l.n == 0) say(s->run, "no claim was refused, and none came too late\n");
    return CU_OK;
}

static cu_status list_all(struct session *s, void *arg, struct cu_err *err)
{
    struct listing l = { s, 0 };
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_DEPOSIT };

    (void)arg;
    if (opt(s->run, "case")) {
        TRY(cu_lookup_case(&s->place, opt_span(s->run, "case"), &found, err));
        q.by = CU_FIND_CASE;
        q.case_id = found.row.case_id;
    }
    TRY(s->place.index.find(s->place.index.self, &q, list_deposit, &l, err));
    if (l.n == 0) say(s->run, "no exhibits yet: `custody deposit FILE`\n");
    return CU_OK;
}

static cu_status go_ls(struct run *run, struct cu_err *err)
{
    return in_session(run, MODE_READ, opt_is(run, "refused") ? list_unaccepted : list_all, NULL, err);
}

/* ---- status ---- */
static cu_status last_incident(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    (void)err;
    *(cu_unix_ms *)arg = row->recorded;
    return CU_OK;
}

static cu_status tell_status(struct session *s, void *arg, struct cu_err *err)
{
    struct cu_index *index = &s->place.index;
    const uint64_t deposits = index->count(index->self, CU_KIND_DEPOSIT, NULL),
                   cases = index->count(index->self, CU_KIND_CASE, NULL),
                   incidents = index->count(index->self, CU_KIND_INCIDENT, NULL),
                   refusals = index->count(index->self, CU_KIND_REFUSAL, NULL),
                   timeouts = index->count(index->self, CU_KIND_TIMEOUT, NULL),
                   notices = index->count(index->self, CU_KIND_NOTICE, NULL);
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_INCIDENT };
    const struct cu_genesis *genesis = &s->place.genesis.outer.body.genesis;
    struct cu_buf *out = &s->run->out;
    cu_unix_ms last = { 0 };
    uint64_t forks;
    cu_size indexed;

    (void)arg;
    if (s->run->json) {
        struct cu_json j = cu_json_on(out);
        TRY(cu_tell_standing(&s->place, s->url ? s->url : s->root, &j, err));
        cu_buf_add_str(out, "\n");
        return CU_OK;
    }
    TRY(index->find(index->self, &q, last_incident, &last, err));
    TRY(index->size(index->self, &indexed, err));
    cu_buf_addf(out, "ledger      %s\nnetwork id  ", s->url ? s->url : s->root);
    put_network(out, &s->place.trust.network, 12);
    cu_buf_addf(out, "log         entries %llu, cases %llu, exhibits %llu\n", (unsigned long long)s->place.log.checkpoint.size.v,
                (unsigned long long)cases, (unsigned long long)deposits);
    cu_buf_addf(out, "copies      %llu required beside the provider's\nincidents   %llu",
                (unsigned long long)genesis->policy.copies, (unsigned long long)incidents);
    if (incidents)
        cu_buf_add_str(out, ", the last one recorded "), put_time(out, last), cu_buf_add_str(out, " (see `custody trail`)");
    if (refusals + timeouts + notices)
        cu_buf_addf(out,
                    "\nsupervised  refusals %llu, timeouts %llu, notices %llu (see `custody ls --refused`, `custody notice ls`)",
                    (unsigned long long)refusals, (unsigned long long)timeouts, (unsigned long long)notices);
    TRY(cu_forks_list(&s->place, &forks, NULL, NULL, err));
    if (forks)
        cu_buf_addf(out,
                    "\nALARM       %llu proofs that somebody signed another log of this name: " CU_DIR_FORKS
                    ", see `custody fork-proof verify`",
                    LLU(forks));
    if (s->place.members.organisations > 1)
        cu_buf_addf(out, "\nkeepers     %llu organisations, each with keys of its own\n", LLU(s->place.members.organisations));
    else cu_buf_add_str(out, "\nkeeper      one organisation holds every key of this ledger\n");
    if (indexed.v < s->place.log.checkpoint.size.v)
        cu_buf_addf(out, "index       %llu entries behind the log\n",
                    (unsigned long long)(s->place.log.checkpoint.size.v - indexed.v));
    return CU_OK;
}

static cu_status go_status(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, tell_status, NULL, err); }

const struct command command_ls = {
    .name = "ls",
    .args = "",
    .line = "list the exhibits",
    .help = "Lists exhibits with number, short id, when they were recorded, size, name and label.",
    .args_max = 0,
    .go = go_ls,
    .options = { { "case", "C", "only this case" },
                 { "refused", NULL, "claims that were refused or came too late instead, by number: no name, no content" } },
};
const struct command command_status = {
    .name = "status",
    .args = "",
    .line = "how the ledger stands: entries, cases, exhibits, incidents",
    .help = "Shows the network id, the size of the log, cases, exhibits and incidents.",
    .args_max = 0,
    .go = go_status,
};
