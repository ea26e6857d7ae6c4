/* custody ls, custody status */
#include "apps/custody/app.h"
#include "service/cosigned.h"

/* ---- ls ---- */
struct listing {
    struct session *s;
    uint64_t n;
};

static void row_words(const struct cu_index_row *row, const char *exhibit, struct cu_buf *out)
{
    char time[32];

    cu_time_text(row->recorded, time);
    cu_buf_addf(out, "%-14s ", exhibit);
    put_short_id(out, &row->id);
    cu_buf_addf(out, "  %.19sZ  ", time);
    if (row->content == CU_CONTENT_FOLDER) cu_buf_add_str(out, "        folder  ");
    else cu_buf_addf(out, "%14llu  ", (unsigned long long)row->size);
    put_printable(out, row->name);
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
    if (!l->s->run->json) row_words(row, (const char *)exhibit.p, out);
    else {
        TRY(cu_tell_exhibit(&l->s->place, row, &j, err));
        cu_buf_add_str(out, "\n");
    }
    if (++l->n % 1000 == 0) run_print(l->s->run);
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

static cu_status go_ls(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, list_all, NULL, err); }

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
                   incidents = index->count(index->self, CU_KIND_INCIDENT, NULL);
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
    TRY(cu_forks_list(&s->place, &forks, NULL, NULL, err));
    if (forks)
        cu_buf_addf(out,
                    "\nALARM       %llu proofs that somebody signed another log of this name: " CU_DIR_FORKS
                    ", see `custody fork-proof verify`",
                    LLU(forks));
    cu_buf_add_str(out, "\nkeeper      one organisation holds every key of this ledger\n");
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
    .options = { { "case", "C", "only this case" } },
};
const struct command command_status = {
    .name = "status",
    .args = "",
    .line = "how the ledger stands: entries, cases, exhibits, incidents",
    .help = "Shows the network id, the size of the log, cases, exhibits and incidents.",
    .args_max = 0,
    .go = go_status,
};
