/* Integrity: the entries are in the log, the ledger is the pinned one, attachments and evidence are what was signed. */
#include "judge.h"

#include "custody/content.h"

#include <stdio.h>

/* ---- in the log ---------------------------------------------------------------------------------------------------- */

/* Record and brought entries, positions ascending. */
static size_t all_leaves(const struct cu_judge *j, cu_seq *seqs, cu_hash *leaves)
{
    size_t n = 0;
    bool placed = false;

    for (size_t i = 0; i <= j->n; i++) {
        if (!placed && (i == j->n || j->brought[i].s.seq > j->report->seq.v)) {
            seqs[n] = j->report->seq;
            leaves[n++] = j->report->leaf;
            placed = true;
        }
        if (i == j->n) break;
        seqs[n].v = j->brought[i].s.seq;
        leaves[n++] = j->brought[i].leaf;
    }
    return n;
}

void cu_judge_inclusion(struct cu_judge *j)
{
    const struct cu_checkpoint *c = &j->report->checkpoint;
    struct cu_path_known path = { j->report->seq, c->size, j->proof.path, j->proof.n };
    struct cu_known known = cu_known_path(&path);
    cu_seq seqs[CU_RECEIPT_SUPPORT_MAX + 1];
    cu_hash leaves[CU_RECEIPT_SUPPORT_MAX + 1];
    size_t n = all_leaves(j, seqs, leaves), hashes = j->extra.hashes.n / sizeof(cu_hash);
    cu_status status = cu_inclusion_verify(&j->report->leaf, j->report->seq, c->size, j->proof.path, j->proof.n, &c->root,
                                           j->err);

    if (status == CU_OK)
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK, "entry %llu is in the log of %llu entries", LLU(j->report->seq.v),
                     LLU(c->size.v));
    else
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, status, "entry %llu is not shown to be in the log: %.120s",
                     LLU(j->report->seq.v), j->err->text);

    status = cu_multiproof_verify(seqs, leaves, n, c->size, &known, j->extra.hashes.p, hashes, &c->root, j->err);
    if (status == CU_OK)
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK, "the %zu entries that go with it are in the same log", j->n);
    else
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, status,
                     "the entries that go with it are not shown to be in the log: %.110s", j->err->text);
}

/* ---- of the pinned ledger ------------------------------------------------------------------------------------------ */

static cu_status find_genesis(struct cu_judge *j, struct cu_span *ret, cu_hash *ret_leaf)
{
    struct cu_brought *b = cu_judge_at(j, 0);
    bool is_record = j->report->seq.v == 0;
    enum cu_kind kind = is_record ? j->report->entry.kind : b != NULL ? b->kind : CU_KIND_NONE;

    ENSURE(kind == CU_KIND_GENESIS, j->err, CU_MALFORMED, "receipt: entry 0, the genesis, is missing");
    *ret = is_record ? j->report->record.entry : b->s.entry;
    *ret_leaf = is_record ? j->report->leaf : b->leaf;
    if (b != NULL) b->used = true;
    return CU_OK;
}

cu_status cu_judge_network(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    char hex[65], origin[CU_SHOWN];
    struct cu_entry entry;
    struct cu_span bytes;

    TRY(find_genesis(j, &bytes, &r->network));
    TRY(cu_entry_read(bytes, &entry, j->err));
    j->genesis = entry.outer.body.genesis;
    r->ledger_name = j->genesis.origin;
    cu_hash_hex(&r->network, hex);
    if (!cu_span_eq(j->genesis.origin, r->checkpoint.origin))
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, CU_WRONG_NETWORK,
                     "the checkpoint is not of the log that the genesis names");
    if (j->trust == NULL)
        cu_judge_note(j, "the ledger is %s, network id %.16s…; nothing is pinned to compare it with",
                      cu_shown(r->ledger_name, origin), hex);
    else if (cu_hash_eq(&r->network, &j->trust->network))
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_PASS, CU_OK, "the ledger is the pinned one: %s, network id %.16s…",
                     cu_shown(r->ledger_name, origin), hex);
    else
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_FAIL, CU_WRONG_NETWORK,
                     "the receipt is of another ledger (network id %.16s…) than the pinned one", hex);
    return CU_OK;
}

/* ---- what is attached ---------------------------------------------------------------------------------------------- */

static const struct {
    enum cu_kind kind;
    enum cu_profile profile[2];
} profiles[] = {
    { CU_KIND_GENESIS, { CU_PROFILE_GENESIS } },
    { CU_KIND_CASE, { CU_PROFILE_CASE } },
    { CU_KIND_VOID, { CU_PROFILE_VOID } },
    { CU_KIND_CORRECTION, { CU_PROFILE_CORRECTION } },
    { CU_KIND_INCIDENT, { CU_PROFILE_INCIDENT } },
    { CU_KIND_ACCESS, { CU_PROFILE_ACCESS } },
    { CU_KIND_DEPOSIT, { CU_PROFILE_PLAIN, CU_PROFILE_POLICE_COLLECTION } },
    { CU_KIND_REFUSAL, { CU_PROFILE_PLAIN, CU_PROFILE_POLICE_COLLECTION } },
};

static bool profile_fits(enum cu_kind kind, enum cu_profile profile)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (profiles[i].kind == kind)
            return profile != CU_PROFILE_NONE && (profiles[i].profile[0] == profile || profiles[i].profile[1] == profile);
    return false;
}

/* The profile says which fields there are; what was signed stays signed, whatever they say. */
static void judge_profile(struct cu_judge *j)
{
    const struct cu_record *record = &j->report->record;
    enum cu_profile profile = cu_details_profile(record->details);
    union {
        struct cu_details_deposit deposit;
        struct cu_details_genesis genesis;
        struct cu_details_case a_case;
        struct cu_details_text text;
        struct cu_details_rows rows;
    } read;

    if (!profile_fits(j->report->entry.kind, profile))
        cu_judge_note(j, "the details are of a profile that is not known here: they are not interpreted");
    else if (cu_schema_read(cu_profile_schema(profile), record->details, &read, NULL) != CU_OK)
        cu_judge_note(j, "the details do not have the fields of their profile: they are not interpreted");
}

/* Which names and digests people see of a deposit. */
static void read_deposit_details(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    enum cu_profile profile = cu_details_profile(r->record.details);
    struct cu_details_deposit d;
    struct cu_detail_digest digest;
    size_t at = 0;

    if (!profile_fits(CU_KIND_DEPOSIT, profile) ||
        cu_schema_read(cu_profile_schema(profile), r->record.details, &d, NULL) != CU_OK)
        return;
    r->item_name = d.name;
    if (d.has_label) r->label = d.label;
    if (!d.has_digests) return;
    while (cu_list_next(&d.digests, &cu_detail_digest_schema, &at, &digest))
        if (digest.alg == CU_DIGEST_SHA256 && digest.value.n == sizeof r->sha256) {
            memcpy(r->sha256.b, digest.value.p, sizeof r->sha256);
            r->has_sha256 = true;
        }
}

static cu_status judge_brought_details(struct cu_judge *j)
{
    struct cu_entry entry;

    for (size_t i = 0; i < j->n; i++) {
        const struct cu_support *s = &j->brought[i].s;
        if (!s->has_details) continue;
        TRY(cu_entry_read(s->entry, &entry, j->err));
        const cu_hash *promised = cu_entry_commitment(&entry);
        ENSURE(promised != NULL, j->err, CU_MALFORMED, "receipt: entry %llu has no details, but some go with it", LLU(s->seq));
        cu_hash found = cu_commitment(s->salt, s->details);
        if (!cu_hash_eq(&found, promised))
            cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, CU_BAD_ATTACHMENT,
                         "the details of entry %llu are not those that were signed", LLU(s->seq));
    }
    return CU_OK;
}

cu_status cu_judge_attachments(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    cu_status status = cu_record_match(&r->record, &r->entry, j->err);

    if (status != CU_OK)
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, status, "what is attached is not what was signed: %.150s", j->err->text);
    else if (r->record.content.p != NULL)
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK,
                     "details and content (%zu bytes, in the receipt) are those that were signed", r->record.content.n);
    else if (r->record.details.n > 0)
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK, "the details are those that were signed");
    if (status == CU_OK && r->record.details.n > 0) judge_profile(j);
    if (status == CU_OK && (r->entry.kind == CU_KIND_DEPOSIT || r->entry.kind == CU_KIND_REFUSAL)) read_deposit_details(j);
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
    if (same) {
        r->manifest = r->record.content;
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK,
                     "the manifest of the folder is in the receipt: %llu items, %llu bytes", LLU(claim->folder.items),
                     LLU(claim->folder.bytes));
    } else
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, status != CU_OK ? status : CU_BAD_HASH,
                     "the manifest does not add up to what was signed of the folder");
}

static void judge_content_digest(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    cu_hash sha256 = cu_sha256(r->record.content);

    if (cu_hash_eq(&sha256, &r->sha256))
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK, "the content in the receipt has the SHA-256 that was signed");
    else
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, CU_BAD_HASH,
                     "the content in the receipt does not have the SHA-256 that was signed");
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
    if (wrong) cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_FAIL, CU_BAD_HASH, "%s %s", what, wrong);
    else
        cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_PASS, CU_OK, "%s is what was signed: %llu bytes, every one compared", what,
                     LLU(claim->size));
}

void cu_judge_evidence(struct cu_judge *j, const struct cu_evidence *evidence)
{
    const struct cu_report *r = j->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    bool given = evidence != NULL && evidence->given;

    if (r->entry.kind != CU_KIND_DEPOSIT && r->entry.kind != CU_KIND_REFUSAL) {
        if (given)
            cu_judge_say(j, CU_VERDICT_INTEGRITY, CU_NOT_PROVEN, CU_UNKNOWN_TARGET,
                         "a %s says nothing about any file: nothing was compared", cu_kind_row(r->entry.kind)->name);
        return;
    }
    if (r->record.content.p != NULL && claim->content == CU_CONTENT_FOLDER) judge_manifest(j, claim);
    if (r->record.content.p != NULL && claim->content == CU_CONTENT_ITEM && r->has_sha256) judge_content_digest(j);
    if (given) compare(j, claim, evidence);
}
