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

    JUDGED(j, INCLUSION, status, NUM(r->seq.v), NUM(c->size.v));
    if (status != CU_OK) return; /* a path that leads elsewhere says nothing of the others */
    for (size_t i = 0; i < j->n; i++) seqs[i].v = j->placed[i].s.seq, leaves[i] = j->placed[i].entry.leaf;
    status = cu_multiproof_verify(seqs, leaves, j->n, c->size, &known, j->extra.hashes.p, j->extra.hashes.n / sizeof(cu_hash),
                                  &c->root, j->err);
    JUDGED(j, SUPPORT, status, NUM(j->n - 1));
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
    hex[16] = '\0';
    cu_shown(r->ledger_name, origin);
    if (!cu_span_eq(r->ledger_name, r->checkpoint.origin)) FAILED(j, ORIGIN, CU_WRONG_NETWORK);
    if (j->trust == NULL) NOTED(j, UNPINNED, STR(origin), STR(hex));
    else if (cu_hash_eq(&r->network, &j->trust->network)) PASSED(j, NETWORK, STR(origin), STR(hex));
    else FAILED(j, NETWORK, CU_WRONG_NETWORK, STR(origin), STR(hex));
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

    if (r->entry.has_inner && r->entry.inner.body.claim.has_sealed) {
        NOTED(j, SEALED, NUM(r->entry.inner.body.claim.sealed.n));
        if (r->entry.inner.body.claim.has_second) NOTED(j, SEALED_TWO, NUM(r->entry.inner.body.claim.second.n));
        return;
    }
    cu_status status = cu_details_check(r->record.details, r->entry.kind, &d, NULL);
    if (status != CU_OK) NOTED(j, PROFILE);
    else if (r->entry.has_inner) show_deposit(r, &d.deposit);
}

static cu_status judge_brought_details(struct cu_judge *j)
{
    for (const struct cu_placed *p = j->placed; p < j->placed + j->n; p++) {
        if (!p->s.has_details || cu_judge_is_record(j, p)) continue;
        const cu_hash *promised = cu_entry_commitment(&p->entry);
        ENSURE(promised != NULL, j->err, CU_MALFORMED, "receipt: entry %llu has no details, but some go with it", LLU(p->s.seq));
        cu_hash found = cu_commitment(p->s.salt, p->s.details);
        if (!cu_hash_eq(&found, promised)) FAILED(j, SUPPORT_DETAILS, CU_BAD_ATTACHMENT, NUM(p->s.seq));
    }
    return CU_OK;
}

cu_status cu_judge_attachments(struct cu_judge *j)
{
    const struct cu_record *record = &j->report->record;
    cu_status status = cu_record_match(record, &j->report->entry, j->err);

    if (status != CU_OK || record->details.n > 0) JUDGED(j, DETAILS, status);
    if (status == CU_OK && record->content.p != NULL) PASSED(j, CONTENT, NUM(record->content.n));
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
    if (status == CU_OK && !same) status = cu_fail(j->err, CU_BAD_HASH, "it has other items, bytes or items' root");
    if (same) r->manifest = r->record.content;
    JUDGED(j, MANIFEST, status, NUM(claim->folder.items), NUM(claim->folder.bytes));
}

static void judge_content_digest(struct cu_judge *j)
{
    cu_hash sha256 = cu_sha256(j->report->record.content);

    if (cu_hash_eq(&sha256, &j->report->sha256)) PASSED(j, CONTENT_SHA256);
    else FAILED(j, CONTENT_SHA256, CU_BAD_HASH);
}

static void compare(struct cu_judge *j, const struct cu_claim *claim, const struct cu_evidence *e)
{
    struct cu_report *r = j->report;
    bool folder = claim->content == CU_CONTENT_FOLDER;
    struct cu_arg what = TWO(folder ? "manifest" : "file", folder ? "清单" : "文件"), wrong = { .n = 0 };

    if (e->size != claim->size) wrong = (struct cu_arg)TWO("it has another size", "大小不同");
    else if (!cu_hash_eq(&e->root, &claim->root)) wrong = (struct cu_arg)TWO("its bytes differ", "字节不同");
    else if (!folder && r->has_sha256 && !cu_hash_eq(&e->sha256, &r->sha256))
        wrong = (struct cu_arg)TWO("its SHA-256 is not the signed one", "其 SHA-256 与所签的不符");
    if (!folder) r->evidence = wrong.en ? CU_EVIDENCE_OTHER : CU_EVIDENCE_SAME;
    if (wrong.en) FAILED(j, EVIDENCE, CU_BAD_HASH, what, NUM(claim->size), wrong);
    else PASSED(j, EVIDENCE, what, NUM(claim->size));
}

void cu_judge_evidence(struct cu_judge *j, const struct cu_evidence *evidence)
{
    const struct cu_report *r = j->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    bool given = evidence != NULL && evidence->given, inside = r->record.content.p != NULL;

    if (!r->entry.has_inner) {
        if (given) UNPROVEN(j, TARGET, CU_UNKNOWN_TARGET, KIND(r->entry.kind));
        return;
    }
    if (inside && claim->content == CU_CONTENT_FOLDER) judge_manifest(j, claim);
    if (inside && claim->content == CU_CONTENT_ITEM && r->has_sha256) judge_content_digest(j);
    if (given) compare(j, claim, evidence);
}
