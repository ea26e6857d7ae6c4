/* custody show: a form for the file */
#include "apps/custody/app.h"
#include "court/certificate.h"

#include <unistd.h>

static void line(struct cu_buf *out, const char *key) { cu_buf_addf(out, "  %-18s", key); }

static void put_detail(void *arg, struct cu_span key, struct cu_span value)
{
    struct cu_buf *out = arg;
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)key.n, (const char *)key.p);
    line(out, name);
    cu_buf_add(out, value);
    cu_buf_add_str(out, "\n");
}

static void put_party(struct session *s, struct cu_buf *out, const char *key, const cu_hash *kid, uint64_t time)
{
    line(out, key);
    put_printable(out, cu_key_holder(&s->place, kid));
    cu_buf_add_str(out, " (key ");
    put_short_id(out, kid);
    cu_buf_add_str(out, "), by its own clock ");
    put_time(out, (cu_unix_ms){ time });
    cu_buf_add_str(out, "\n");
}

/* The time of a block entry that somebody had seen. */
static cu_status block_time(struct session *s, const struct cu_seen *seen, cu_unix_ms *ret, struct cu_err *err)
{
    struct cu_entry block;
    struct cu_span bytes;

    TRY(cu_log_entry(&s->place.log, (cu_seq){ seen->seq }, &bytes, err));
    TRY(cu_entry_read(bytes, &block, err));
    ret->v = block.outer.body.block.closed;
    return CU_OK;
}

struct copies_told {
    struct session *s;
    struct cu_buf *out;
};

static cu_status put_copy(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    const struct copies_told *t = arg;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_lookup_seq(&t->s->place, stored->seq, &found, err));
    line(t->out, stored->party ? "copy" : "held anew");
    if (!stored->party) {
        cu_buf_add_str(t->out, "by the provider, in another version, as entry ");
        cu_buf_addf(t->out, "%llu says, ", LLU(stored->seq.v));
        put_time(t->out, found.row.recorded);
        cu_buf_add_str(t->out, "\n");
        return CU_OK;
    }
    cu_buf_add_str(t->out, CU_DIR_NODE_OBJECTS ", held by ");
    put_printable(t->out, cu_party_named(&t->s->place, stored->party));
    cu_buf_add_str(t->out, ", verified and attested ");
    put_time(t->out, found.row.recorded);
    cu_buf_add_str(t->out, "\n");
    return CU_OK;
}

static cu_status put_note(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct session *s = arg;
    struct cu_buf *out = &s->run->out;

    line(out, cu_kind_row(row->kind)->name);
    put_time(out, row->recorded);
    if (row->name.n)
        cu_buf_add_str(out, row->kind == CU_KIND_DISCLOSURE || row->kind == CU_KIND_GRANT ? "  to " : "  "),
            put_printable(out, row->name);
    if (row->kind == CU_KIND_ANSWER) TRY(put_why(s, row, out, err));
    if (row->note.n) cu_buf_add_str(out, "  "), put_printable(out, row->note);
    cu_buf_add_str(out, "\n");
    return CU_OK;
}

struct later {
    struct session *s;
    struct cu_trail of;
};

static cu_status put_later(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    const struct later *l = arg;

    if (row->kind == CU_KIND_ACCESS || !cu_trail_has(&l->s->place, &l->of, row)) return CU_OK;
    return put_note(l->s, row, err);
}

static cu_status put_what_followed(struct session *s, const struct cu_index_row *row, struct cu_err *err)
{
    const struct cu_index_query corrections = { .by = CU_FIND_REF, .hash = row->id };
    const struct cu_index_query incidents = { .by = CU_FIND_KIND, .kind = CU_KIND_INCIDENT };
    const struct cu_index_query disclosures = { .by = CU_FIND_ABOUT, .hash = row->id };
    struct later later = { s, cu_trail_one(row) };

    TRY(s->place.index.find(s->place.index.self, &corrections, put_note, s, err));
    TRY(s->place.index.find(s->place.index.self, &incidents, put_later, &later, err));
    return s->place.index.find(s->place.index.self, &disclosures, put_later, &later, err);
}

/* What is in them only whoever has a key is told. */
static cu_status put_sealed(struct session *s, cu_seq seq, const struct cu_entry *e, struct cu_err *err)
{
    CU_CLEANUP(cu_identities_free) struct cu_identities by = { 0 };
    CU_CLEANUP(cu_unseal_free) struct cu_unseal *u = NULL;
    CU_BUF names = cu_buf_heap(65536);
    const struct cu_claim *claim = &e->inner.body.claim;
    struct cu_buf *out = &s->run->out;

    cu_claim_sealed_for(&s->place, claim, &names);
    TRY(cu_buf_ok(&names, err));
    line(out, "sealed for");
    put_printable(out, cu_buf_span(&names));
    cu_buf_add_str(out, "\n");
    TRY(identities_read(s, &by, err));
    const cu_status opened = cu_unseal_begin(&s->place, &e->inner.id, seq, claim, &by, &u, err);
    if (opened != CU_SEALED) {
        TRY(opened);
        return cu_details_each(cu_unseal_details(u), put_detail, out, err);
    }
    line(out, "details");
    cu_buf_add_str(out, "sealed: --identity FILE opens them\n");
    return CU_OK;
}

static cu_status put_details(struct session *s, cu_seq seq, const struct cu_entry *e, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    const cu_hash *commitment = cu_entry_commitment(e);

    if (!commitment) return CU_OK;
    cu_status read = cu_place_details(&s->place, seq, commitment, &details, err);
    if (read != CU_OK || details.n < CU_SALT_LEN) {
        line(&s->run->out, "details");
        cu_buf_add_str(&s->run->out, "missing in both stores: run `custody check`\n");
        return CU_OK;
    }
    if (e->kind == CU_KIND_DEPOSIT && e->inner.body.claim.has_sealed) return put_sealed(s, seq, e, err);
    return cu_details_each(cu_span(details.p + CU_SALT_LEN, details.n - CU_SALT_LEN), put_detail, &s->run->out, err);
}

static cu_status put_case_name(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    (void)err;
    line(arg, "case");
    put_printable(arg, row->name);
    cu_buf_add_str(arg, "\n");
    return CU_OK;
}

static cu_status put_case(struct session *s, const cu_case_id *id, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = *id, .kind = CU_KIND_CASE };

    return s->place.index.find(s->place.index.self, &q, put_case_name, &s->run->out, err);
}

/* NULL: by a store that keeps no versions. */
static void put_held(struct cu_buf *out, const struct cu_held *held)
{
    struct cu_held_object object;
    size_t at = 0;

    if (!held) return;
    line(out, "held");
    cu_buf_addf(out, "in a bucket, %llu object%s, %s", LLU(held->n), held->n == 1 ? "" : "s", cu_held_mode_text(held->mode));
    if (held->until) cu_buf_add_str(out, " until "), put_time(out, (cu_unix_ms){ held->until });
    cu_buf_add_str(out, "\n");
    while (cu_list_next(&held->objects, &cu_held_object_schema, &at, &object)) {
        line(out, "version");
        put_printable(out, object.version);
        cu_buf_add_str(out, " of ");
        put_short_id(out, &object.name);
        cu_buf_add_str(out, "\n");
    }
}

static cu_status show_deposit(struct session *s, const struct cu_index_row *row, const struct cu_entry *e, struct cu_err *err)
{
    const struct cu_claim *claim = &e->inner.body.claim;
    struct copies_told told = { s, &s->run->out };
    struct cu_buf *out = &s->run->out;
    cu_unix_ms after;

    TRY(put_case(s, &claim->case_id, err));
    line(out, "kind");
    cu_buf_add_str(out, claim->has_folder ? "folder\n" : "item\n");
    line(out, "size");
    put_size(out, claim->has_folder ? claim->folder.bytes : claim->size);
    if (claim->has_folder) put_items(out, claim->folder.items);
    cu_buf_add_str(out, "\n");
    line(out, "content root");
    cu_hex_put(out, cu_span_hash(&claim->root));
    cu_buf_add_str(out, "\n");
    line(out, "serial");
    cu_buf_addf(out, "%llu\n", (unsigned long long)claim->serial);
    put_party(s, out, "deposited by", &e->inner.kid, claim->time);
    put_party(s, out, "accepted by", &e->outer.kid, e->outer.body.deposit.time);
    TRY(block_time(s, &claim->seen, &after, err));
    line(out, "signed after");
    put_time(out, after);
    cu_buf_add_str(out, "\n");
    line(out, "recorded by");
    put_time(out, row->recorded);
    cu_buf_addf(out, ", as entry %llu of the log\n", (unsigned long long)row->seq.v);
    line(out, "copy");
    cu_buf_add_str(out, CU_DIR_CLOUD_OBJECTS ", held by ");
    put_printable(out, cu_key_holder(&s->place, claim->has_notice ? &e->inner.kid : &e->outer.kid));
    cu_buf_add_str(out, ", re-read and accepted ");
    put_time(out, row->recorded);
    cu_buf_add_str(out, "\n");
    put_held(out, e->outer.body.deposit.has_held ? &e->outer.body.deposit.held : NULL);
    return s->place.index.find_stored(s->place.index.self, row->seq, put_copy, &told, err);
}

static cu_status show_json(struct session *s, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&s->run->out);

    TRY(cu_tell_entry(&s->place, row, &j, err));
    cu_buf_add_str(&s->run->out, "\n");
    return CU_OK;
}

/* The code that a certificate bears: on the screen, or as a picture. */
static cu_status show_qr(struct session *s, const struct cu_index_row *row, struct cu_err *err)
{
    const char *output = opt(s->run, "output"), *dot = output ? strrchr(output, '.') : NULL;
    const bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    enum cu_qr_form form = output ? CU_QR_PNG : colours ? CU_QR_TERMINAL : CU_QR_BLOCKS;
    CU_BUF text = cu_buf_heap(4096), picture = cu_buf_heap((size_t)1 << 20);
    const struct cu_press *press;

    if (dot && strcmp(dot, ".svg") == 0) form = CU_QR_SVG;
    ENSURE(!output || form == CU_QR_SVG || (dot && strcmp(dot, ".png") == 0), err, CU_USAGE,
           "--output FILE: the code is a .png or an .svg, and the file's name says which");
    TRY(paper_load(&press, err));
    cu_qr_text(&s->place.trust.network, &row->id, &row->leaf, &text);
    TRY(press->qr(cu_buf_span(&text), form, output ? &picture : &s->run->out, err));
    if (output) return write_output_file(output, cu_buf_span(&picture), err);
    cu_buf_add(&s->run->out, cu_buf_span(&text));
    return CU_OK;
}

static cu_status show_other(struct session *s, const struct cu_index_row *row, const struct cu_entry *e, struct cu_err *err)
{
    struct cu_buf *out = &s->run->out;

    if (e->kind == CU_KIND_NOTICE) {
        TRY(put_case(s, &row->case_id, err));
        line(out, "asks");
        put_printable(out, cu_party_named(&s->place, e->outer.body.notice.provider));
        cu_buf_add_str(out, ", by ");
        put_time(out, (cu_unix_ms){ e->outer.body.notice.deadline });
        cu_buf_add_str(out, "\n");
    }
    if (e->kind == CU_KIND_STORED && e->outer.body.stored.has_held) put_held(out, &e->outer.body.stored.held);
    if (row->serial) line(out, "serial"), cu_buf_addf(out, "%llu\n", (unsigned long long)row->serial);
    if (e->kind == CU_KIND_TIMEOUT && e->outer.body.timeout.has_claim) {
        line(out, "claim");
        cu_hex_put(out, cu_span_hash(&row->ref));
        cu_buf_add_str(out, "\n");
    }
    if (e->has_inner) put_party(s, out, "claimed by", &e->inner.kid, e->inner.body.claim.time);
    if (e->kind == CU_KIND_REFUSAL) {
        line(out, "because");
        cu_buf_addf(out, "%s\n", cu_reason_name(e->outer.body.refusal.reason));
    }
    if (e->signed_) put_party(s, out, "said by", &e->outer.kid, e->has_inner ? e->outer.body.refusal.time : cu_entry_time(e));
    line(out, "recorded by");
    put_time(out, row->recorded);
    cu_buf_add_str(out, "\n");
    return CU_OK;
}

static cu_status put_about(struct session *s, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_buf *out = &s->run->out;
    const size_t before = out->n;

    TRY(put_why(s, row, out, err));
    if (out->n == before) return CU_OK;
    CU_BUF words = cu_buf_heap(4096);
    cu_buf_add(&words, cu_span(out->p + before + 2, out->n - before - 2));
    TRY(cu_buf_ok(&words, err));
    out->n = before;
    line(out, "about");
    cu_buf_add(out, cu_buf_span(&words));
    cu_buf_add_str(out, "\n");
    return CU_OK;
}

static cu_status show(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    CU_BUF exhibit = cu_buf_heap(4096), bytes = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_buf *out = &s->run->out;
    struct cu_entry e;
    struct cu_span span;

    (void)arg;
    TRY(cu_lookup(&s->place, cu_span_str(s->run->args[0]), &found, err));
    if (opt_is(s->run, "qr")) return show_qr(s, &found.row, err);
    if (s->run->json) return show_json(s, &found.row, err);
    TRY(cu_log_entry(&s->place.log, found.row.seq, &span, err));
    cu_buf_add(&bytes, span);
    TRY(cu_buf_ok(&bytes, err));
    TRY(cu_entry_read(cu_buf_span(&bytes), &e, err));
    TRY(cu_exhibit_name(&s->place, &found.row, &exhibit, err));
    cu_buf_addf(out, "%s  %s\n", exhibit.n ? (const char *)exhibit.p : "entry", cu_kind_row(e.kind)->name);
    line(out, "id");
    cu_hex_put(out, cu_span_hash(&found.row.id));
    cu_buf_add_str(out, "\n");
    TRY(put_details(s, found.row.seq, &e, err));
    TRY(put_about(s, &found.row, err));
    TRY(e.kind == CU_KIND_DEPOSIT ? show_deposit(s, &found.row, &e, err) : show_other(s, &found.row, &e, err));
    return put_what_followed(s, &found.row, err);
}

static cu_status go_show(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, show, NULL, err); }

const struct command command_show = {
    .name = "show",
    .args = "ID [--qr [-o FILE]]",
    .line = "everything known of one exhibit or entry",
    .help =
        "Shows one exhibit (C1/3), or any entry by a prefix of its id, by a label, or by the SHA-256 of its bytes: who, "
        "what, when, where the copies are, corrections, incidents, disclosures and grants.\n\nWith --qr: a code that holds the "
        "ledger's "
        "words, the "
        "statement's id and its leaf, for a label or a letter; a reader compares it with a receipt by `verify --network WORDS "
        "--id ID`.",
    .args_min = 1,
    .args_max = 1,
    .go = go_show,
    .options = { { "identity", "FILE", "keys that open sealed details, as `age-keygen` writes them" },
                 { "qr", NULL, "a QR code instead" },
                 { "output", "FILE", "the code as a picture: FILE.png or FILE.svg" } },
};
