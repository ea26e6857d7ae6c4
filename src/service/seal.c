/* Sealing: for whom, by whom it is opened, and what is said of it without a key. */
#include "service/service.h"

#include <stdlib.h>

#define SEALING_KEY CU_DIR_KEYS "/sealing.pem"
#define AGE_INTRO "age-encryption.org/v1\n" /* no map begins so: details that do are sealed */

bool cu_details_are_sealed(struct cu_span details)
{
    return details.n > strlen(AGE_INTRO) && memcmp(details.p, AGE_INTRO, strlen(AGE_INTRO)) == 0;
}

/* ---- the organisation's own key ---- */

void cu_identities_free(struct cu_identities *ids)
{
    for (size_t i = 0; i < ids->n; i++) cu_age_identity_free(&ids->id[i]);
    ids->n = 0;
}

cu_status cu_identities_own(struct cu_place *p, struct cu_span passphrase, struct cu_identities *io, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(16384);
    const cu_status found = cu_fs_read(&p->fs, SEALING_KEY, 16384, &pem, err);

    if (found == CU_NOT_FOUND) return CU_OK;
    TRY(found);
    const cu_status read = cu_age_identity_from_pem(cu_buf_span(&pem), passphrase, &io->id[io->n], err);
    cu_wipe(pem.p, pem.n);
    if (read != CU_OK) return cu_fail_while(err, read, SEALING_KEY);
    io->n++;
    return CU_OK;
}

static cu_status make_own(struct cu_place *p, struct cu_span passphrase, struct cu_identities *io, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(16384);

    TRY(cu_age_identity_generate(&io->id[io->n], err));
    io->n++;
    TRY(cu_age_identity_to_pem(&io->id[io->n - 1], passphrase, &pem, err));
    const cu_status kept = cu_fs_replace_as(&p->fs, SEALING_KEY, CU_DIR_KEYS "/incoming", cu_buf_span(&pem), CU_OPEN_PRIVATE,
                                            true, err);
    cu_wipe(pem.p, pem.n);
    return kept;
}

/* Durable before it is enrolled: an entry never names a key that a crash took. It is the organisation that says so, whoever deposits. */
static cu_status enrol_own(struct cu_place *p, struct cu_span passphrase, struct cu_span name, struct cu_err *err)
{
    CU_CLEANUP(cu_identities_free) struct cu_identities own = { 0 };
    struct cu_outcome outcome;
    uint64_t party;

    TRY(cu_identities_own(p, passphrase, &own, err));
    if (own.n == 0) TRY(make_own(p, passphrase, &own, err));
    const bool own_key = p->own_key;
    p->own_key = false;
    const cu_status enrolled = cu_member_add(p, name, &own.id[0].recipient, CU_SPAN_EMPTY, &party, &outcome, err);
    p->own_key = own_key;
    return enrolled;
}

/* ---- for whom ---- */

struct chosen {
    cu_hash kid;
    struct cu_age_recipient to;
};

static int by_kid(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

static cu_status choose(const struct cu_membership *m, uint64_t party, struct chosen *io, size_t *io_n, struct cu_err *err)
{
    const struct cu_member_key *key = cu_members_sealing(&m->members, party);
    const struct cu_span name = cu_membership_name(m, party);

    ENSURE(key, err, CU_NOT_FOUND, "\"%.*s\" has no sealing key: nothing was read or signed; enrol one with `custody member add`",
           (int)name.n, (const char *)name.p);
    for (size_t i = 0; i < *io_n; i++)
        if (cu_hash_eq(&io[i].kid, &key->kid)) return CU_OK;
    ENSURE(*io_n < CU_AGE_RECIPIENTS_MAX, err, CU_TOO_LARGE, "sealed for more than %d: nothing was read or signed",
           CU_AGE_RECIPIENTS_MAX);
    io[*io_n].kid = key->kid;
    memcpy(io[*io_n].to.share, key->pub.bytes, sizeof io->to.share);
    ++*io_n;
    return CU_OK;
}

static cu_status choose_named(const struct cu_membership *m, struct cu_span name, struct chosen *io, size_t *io_n,
                              struct cu_err *err)
{
    for (uint64_t id = m->members.parties_n; id > 0; id--)
        if (cu_span_eq(cu_membership_name(m, id), name)) return choose(m, id, io, io_n, err);
    return cu_fail(err, CU_NOT_FOUND, "no member is called \"%.*s\": nothing was read or signed; `custody member ls` lists them",
                   (int)name.n, (const char *)name.p);
}

/* With its key enrolled, if it had none. */
static cu_status choose_own(struct cu_place *p, struct cu_span passphrase, struct cu_membership *m, struct chosen *io,
                            size_t *io_n, struct cu_err *err)
{
    const bool afar = p->remote.ops != NULL;
    const struct cu_member_key *signer = cu_members_key(&m->members,
                                                        &p->key[afar ? CU_SIGNER_DEPOSITOR : CU_SIGNER_ORGANISATION].id);

    ENSURE(signer, err, CU_UNKNOWN_KEY, "%s key is none of this ledger's: nothing was read or signed",
           afar ? "this" : "the organisation's");
    const uint64_t party = cu_members_party(&m->members, signer->party)->organisation;
    ENSURE(!afar || cu_members_sealing(&m->members, party), err, CU_NOT_FOUND,
           "the organisation has no sealing key yet, and only where its ledger lies can it make one (`custody deposit --seal` "
           "there does, while no node serves it): nothing was read or signed");
    if (!cu_members_sealing(&m->members, party)) {
        TRY(enrol_own(p, passphrase, cu_membership_name(m, party), err));
        cu_membership_free(m);
        *m = (struct cu_membership){ 0 };
        TRY(cu_membership_read(p, m, err));
    }
    return choose(m, party, io, io_n, err);
}

cu_status cu_sealing_for(struct cu_place *p, struct cu_span names, bool others_only, struct cu_span passphrase,
                         struct cu_sealing *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct chosen chosen[CU_AGE_RECIPIENTS_MAX];
    struct cu_buf kids = cu_buf_over(ret->kids, sizeof ret->kids);
    struct cu_span name;
    size_t n = 0;

    if (p->remote.ops || !others_only) TRY(cu_need_key(p, p->remote.ops ? CU_SIGNER_DEPOSITOR : CU_SIGNER_ORGANISATION, err));
    TRY(cu_membership_read(p, &m, err));
    while (names.n) {
        if (!cu_span_split(&names, ',', &name)) name = names, names.n = 0;
        TRY(choose_named(&m, name, chosen, &n, err));
    }
    if (!others_only) TRY(choose_own(p, passphrase, &m, chosen, &n, err));
    ENSURE(n, err, CU_USAGE, "sealed for nobody: say for whom with --to MEMBER; nothing was read or signed");
    qsort(chosen, n, sizeof *chosen, by_kid);
    for (size_t i = 0; i < n; i++) {
        ret->to[i] = chosen[i].to;
        TRY(cu_schema_write(&cu_id_schema, &chosen[i].kid, &kids, err));
    }
    ret->n = n;
    ret->list = (struct cu_list){ n, cu_buf_span(&kids) };
    return CU_OK;
}

cu_status cu_sealing_second(struct cu_place *p, struct cu_span names, struct cu_sealing *first, struct cu_sealing *ret,
                            struct cu_err *err)
{
    cu_hash kid, other;
    size_t at = 0;

    TRY(cu_sealing_for(p, names, true, CU_SPAN_EMPTY, ret, err));
    while (cu_list_next(&ret->list, &cu_id_schema, &at, &kid))
        for (size_t k = 0; cu_list_next(&first->list, &cu_id_schema, &k, &other);)
            ENSURE(!cu_hash_eq(&kid, &other), err, CU_USAGE,
                   "--and: one member would hold both keys, and open alone what two should open: nothing was read or signed");
    first->second = ret;
    return CU_OK;
}

void cu_sealed_for(const struct cu_place *p, const struct cu_list *kids, struct cu_buf *ret)
{
    const struct cu_member_key *key;
    size_t at = 0;
    cu_hash kid;

    while (cu_list_next(kids, &cu_id_schema, &at, &kid)) {
        cu_buf_add_str(ret, ret->n ? ", " : "");
        key = cu_members_key(&p->members, &kid);
        if (key) cu_buf_add(ret, cu_party_named(p, key->party));
        else cu_buf_add_str(ret, "a key that is not enrolled");
    }
}

void cu_claim_sealed_for(const struct cu_place *p, const struct cu_claim *claim, struct cu_buf *ret)
{
    CU_BUF second = cu_buf_heap(65536);

    if (claim->has_sealed) cu_sealed_for(p, &claim->sealed, ret);
    if (!claim->has_second) return;
    cu_sealed_for(p, &claim->second, &second);
    cu_buf_add_str(ret, " together with ");
    cu_buf_add(ret, cu_buf_span(&second));
}

void cu_row_sealed_for(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *ret)
{
    struct cu_span bytes;
    struct cu_entry e;

    if (row->kind != CU_KIND_DEPOSIT || row->name.n) return; /* a sealed one's name is sealed, too */
    if (cu_log_entry_unproven(&p->log, row->seq, &bytes, NULL) != CU_OK || cu_entry_read(bytes, &e, NULL) != CU_OK) return;
    cu_claim_sealed_for(p, &e.inner.body.claim, ret);
}

/* ---- details ---- */

static cu_status seal_once(const struct cu_sealing *seal, struct cu_span details, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_age_seal *s = calloc(1, sizeof *s);
    cu_status status;

    ENSURE(s, err, CU_NO_MEMORY, "no memory to seal");
    status = cu_age_seal_start(seal->to, seal->n, s, ret, err);
    if (status == CU_OK) status = cu_age_seal_add(s, details, ret, err);
    if (status == CU_OK) status = cu_age_seal_finish(s, ret, err);
    cu_age_seal_free(s);
    free(s);
    return status == CU_OK ? cu_buf_ok(ret, err) : status;
}

cu_status cu_seal_details(const struct cu_sealing *seal, struct cu_span details, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF within = cu_buf_heap(CU_DETAILS_MAX);

    if (!seal->second) return seal_once(seal, details, ret, err);
    TRY(seal_once(seal->second, details, &within, err));
    return seal_once(seal, cu_buf_span(&within), ret, err);
}
