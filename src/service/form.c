/* The details of a deposit. What a person must say is asked for before a single byte is read. */
#include "service/form.h"

static cu_status write_digests(const struct cu_ingested *in, struct cu_buf *ret, struct cu_err *err)
{
    for (size_t i = 0; i < in->digests_n; i++) {
        const struct cu_detail_digest digest = { in->digest[i].alg,
                                                 cu_span(in->digest[i].bytes, cu_digest_len(in->digest[i].alg)) };
        TRY(cu_schema_write(&cu_detail_digest_schema, &digest, ret, err));
    }
    return CU_OK;
}

static enum cu_profile profile_of(const struct cu_deposit_request *r) { return r->profile ? r->profile : CU_PROFILE_PLAIN; }

/* What a person said. */
static cu_status fill_in(const struct cu_deposit_request *r, struct cu_buf *scratch, struct cu_details_deposit *d,
                         struct cu_err *err)
{
    const cu_status filled = cu_details_from_text(profile_of(r), r->details_text, scratch, d, err);

    if (filled != CU_OK) return cu_fail_while(err, CU_USAGE, "--details: nothing was read or signed");
    d->tool = cu_span_str(CU_TOOL_NAME);
    if (r->label.n) d->has_label = true, d->label = r->label;
    if (r->note.n) d->has_note = true, d->note = r->note;
    if (r->earlier.n) d->has_earlier = true, d->earlier = r->earlier;
    return CU_OK;
}

cu_status cu_form_write(const struct cu_deposit_request *r, struct cu_span name, const struct cu_ingested *in, struct cu_buf *ret,
                        struct cu_err *err)
{
    uint8_t lists[8192];
    struct cu_buf scratch = cu_buf_over(lists, sizeof lists);
    CU_BUF digests = cu_buf_heap(1024);
    struct cu_details_deposit d = { .name = name };

    TRY(fill_in(r, &scratch, &d, err));
    if (in->media[0]) d.has_media = true, d.media = cu_span_str(in->media);
    TRY(write_digests(in, &digests, err));
    d.has_digests = in->digests_n > 0;
    d.digests = (struct cu_list){ in->digests_n, cu_buf_span(&digests) };
    return cu_details_write(profile_of(r), &d, ret, err);
}

/* ---- before anything is read ---- */
static bool is_blank(const struct cu_field *field, const uint8_t *message)
{
    const void *at = message + field->at;

    if (field->has_at != CU_REQUIRED) return false;
    if (field->type == CU_FIELD_TEXT) return ((const struct cu_span *)at)->n < field->min;
    return field->type == CU_FIELD_LIST && ((const struct cu_list *)at)->n < field->min;
}

static void put_blanks(const struct cu_schema *schema, const void *message, struct cu_buf *ret)
{
    for (size_t i = 0; i < schema->n; i++)
        if (is_blank(&schema->fields[i], message)) cu_buf_addf(ret, "%s%s", ret->n ? ", " : "", schema->fields[i].name);
}

cu_status cu_form_sealed(const struct cu_place *p, enum cu_profile profile, bool sealed, bool second, struct cu_err *err)
{
    struct cu_must_seal must = { 0 };

    if (p->genesis.kind != CU_KIND_GENESIS || !cu_policy_seals(cu_genesis_policy(p), profile, &must)) return CU_OK;
    ENSURE(
        sealed && (second || !must.two), err, CU_NOT_ALLOWED,
        "the ledger's policy asks that evidence of the profile %.*s is sealed%s, and this is not: it was not taken, and no byte "
        "of it left. Say for whom: --seal --to MEMBER%s",
        (int)must.profile.n, (const char *)must.profile.p, must.two ? " so that it takes two to open it" : "",
        must.two ? " --and MEMBER" : "");
    return CU_OK;
}

cu_status cu_form_check(const struct cu_place *p, const struct cu_deposit_request *r, struct cu_err *err)
{
    uint8_t lists[8192], text[600];
    struct cu_buf scratch = cu_buf_over(lists, sizeof lists), blanks = cu_buf_over(text, sizeof text);
    CU_BUF written = cu_buf_heap(CU_DETAILS_MAX);
    struct cu_details_deposit d = { .name = cu_span_str("name"), .profile = cu_span_str("profile") };

    TRY(cu_form_sealed(p, profile_of(r), r->seal != NULL, r->seal && r->seal->second, err));
    TRY(fill_in(r, &scratch, &d, err));
    put_blanks(cu_profile_schema(profile_of(r)), &d, &blanks);
    ENSURE(blanks.n == 0, err, CU_USAGE,
           "the form of this profile is not complete: %.*s; give them with --details FILE, one line \"key: value\" each. Nothing "
           "was read or signed",
           (int)blanks.n, (const char *)blanks.p);
    const cu_status fits = cu_details_write(profile_of(r), &d, &written, err);
    return fits == CU_OK ? CU_OK : cu_fail_while(err, CU_USAGE, "the details do not fit: nothing was read or signed");
}
