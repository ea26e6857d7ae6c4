/* What people's scripts are told. One function a thing, so that a ledger's folder and a ledger behind a URL say the same. */
#include "custody/words.h"
#include "service/cosigned.h"
#include "service/service.h"

void cu_tell_network(struct cu_json *j, const cu_hash *id)
{
    uint8_t text[CU_WORDS_TEXT];
    struct cu_buf words = cu_buf_over(text, sizeof text);

    cu_words_put(&words, id);
    cu_json_hash(j, "network", id);
    cu_json_text(j, "network_words", cu_buf_span(&words));
}

/* The last entry of a checkpoint is a block. */
static cu_status tell_height(struct cu_place *p, struct cu_json *j, struct cu_err *err)
{
    struct cu_span bytes;
    struct cu_entry e;

    if (p->genesis.outer.body.genesis.engine != CU_ENGINE_COMETBFT) return CU_OK;
    TRY(cu_log_entry(&p->log, (cu_seq){ p->log.checkpoint.size.v - 1 }, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    cu_json_uint(j, "height", e.kind == CU_KIND_BLOCK ? e.outer.body.block.height : 0);
    cu_json_time(j, "time", (cu_unix_ms){ e.kind == CU_KIND_BLOCK ? e.outer.body.block.closed : 0 });
    return CU_OK;
}

cu_status cu_tell_standing_in(struct cu_place *p, const char *where, struct cu_json *j, struct cu_err *err)
{
    const struct cu_genesis *genesis = &p->genesis.outer.body.genesis;
    struct cu_index *index = &p->index;
    uint64_t forks = 0;
    cu_size indexed;

    TRY(index->size(index->self, &indexed, err));
    const uint64_t size = p->log.checkpoint.size.v;
    cu_json_str(j, "ledger", where);
    cu_tell_network(j, &p->trust.network);
    cu_json_text(j, "origin", genesis->origin);
    cu_json_uint(j, "entries", size);
    cu_json_hash(j, "root", &p->log.checkpoint.root);
    cu_json_uint(j, "cases", index->count(index->self, CU_KIND_CASE, NULL));
    cu_json_uint(j, "exhibits", index->count(index->self, CU_KIND_DEPOSIT, NULL));
    cu_json_uint(j, "incidents", index->count(index->self, CU_KIND_INCIDENT, NULL));
    cu_json_uint(j, "refusals", index->count(index->self, CU_KIND_REFUSAL, NULL));
    cu_json_uint(j, "timeouts", index->count(index->self, CU_KIND_TIMEOUT, NULL));
    cu_json_uint(j, "notices", index->count(index->self, CU_KIND_NOTICE, NULL));
    cu_json_uint(j, "index_lag", indexed.v < size ? size - indexed.v : 0);
    cu_json_uint(j, "copies_required", genesis->policy.copies);
    if (!p->remote.ops) TRY(cu_forks_list(p, &forks, NULL, NULL, err));
    cu_json_uint(j, "forks", forks);
    if (size > 0) TRY(tell_height(p, j, err));
    return cu_buf_ok(j->out, err);
}

cu_status cu_tell_standing(struct cu_place *p, const char *where, struct cu_json *j, struct cu_err *err)
{
    cu_json_open(j, NULL, '{');
    TRY(cu_tell_standing_in(p, where, j, err));
    cu_json_close(j, '}');
    return cu_buf_ok(j->out, err);
}

struct seen {
    struct cu_place *p;
    uint64_t n;
};

static cu_status count_seen(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct seen *s = arg;

    (void)err;
    s->n += cu_place_sees(s->p, row);
    return CU_OK;
}

/* As many as are there for whoever asks. */
static uint64_t exhibits_of(struct cu_place *p, const cu_case_id *id)
{
    const struct cu_index_query q = { .by = CU_FIND_CASE, .kind = CU_KIND_DEPOSIT, .case_id = *id };
    struct seen s = { p, 0 };

    if (!p->sight) return p->index.count(p->index.self, CU_KIND_DEPOSIT, id);
    return p->index.find(p->index.self, &q, count_seen, &s, NULL) == CU_OK ? s.n : 0;
}

void cu_tell_case(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j)
{
    cu_json_open(j, NULL, '{');
    cu_json_text(j, "case", row->name);
    cu_json_hash(j, "id", &row->id);
    cu_json_uint(j, "exhibits", exhibits_of(p, &row->case_id));
    cu_json_time(j, "time", row->recorded);
    cu_json_close(j, '}');
}

static void tell_sealed(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j)
{
    CU_BUF names = cu_buf_heap(65536);

    cu_row_sealed_for(p, row, &names);
    if (names.n) cu_json_text(j, "sealed_for", cu_buf_span(&names));
}

cu_status cu_tell_exhibit(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j, struct cu_err *err)
{
    CU_BUF exhibit = cu_buf_heap(4096);
    uint64_t copies;

    TRY(cu_exhibit_name(p, row, &exhibit, err));
    TRY(cu_copies(p, row->seq, &copies, err));
    cu_json_open(j, NULL, '{');
    cu_json_str(j, "exhibit", (const char *)exhibit.p);
    cu_json_hash(j, "id", &row->id);
    cu_json_text(j, "name", row->name);
    if (row->label.n) cu_json_text(j, "label", row->label);
    if (row->note.n) cu_json_text(j, "note", row->note);
    cu_json_str(j, "kind", row->content == CU_CONTENT_FOLDER ? "folder" : "item");
    cu_json_uint(j, "size", row->size);
    if (row->has_sha256) cu_json_hash(j, "sha256", &row->sha256);
    tell_sealed(p, row, j);
    cu_json_hash(j, "root", &row->root);
    cu_json_uint(j, "copies", copies);
    cu_json_time(j, "time", row->recorded);
    cu_json_close(j, '}');
    return cu_buf_ok(j->out, err);
}

void cu_tell_held(const struct cu_held *held, struct cu_json *j)
{
    struct cu_held_object object;
    size_t at = 0;

    cu_json_open(j, "held", '{');
    cu_json_str(j, "lock", cu_held_mode_text(held->mode));
    if (held->until) cu_json_time(j, "until", (cu_unix_ms){ held->until });
    cu_json_uint(j, "objects", held->n);
    cu_json_open(j, "versions", '[');
    while (cu_list_next(&held->objects, &cu_held_object_schema, &at, &object)) {
        cu_json_open(j, NULL, '{');
        cu_json_hash(j, "object", &object.name);
        cu_json_text(j, "version", object.version);
        cu_json_close(j, '}');
    }
    cu_json_close(j, ']');
    cu_json_close(j, '}');
}

static cu_status tell_deposit(struct cu_place *p, const struct cu_index_row *row, const struct cu_entry *e, struct cu_json *j,
                              struct cu_err *err)
{
    uint64_t copies;

    TRY(cu_copies(p, row->seq, &copies, err));
    cu_json_uint(j, "serial", row->serial);
    cu_json_uint(j, "size", row->size);
    cu_json_hash(j, "root", &row->root);
    if (row->has_sha256) cu_json_hash(j, "sha256", &row->sha256);
    tell_sealed(p, row, j);
    cu_json_text(j, "depositor", cu_key_holder(p, &e->inner.kid));
    cu_json_text(j, "provider", cu_key_holder(p, &e->outer.kid));
    if (e->outer.body.deposit.has_held) cu_tell_held(&e->outer.body.deposit.held, j);
    cu_json_uint(j, "copies", copies);
    cu_json_uint(j, "required", cu_terms_at(p, row->seq).copies);
    return CU_OK;
}

cu_status cu_tell_entry(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j, struct cu_err *err)
{
    CU_BUF exhibit = cu_buf_heap(4096);
    struct cu_entry e;
    struct cu_span bytes;

    TRY(cu_log_entry(&p->log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    TRY(cu_exhibit_name(p, row, &exhibit, err));
    cu_json_open(j, NULL, '{');
    cu_json_str(j, "exhibit", (const char *)exhibit.p);
    cu_json_str(j, "kind", cu_kind_row(e.kind)->name);
    cu_json_hash(j, "id", &row->id);
    cu_json_hash(j, "leaf", &row->leaf);
    cu_json_text(j, "name", row->name);
    cu_json_text(j, "label", row->label);
    cu_json_text(j, "note", row->note);
    if (e.kind == CU_KIND_DEPOSIT) TRY(tell_deposit(p, row, &e, j, err));
    if (e.kind == CU_KIND_STORED && e.outer.body.stored.has_held) cu_tell_held(&e.outer.body.stored.held, j);
    if (e.kind == CU_KIND_REFUSAL) cu_json_str(j, "reason", cu_reason_name(e.outer.body.refusal.reason));
    cu_json_time(j, "signed", row->time);
    cu_json_time(j, "time", row->recorded);
    cu_json_close(j, '}');
    return cu_buf_ok(j->out, err);
}
