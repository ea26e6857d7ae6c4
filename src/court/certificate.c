/* The certificate from the front page to the last form. */
#include "court/certificate.h"

#include "custody/digest.h"
#include "custody/text.h"
#include "custody/words.h"

#include <stdlib.h>

#define LLU(x) ((unsigned long long)(x))

void cu_qr_text(const cu_hash *network, const cu_hash *id, const cu_hash *leaf, struct cu_buf *out)
{
    cu_buf_add_str(out, "custody-qr/v1\nnetwork ");
    cu_words_put(out, network);
    cu_buf_add_str(out, "\nid ");
    cu_hex_put(out, cu_span_hash(id));
    cu_buf_add_str(out, "\nleaf ");
    cu_hex_put(out, cu_span_hash(leaf));
    cu_buf_add_byte(out, '\n');
}

/* ---- what all parts use ---- */
void cu_cert_form(struct cu_certifying *c, const char *caption_en, const char *caption_zh)
{
    static const struct cu_draft_column columns[] = { { 22, "Statement", "事项" },
                                                      { 52, "Value", "内容" },
                                                      { 26, "Proven by", "证明" } };

    cu_draft_table(c->d, true, cu_two(caption_en, caption_zh), columns, 3);
}

void cu_cert_row(struct cu_certifying *c, const char *en, const char *zh, struct cu_paper_text value, struct cu_paper_text proof)
{
    cu_draft_cell(c->d, cu_two(en, zh));
    cu_draft_cell(c->d, value);
    cu_draft_cell(c->d, proof);
}

void cu_cert_hash(struct cu_certifying *c, const char *en, const char *zh, const cu_hash *value, struct cu_paper_text proof)
{
    cu_draft_cell(c->d, cu_two(en, zh));
    cu_draft_code(c->d, cu_draft_hex(c->d, cu_span_hash(value)));
    cu_draft_cell(c->d, proof);
}

struct cu_paper_text cu_cert_proof(struct cu_certifying *c, cu_seq seq, const char *checks)
{
    return cu_one(cu_draft_f(c->d, "entry 记录 %llu%s%s", LLU(seq.v), *checks ? " · " : "", checks));
}

struct cu_paper_text cu_cert_word(struct cu_certifying *c, cu_seq seq)
{
    return cu_one(cu_draft_f(c->d, "entry 记录 %llu · details\n(depositor's word 存证人陈述)", LLU(seq.v)));
}

struct cu_paper_text cu_cert_holder(struct cu_certifying *c, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&c->p->members, kid);
    const struct cu_member_party *party = key ? cu_members_party(&c->p->members, key->party) : NULL;

    if (!party) return cu_two("nobody whom this ledger enrolled", "本账本未登记的人");
    const struct cu_span name = cu_draft_shown(c->d, cu_party_named(c->p, party->id));
    const struct cu_span office = cu_draft_shown(c->d, cu_party_named(c->p, party->organisation));
    if (party->id == party->organisation) return cu_one(name);
    return cu_one(cu_draft_f(c->d, "%.*s, %.*s", (int)name.n, (const char *)name.p, (int)office.n, (const char *)office.p));
}

/* ---- one receipt ---- */
void cu_certified_free(struct cu_certified *e)
{
    cu_buf_free(&e->receipt);
    cu_found_free(&e->found);
    free(e->report);
    free(e->scratch);
}

static void read_details(struct cu_certified *e)
{
    enum cu_profile profile;
    union cu_details details;

    if (e->report->record.details.n == 0 || cu_details_read(e->report->record.details, &profile, &details, NULL) != CU_OK) return;
    e->has_details = profile == CU_PROFILE_PLAIN || profile == CU_PROFILE_POLICE_COLLECTION;
    if (e->has_details) e->details = details.deposit;
}

cu_status cu_certify(struct cu_certifying *c, size_t i, struct cu_certified *ret, struct cu_err *err)
{
    *ret = (struct cu_certified){ .what = &c->what[i], .receipt = cu_buf_heap(CU_RECEIPT_MAX) };
    ret->report = malloc(sizeof *ret->report);
    ret->scratch = malloc(CU_VERIFY_SCRATCH);
    ENSURE(ret->report && ret->scratch, err, CU_NO_MEMORY, "no memory to judge a receipt");
    TRY(cu_lookup_seq(c->p, c->what[i].seq, &ret->found, err));
    ENSURE(ret->found.row.kind == CU_KIND_DEPOSIT, err, CU_USAGE,
           "entry %llu is no exhibit but a %s: a certificate is about exhibits", LLU(c->what[i].seq.v),
           cu_kind_row(ret->found.row.kind)->name);
    if (c->what[i].bytes.n) cu_buf_add(&ret->receipt, c->what[i].bytes);
    else TRY(cu_receipt_of(c->p, c->what[i].seq, &ret->receipt, err));
    TRY(cu_buf_ok(&ret->receipt, err));
    TRY(cu_receipt_verify(cu_buf_span(&ret->receipt), &c->p->trust, NULL, &c->p->verifier, ret->scratch, ret->report, err));
    if (ret->found.row.recorded.v > c->newest.v) c->newest = ret->found.row.recorded;
    read_details(ret);
    return CU_OK;
}

/* "sha256 a79e…\nsm3 …"; of a folder, the root that binds all of its items. */
static struct cu_span digests_text(struct cu_certifying *c, const struct cu_certified *e)
{
    const struct cu_claim *claim = &e->report->entry.inner.body.claim;
    CU_BUF out = cu_buf_heap(4096);
    struct cu_detail_digest digest;
    size_t at = 0;

    while (e->has_details && e->details.has_digests &&
           cu_list_next(&e->details.digests, &cu_detail_digest_schema, &at, &digest)) {
        cu_buf_addf(&out, "%s%s ", out.n ? "\n" : "", cu_digest_name((enum cu_digest_alg)digest.alg));
        cu_hex_put(&out, digest.value);
    }
    if (out.n == 0) {
        cu_buf_addf(&out, "root %s", claim->has_folder ? "(folder) " : "");
        cu_hex_put(&out, cu_span_hash(&claim->root));
    }
    return cu_draft_shown(c->d, cu_buf_span(&out));
}

static cu_status summarise(struct cu_certifying *c, size_t i, struct cu_err *err)
{
    CU_CLEANUP(cu_certified_free) struct cu_certified e = { 0 };
    struct cu_cert_summary *s = &c->summary[i];

    TRY(cu_certify(c, i, &e, err));
    const struct cu_claim *claim = &e.report->entry.inner.body.claim;
    s->row = e.found.row;
    s->exhibit = cu_draft_shown(c->d, cu_span_str(c->what[i].name));
    s->name = cu_draft_shown(c->d, e.report->item_name);
    s->media = cu_draft_shown(c->d, e.details.media);
    s->category = cu_draft_shown(c->d, e.details.category);
    s->format = cu_draft_shown(c->d, e.details.format);
    s->digests = digests_text(c, &e);
    s->bytes = claim->has_folder ? claim->folder.bytes : claim->size;
    s->recorded = e.report->recorded_by;
    s->size = e.report->checkpoint.size;
    s->root = e.report->checkpoint.root;
    s->one_keeper = e.report->one_keeper;
    memcpy(s->verdict, e.report->verdict, sizeof s->verdict);
    return CU_OK;
}

/* ---- the front page ---- */
static void put_overview(struct cu_certifying *c)
{
    static const struct cu_draft_column columns[] = { { 11, "Exhibit", "物证" },
                                                      { 29, "Name", "名称" },
                                                      { 13, "Bytes", "字节" },
                                                      { 21, "Recorded by", "入账不晚于" },
                                                      { 26, "Integrity / signer / time", "完整 / 签名 / 时间" } };

    cu_draft_heading(c->d, 2, cu_two("What it certifies", "证明事项"));
    cu_draft_table(c->d, false, cu_one(CU_SPAN_EMPTY), columns, 5);
    for (size_t i = 0; i < c->n; i++) {
        const struct cu_cert_summary *s = &c->summary[i];
        const enum cu_verdict *v = s->verdict;
        cu_draft_cell(c->d, cu_one(s->exhibit));
        cu_draft_cell(c->d, cu_one(s->name));
        cu_draft_cell(c->d, cu_one(cu_draft_f(c->d, "%llu", LLU(s->bytes))));
        cu_draft_cell(c->d, cu_one(cu_draft_time(c->d, s->recorded)));
        cu_draft_cell(c->d,
                      (struct cu_paper_text){
                          cu_draft_f(c->d, "%s / %s / %s", cu_verdict_text(v[0]), cu_verdict_text(v[1]), cu_verdict_text(v[2])),
                          cu_draft_f(c->d, "%s / %s / %s", cu_verdict_zh(v[0]), cu_verdict_zh(v[1]), cu_verdict_zh(v[2])) });
    }
}

static void put_how_to_read(struct cu_certifying *c)
{
    cu_draft_paragraph(c->d, cu_two("This paper was written by a program from the records of an evidence ledger. It invents "
                                    "nothing: beside each statement stands the "
                                    "entry of the ledger that holds it, and the check of the exhibit's receipt by which anybody "
                                    "verifies it. What nobody proves is called "
                                    "NOT PROVEN; that is no accusation, it says whose word it is.",
                                    "本文由程序依据证据账本的记录写成，没有任何虚构：每项陈述旁注明载有它的账本记录，以及任何人可"
                                    "据以核验的回执校验项。无人证明之事写作“未经证明”；"
                                    "这并非指控，只是说明出自谁的陈述。"));
    cu_draft_paragraph(c->d, cu_two("To verify: (1) compare the 24 network words below with those that the ledger's keeper "
                                    "publishes, or reads out by telephone; (2) open "
                                    "verify.html of the package in a browser, or follow README.txt with tools that are not ours; "
                                    "(3) compare the SHA-256 of each file with "
                                    "this paper. No network and no trust in this paper is needed.",
                                    "核验方法：（一）将下列24个网络词与账本保管方公布或电话读出的词核对；（二）用浏览器打开材料包"
                                    "中的 verify.html，或按 README.txt "
                                    "使用第三方工具核验；（三）将每个文件的 SHA-256 与本文核对。无需联网，也无需信任本文。"));
}

/* ---- the ledger ---- */
static void put_words(struct cu_certifying *c)
{
    uint8_t text[CU_WORDS_TEXT];
    struct cu_buf words = cu_buf_over(text, sizeof text);

    cu_words_put(&words, &c->p->trust.network);
    cu_cert_row(c, "In 24 words", "24个网络词", cu_one(cu_draft_shown(c->d, cu_buf_span(&words))),
                cu_two("compare with a published source", "与公布的来源核对"));
}

static void put_grouped_hash(struct cu_certifying *c, const char *en, const char *zh, const cu_hash *hash,
                             struct cu_paper_text proof)
{
    char hex[65];

    cu_hash_hex(hash, hex);
    cu_draft_cell(c->d, cu_two(en, zh));
    cu_draft_code(c->d, cu_draft_f(c->d, "%.8s %.8s %.8s %.8s %.8s %.8s %.8s %.8s", hex, hex + 8, hex + 16, hex + 24, hex + 32,
                                   hex + 40, hex + 48, hex + 56));
    cu_draft_cell(c->d, proof);
}

static void put_parties(struct cu_certifying *c)
{
    static const struct {
        uint64_t role;
        const char *en, *zh;
    } roles[] = { { CU_ROLE_DEPOSITOR, "Depositor", "存证人" },
                  { CU_ROLE_PROVIDER, "Provider", "云服务方" },
                  { CU_ROLE_ORGANISATION, "Organisation", "机构" } };

    for (size_t i = 0; i < c->p->members.keys_n; i++) {
        const struct cu_member_key *key = &c->p->members.key[i];
        const struct cu_member_party *party = cu_members_party(&c->p->members, key->party);
        if (key->purpose != CU_PURPOSE_STATEMENT || !party) continue;
        const struct cu_paper_text who = cu_cert_holder(c, &key->kid);
        char hex[65];
        cu_hash_hex(&key->kid, hex);
        for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
            if (party->role & roles[k].role)
                cu_cert_row(c, roles[k].en, roles[k].zh,
                            cu_one(cu_draft_f(c->d, "%.*s\nkey 密钥 %s", (int)who.en.n, (const char *)who.en.p, hex)),
                            cu_cert_proof(c, (cu_seq){ 0 }, "confirm"));
    }
}

static void put_ledger(struct cu_certifying *c)
{
    const struct cu_genesis *genesis = &c->p->genesis.outer.body.genesis;
    const cu_seq first = { 0 };
    struct cu_span origin = genesis->origin, name = CU_SPAN_EMPTY;
    enum cu_profile profile;
    union cu_details details;

    if (c->p->genesis_details.n > CU_SALT_LEN &&
        cu_details_read(cu_span(c->p->genesis_details.p + CU_SALT_LEN, c->p->genesis_details.n - CU_SALT_LEN), &profile, &details,
                        NULL) == CU_OK)
        name = cu_draft_shown(c->d, details.genesis.name);
    if (origin.n > 33) origin.n -= 33; /* its nonce: the network id says which ledger of that name */
    cu_draft_heading(c->d, 2, cu_two("The ledger", "账本"));
    cu_cert_form(c, "", "");
    cu_cert_row(c, "Name", "名称",
                cu_one(cu_draft_f(c->d, "%.*s\n%.*s", (int)name.n, (const char *)name.p, (int)origin.n, (const char *)origin.p)),
                cu_cert_proof(c, first, "network"));
    put_grouped_hash(c, "Network id", "网络标识", &c->p->trust.network, cu_cert_proof(c, first, "network"));
    put_words(c);
    cu_cert_row(c, "As of", "截至",
                (struct cu_paper_text){ cu_draft_f(c->d, "%llu entries", LLU(c->summary[0].size.v)),
                                        cu_draft_f(c->d, "共%llu条记录", LLU(c->summary[0].size.v)) },
                cu_two("the signed checkpoint in each receipt · checkpoint", "各回执内签名的检查点 · checkpoint"));
    cu_cert_hash(c, "Root of the log", "日志根", &c->summary[0].root,
                 cu_two("the same checkpoint · inclusion", "同一检查点 · inclusion"));
    put_parties(c);
    cu_cert_row(c, "Copies required", "要求的副本",
                (struct cu_paper_text){ cu_draft_f(c->d, "%llu, beside the provider's own", LLU(genesis->policy.copies)),
                                        cu_draft_f(c->d, "%llu份，云服务方自存的除外", LLU(genesis->policy.copies)) },
                cu_cert_proof(c, first, "copies"));
    if (c->summary[0].one_keeper)
        cu_cert_row(c, "Keeper", "保管方",
                    cu_two("One organisation holds every key and runs the only clock. It could have rewritten the whole ledger "
                           "until an outside witness signs; "
                           "any receipt handed out before would convict it.",
                           "全部密钥由一个机构持有，时钟也只有一个。在外部见证方签名之前，该机构可改写整个账本；此前交出的任何一"
                           "份回执都能揭穿它。"),
                    cu_cert_proof(c, first, "clock"));
}

/* ---- the whole ---- */
static cu_status write_all(struct cu_certifying *c, struct cu_err *err)
{
    struct cu_draft *d = c->d;
    char hex[65];

    cu_hash_hex(&c->p->trust.network, hex);
    d->paper.title = cu_two("Certificate of electronic evidence", "电子证据证明书");
    const struct cu_span first = cu_draft_shown(d, cu_span_str(c->what[0].name));
    d->paper.running = (struct cu_paper_text){ cu_draft_f(d, "Certificate of %zu exhibit%s, from %.*s · network id %.16s…", c->n,
                                                          c->n == 1 ? "" : "s", (int)first.n, (const char *)first.p, hex),
                                               cu_draft_f(d, "电子证据证明书，%zu件", c->n) };
    cu_draft_heading(d, 1, d->paper.title);
    put_how_to_read(c);
    for (size_t i = 0; i < c->n; i++) TRY(summarise(c, i, err));
    put_overview(c);
    put_ledger(c);
    for (size_t i = 0; i < c->n; i++) TRY(cu_cert_exhibit(c, i, err));
    TRY(cu_cert_trail(c, err));
    cu_cert_process(c);
    cu_cert_forms(c);
    d->paper.made = c->newest;
    return cu_draft_ok(d, err);
}

cu_status cu_certificate(struct cu_place *p, const struct cu_certificate_exhibit *exhibit, size_t n, struct cu_draft *ret,
                         struct cu_err *err)
{
    struct cu_certifying *c = calloc(1, sizeof *c);
    cu_status written;

    ENSURE(c, err, CU_NO_MEMORY, "out of memory for the certificate");
    CU_ASSERT(n > 0);
    *c = (struct cu_certifying){ .p = p, .d = ret, .what = exhibit, .n = n, .summary = calloc(n, sizeof *c->summary) };
    written = c->summary ? CU_OK : cu_fail(err, CU_NO_MEMORY, "out of memory for the certificate");
    if (written == CU_OK) written = write_all(c, err);
    free(c->summary);
    free(c);
    return written;
}
