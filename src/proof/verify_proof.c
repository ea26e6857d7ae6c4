/* Integrity: the entries are in the log, the ledger is the pinned one, attachments and evidence are what was signed. */
#include "judge.h"

#include "custody/content.h"

#include <stdio.h>

/* ---- in the log ---------------------------------------------------------------------------------------------------- */

void cu_judge_inclusion(struct cu_judge *j)
{
    const struct cu_report *r = j->report;
    const struct cu_checkpoint *c = &r->checkpoint;
    struct cu_path_known path = { r->seq, c->size, j->proof.path, j->proof.n };
    struct cu_known known = cu_known_path(&path);
    cu_seq seqs[CU_RECEIPT_SUPPORT_MAX + 1];
    cu_hash leaves[CU_RECEIPT_SUPPORT_MAX + 1];
    cu_status status = cu_inclusion_verify(&r->leaf, r->seq, c->size, j->proof.path, j->proof.n, &c->root, j->err);

    if (status == CU_OK) PASSED(j, INTEGRITY, "entry %llu is in the log of %llu entries", LLU(r->seq.v), LLU(c->size.v));
    else FAILED(j, INTEGRITY, status, "entry %llu is not shown to be in the log: %.120s", LLU(r->seq.v), j->err->text);

    for (size_t i = 0; i < j->n; i++) seqs[i].v = j->placed[i].s.seq, leaves[i] = j->placed[i].entry.leaf;
    status = cu_multiproof_verify(seqs, leaves, j->n, c->size, &known, j->extra.hashes.p, j->extra.hashes.n / sizeof(cu_hash),
                                  &c->root, j->err);
    if (status == CU_OK) PASSED(j, INTEGRITY, "the %zu entries that go with it are in the same log", j->n - 1);
    else FAILED(j, INTEGRITY, status, "the entries that go with it are not shown to be in the log: %.110s", j->err->text);
}

/* ---- of the pinned ledger ------------------------------------------------------------------------------------------ */

/* The genesis names the ledger, its keys, and in its details the parties. */
static cu_status read_genesis(struct cu_judge *j)
{
    struct cu_placed *first = &j->placed[0];
    struct cu_details_genesis names;

    ENSURE(first->s.seq == 0 && first->entry.kind == CU_KIND_GENESIS, j->err, CU_MALFORMED,
           "receipt: entry 0, the genesis, is missing");
    first->used = true;
    j->genesis = first->entry.outer.body.genesis;
    j->report->network = first->entry.leaf;
    j->report->ledger_name = j->genesis.origin;
    if (cu_schema_read(cu_profile_schema(CU_PROFILE_GENESIS), first->s.details, &names, NULL) == CU_OK) j->names = names.parties;
    return CU_OK;
}

cu_status cu_judge_network(struct cu_judge *j)
{
    const struct cu_report *r = j->report;
    char hex[65], origin[CU_SHOWN];

    TRY(read_genesis(j));
    cu_hash_hex(&r->network, hex);
    cu_shown(r->ledger_name, origin);
    if (!cu_span_eq(r->ledger_name, r->checkpoint.origin))
        FAILED(j, INTEGRITY, CU_WRONG_NETWORK, "the checkpoint is not of the log that the genesis names");
    if (j->trust == NULL)
        cu_judge_note(j, "the ledger is %s, network id %.16s…; nothing is pinned to compare it with", origin, hex);
    else if (cu_hash_eq(&r->network, &j->trust->network))
        PASSED(j, SIGNER, "the ledger is the pinned one: %s, network id %.16s…", origin, hex);
    else FAILED(j, SIGNER, CU_WRONG_NETWORK, "the receipt is of another ledger (network id %.16s…) than the pinned one", hex);
    return CU_OK;
}

/* ---- what is attached ---------------------------------------------------------------------------------------------- */

/* Which names and digests people see of a deposit. */
static void show_deposit(struct cu_report *r, const struct cu_details_deposit *d)
{
    struct cu_detail_digest sha256; /* which a profile's digests begin with */
    size_t at = 0;

    r->item_name = d->name;
    r->label = d->label;
    r->has_sha256 = cu_list_next(&d->digests, &cu_detail_digest_schema, &at, &sha256);
    if (r->has_sha256) memcpy(r->sha256.b, sha256.value.p, sizeof r->sha256);
}

/* The profile says which fields there are; what was signed stays signed, whatever they say. */
static void judge_details(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    union cu_details d;
    cu_status status = cu_details_check(r->record.details, r->entry.kind, &d, NULL);

    if (status == CU_WRONG_KIND || status == CU_NEWER_FORMAT)
        cu_judge_note(j, "the details are of a profile that is not known here: they are not interpreted");
    else if (status != CU_OK) cu_judge_note(j, "the details do not have the fields of their profile: they are not interpreted");
    else if (r->entry.has_inner) show_deposit(r, &d.deposit);
}

static cu_status judge_brought_details(struct cu_judge *j)
{
    for (const struct cu_placed *p = j->placed; p < j->placed + j->n; p++) {
        if (!p->s.has_details || cu_judge_is_record(j, p)) continue;
        const cu_hash *promised = cu_entry_commitment(&p->entry);
        ENSURE(promised != NULL, j->err, CU_MALFORMED, "receipt: entry %llu has no details, but some go with it", LLU(p->s.seq));
        cu_hash found = cu_commitment(p->s.salt, p->s.details);
        if (!cu_hash_eq(&found, promised))
            FAILED(j, INTEGRITY, CU_BAD_ATTACHMENT, "the details of entry %llu are not those that were signed", LLU(p->s.seq));
    }
    return CU_OK;
}

cu_status cu_judge_attachments(struct cu_judge *j)
{
    const struct cu_record *record = &j->report->record;
    cu_status status = cu_record_match(record, &j->report->entry, j->err);

    if (status != CU_OK) FAILED(j, INTEGRITY, status, "what is attached is not what was signed: %.150s", j->err->text);
    else if (record->content.p != NULL)
        PASSED(j, INTEGRITY, "details and content (%zu bytes, in the receipt) are those that were signed", record->content.n);
    else if (record->details.n > 0) PASSED(j, INTEGRITY, "the details are those that were signed");
    if (status == CU_OK && record->details.n > 0) judge_details(j);
    return judge_brought_details(j);
}

/* ---- the evidence -------------------------------------------------------------------------------------------------- */

/* The manifest inside the receipt adds up to what the claim says of the folder. */
static void judge_manifest(struct cu_judge *j, const struct cu_claim *claim)
{
    struct cu_report *r = j->report;
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;
    cu_status status = cu_manifest_open(r->record.content, &m, j->err);

    while (status == CU_OK && more) status = cu_manifest_next(&m, &item, &more, j->err);
    cu_hash root = status == CU_OK ? cu_manifest_root(&m) : (cu_hash){ { 0 } };
    bool same = status == CU_OK && m.header.items == claim->folder.items && m.header.bytes == claim->folder.bytes &&
                cu_hash_eq(&root, &claim->folder.root);
    if (!same) {
        FAILED(j, INTEGRITY, status != CU_OK ? status : CU_BAD_HASH,
               "the manifest does not add up to what was signed of the folder");
        return;
    }
    r->manifest = r->record.content;
    PASSED(j, INTEGRITY, "the manifest of the folder is in the receipt: %llu items, %llu bytes", LLU(claim->folder.items),
           LLU(claim->folder.bytes));
}

static void judge_content_digest(struct cu_judge *j)
{
    cu_hash sha256 = cu_sha256(j->report->record.content);

    if (cu_hash_eq(&sha256, &j->report->sha256))
        PASSED(j, INTEGRITY, "the content in the receipt has the SHA-256 that was signed");
    else FAILED(j, INTEGRITY, CU_BAD_HASH, "the content in the receipt does not have the SHA-256 that was signed");
}

static void compare(struct cu_judge *j, const struct cu_claim *claim, const struct cu_evidence *e)
{
    struct cu_report *r = j->report;
    bool folder = claim->content == CU_CONTENT_FOLDER;
    const char *what = folder ? "the manifest that was given" : "the file that was given";
    const char *wrong = e->size != claim->size                ? "has another size than what was signed"
                        : !cu_hash_eq(&e->root, &claim->root) ? "is not what was signed: its bytes differ"
                        : !folder && r->has_sha256 && !cu_hash_eq(&e->sha256, &r->sha256)
                            ? "does not have the SHA-256 that was signed"
                            : NULL;
    if (!folder) r->evidence = wrong ? CU_EVIDENCE_OTHER : CU_EVIDENCE_SAME;
    if (wrong) FAILED(j, INTEGRITY, CU_BAD_HASH, "%s %s", what, wrong);
    else PASSED(j, INTEGRITY, "%s is what was signed: %llu bytes, every one compared", what, LLU(claim->size));
}

void cu_judge_evidence(struct cu_judge *j, const struct cu_evidence *evidence)
{
    const struct cu_report *r = j->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    bool given = evidence != NULL && evidence->given, inside = r->record.content.p != NULL;

    if (!r->entry.has_inner) {
        if (given)
            UNPROVEN(j, INTEGRITY, CU_UNKNOWN_TARGET, "a %s says nothing about any file: nothing was compared",
                     cu_kind_row(r->entry.kind)->name);
        return;
    }
    if (inside && claim->content == CU_CONTENT_FOLDER) judge_manifest(j, claim);
    if (inside && claim->content == CU_CONTENT_ITEM && r->has_sha256) judge_content_digest(j);
    if (given) compare(j, claim, evidence);
}
