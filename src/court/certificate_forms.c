/* How the result comes about, as courts ask, and the forms that people sign: the program fills in what the record proves and leaves the
 * rest blank. The forms follow the particulars that each rule asks for, in our words; where a court has a form of its own, they are
 * carried over to it. */
#include "court/certificate.h"

#define LLU(x) ((unsigned long long)(x))
#define COUNT(a) (sizeof(a) / sizeof *(a))

struct two {
    const char *en, *zh;
};

static void put_paragraphs(struct cu_certifying *c, const struct two *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cu_draft_paragraph(c->d, (struct cu_paper_text){ cu_draft_f(c->d, "%zu. %s", i + 1, text[i].en),
                                                         cu_draft_f(c->d, "%zu. %s", i + 1, text[i].zh) });
}

/* ---- the process ---- */
static const struct two process[] = {
    { "What the system does. It reads a file or folder once, computes its digests, and has the depositor's key sign a claim: "
      "case, serial number, size, root "
      "and a commitment to the details. The provider stores the bytes, reads them again from the medium, and signs its "
      "acceptance over the signed claim. Only "
      "this doubly signed statement becomes an entry of the ledger.",
      "系统的作用：对文件或文件夹读取一次，计算摘要，由存证人的密钥对存证声明签名，声明载明案件、序号、大小、字节根及对详情的承诺"
      "。云服务方存储数据，"
      "从介质重读后，在已签名的声明之上签署接受。唯有经双方签名的陈述才成为账本的一条记录。" },
    { "Why a change shows. All entries are the leaves of one append-only tree (RFC 6962, SHA-256); each checkpoint signs its "
      "root. Whoever alters, removes or "
      "inserts an entry changes the root, and every receipt handed out before contradicts him. There is no operation that edits "
      "or deletes: corrections are new "
      "entries that point back.",
      "改动为何会显露：全部记录是一棵只增不改的树的叶（RFC "
      "6962，SHA-256），每个检查点对树根签名。改动、删除或插入任何记录都会改变树根，此前交出的任何回执都与之矛盾。"
      "系统没有编辑或删除的操作：更正是指向原记录的新记录。" },
    { "How accuracy is ensured. Every signature and rule is verified before an entry is admitted; attached details and content "
      "must equal what was signed; digests are "
      "computed from the bytes as they are read, and a file that changes meanwhile is refused. Copies are attested only after "
      "they were verified; all stores are "
      "re-derived by custody check; damage is recorded as an incident and restored from a good copy. Algorithms: SHA-256 (FIPS "
      "180-4), ECDSA on P-256 "
      "(FIPS 186-5), Ed25519 (RFC 8032).",
      "准确性如何保证：记录入账之前，逐一验证签名与规则；随附的详情与内容必须与所签的一致；摘要在读取时由字节算出，读取期间发生变"
      "化的文件会被拒绝。副本须核验之后才予证明；"
      "custody check 可重新推导全部存储；损坏记为事件，并由完好的副本修复。算法：SHA-256（FIPS 180-4）、P-256 上的 ECDSA（FIPS "
      "186-5）、Ed25519（RFC 8032）。" },
    { "What was checked for this paper. The receipt of each exhibit was made anew and judged by the same offline verifier that "
      "its reader has; each check and its "
      "result is listed with the exhibit. The program is " CU_TOOL_NAME ".",
      "为本文所作的校验：每件物证的回执均重新生成，并由与读者所持相同的离线验证程序判断；每项校验及其结果列于该物证之下。程序为"
      " " CU_TOOL_NAME "。" },
    { "What it does not prove. What happened before the depositor signed; whether a signer told the truth; who held a key in his "
      "hand. Times are as attested: where one "
      "party runs the only clock, time is NOT PROVEN. Independent verification by a third party reaches the same result, and is "
      "invited.",
      "不能证明的事：存证人签名之前发生的事；签名人所言是否属实；密钥由谁实际持有。时间以其证明为限：仅由一方掌握时钟的，时间未经"
      "证明。第三方独立核验可得出相同结果，欢迎核验。" },
};

void cu_cert_process(struct cu_certifying *c)
{
    cu_draft_page(c->d);
    cu_draft_heading(c->d, 2, cu_two("How this result comes about", "结果如何产生"));
    put_paragraphs(c, process, COUNT(process));
}

/* ---- places to sign, blanks to fill in ---- */
static void put_blanks(struct cu_certifying *c, struct two caption, const struct two *label, size_t n)
{
    static const struct cu_draft_column columns[] = { { 38, "To be filled in by hand", "手工填写" }, { 62, "", "" } };

    cu_draft_table(c->d, true, cu_two(caption.en, caption.zh), columns, 2);
    for (size_t i = 0; i < n; i++) {
        cu_draft_cell(c->d, cu_two(label[i].en, label[i].zh));
        cu_draft_cell(c->d, cu_one(CU_SPAN_EMPTY));
    }
}

/* What a form says of each exhibit. */
static void put_hash_report(struct cu_certifying *c)
{
    static const struct cu_draft_column columns[] = { { 10, "Exhibit", "物证" },
                                                      { 32, "Name", "名称" },
                                                      { 58, "Hash values, with their algorithms", "哈希值及其算法" } };

    cu_draft_table(c->d, false, cu_two("Hash report", "哈希值报告"), columns, 3);
    for (size_t i = 0; i < c->n; i++) {
        cu_draft_cell(c->d, cu_one(c->summary[i].exhibit));
        cu_draft_cell(c->d, cu_one(c->summary[i].name));
        cu_draft_code(c->d, c->summary[i].digests);
    }
}

/* ---- United States ---- */
static void put_fre(struct cu_certifying *c)
{
    static const struct two says[] = {
        { "I am a qualified person: I know the system that made the records of this paper by my work with it, or by examining "
          "it.",
          "本人具备资格：因使用或检验该系统而了解生成本文所载记录的系统。" },
        { "Rule 902(13): the records listed above were generated by an electronic process that produces an accurate result. The "
          "process, and how its accuracy is "
          "ensured, are described under \"How this result comes about\"; the checks and their results stand with each exhibit.",
          "规则902(13)"
          "：上列记录由能产生准确结果的电子程序生成。该程序及其准确性的保证见“结果如何产生”；各项校验及结果列于每件物证之下。" },
        { "Rule 902(14): the data of each exhibit is identified by the hash values of the hash report. I compared the copy that "
          "is offered with these values, and they are "
          "the same.",
          "规则902(14)：每件物证的数据以哈希值报告所列的值识别。本人已将所提交的副本与这些值比对，两者一致。" },
        { "Reasonable written notice is given, and records and certification are made available for inspection, as Rule 902(11) "
          "asks.",
          "已按规则902(11)的要求给予合理的书面通知，并提供记录与本证明以供查验。" },
        { "I declare under penalty of perjury that the foregoing is true and correct (28 U.S.C. 1746).",
          "本人声明以上内容真实无误，如有不实愿受伪证之罚（28 U.S.C. 1746）。" },
    };
    static const struct two blanks[] = { { "Name", "姓名" },
                                         { "Title and organisation", "职务与单位" },
                                         { "How I know the system", "了解该系统的缘由" },
                                         { "Executed on (date), at (place)", "签署日期与地点" },
                                         { "Signature", "签名" } };

    cu_draft_page(c->d);
    cu_draft_heading(c->d, 2,
                     cu_two("Form A. United States: certification, Federal Rules of Evidence 902(13) and (14)",
                            "表A 美国：《联邦证据规则》902(13)、902(14) 证明"));
    put_paragraphs(c, says, COUNT(says));
    put_hash_report(c);
    put_blanks(c, (struct two){ "The qualified person", "具备资格的人" }, blanks, COUNT(blanks));
}

/* ---- China ---- */
static void put_or_blank(struct cu_certifying *c, struct cu_span text, const char *en, const char *zh)
{
    if (text.n) cu_draft_cell(c->d, cu_one(text));
    else cu_draft_cell(c->d, cu_two(en, zh));
}

static void put_cn(struct cu_certifying *c)
{
    static const struct cu_draft_column columns[] = { { 9, "No.", "序号" },       { 20, "Name", "名称" },
                                                      { 12, "Category", "类别" }, { 12, "File format", "文件格式" },
                                                      { 9, "Bytes", "字节数" },   { 38, "Check value", "完整性校验值" } };
    static const struct two says[] = {
        { "Integrity was protected by check values (article 5): each was computed when the data were read, and is signed by "
          "depositor and provider.",
          "完整性以计算校验值的方法保护（第五条）：校验值在读取数据时算出，并由存证人与云服务方签名。" },
        { "The record of collection (article 14: cause, object, content, time, place, method, process) stands with each exhibit "
          "where it was given; where it is missing here, it is in "
          "the paper record.",
          "提取笔录（第十四条：案由、对象、内容、时间、地点、方法、过程）已提供的，列于各物证之下；此处没有的，以纸质笔录为准"
          "。" },
        { "Every later operation is an entry of the ledger (see \"What happened since\"); any change after recording would "
          "contradict the receipts. Court review of data on a "
          "blockchain: what matches is presumed unchanged since it was recorded; what happened before is examined on its own.",
          "此后的每次操作均为账本的一条记录（见“此后的情况”）；入账后的任何改动都会与回执矛盾。关于区块链存储数据的审查：核验一致"
          "的，推定入账后未经篡改；入账之前的真实性另行审查。" },
    };
    static const struct two blanks[] = { { "Investigator 1, signature", "侦查人员一（签名）" },
                                         { "Investigator 2, signature", "侦查人员二（签名）" },
                                         { "Holder or provider of the data, signature or seal",
                                           "电子数据持有人（提供人）（签名或盖章）" },
                                         { "If he does not sign: why", "未签名的原因" },
                                         { "Witness, signature", "见证人（签名）" },
                                         { "Date, place", "日期、地点" } };

    cu_draft_page(c->d);
    cu_draft_heading(
        c->d, 2,
        cu_two("Form B. China: list of electronic data (rules of 2016 on electronic data in criminal cases, articles 5, 7, 14)",
               "表B 中国：电子数据清单（法发〔2016〕22号，第五、七、十四条）"));
    put_paragraphs(c, says, COUNT(says));
    cu_draft_table(c->d, false, cu_two("List of electronic data", "电子数据清单"), columns, 6);
    for (size_t i = 0; i < c->n; i++) {
        const struct cu_cert_summary *s = &c->summary[i];
        cu_draft_cell(c->d, cu_one(s->exhibit));
        cu_draft_cell(c->d, cu_one(s->name));
        put_or_blank(c, s->category, "not recorded", "未记载");
        put_or_blank(c, s->format.n ? s->format : s->media, "not recorded", "未记载");
        cu_draft_cell(c->d, cu_one(cu_draft_f(c->d, "%llu", LLU(s->bytes))));
        cu_draft_code(c->d, s->digests);
    }
    put_blanks(c, (struct two){ "Signatures", "签名" }, blanks, COUNT(blanks));
}

/* ---- India ---- */
static void put_bsa(struct cu_certifying *c)
{
    static const struct two party_says[] = {
        { "I have produced the electronic records of the hash report, taken from the source named below.",
          "本人提交了哈希值报告所列的电子记录，其来源如下。" },
        { "The source was under lawful control, was used regularly to create, store or process information, and worked properly "
          "then; where it did not, record and accuracy were not "
          "affected.",
          "该来源处于合法控制之下，惯常用于生成、存储或处理信息，且当时运行正常；如曾不正常，并未影响记录及其准确性。" },
        { "The hash values are those of the hash report, by the algorithms named there.",
          "哈希值及其算法以哈希值报告所列为准。" },
    };
    static const struct two party[] = {
        { "Name, son/daughter/spouse of", "姓名，父母或配偶姓名" },
        { "Residing or employed at", "住址或工作单位" },
        { "Source: computer or storage media, DVR, mobile, flash drive, CD/DVD, server, cloud, other",
          "来源：计算机或存储介质、录像机、手机、闪存、光盘、服务器、云、其他" },
        { "Make, model, colour, serial number; IMEI, UIN, UID, MAC or cloud id",
          "品牌、型号、颜色、序列号；IMEI、UIN、UID、MAC 或云标识" },
        { "Owned, maintained, managed or operated by me", "由本人所有、维护、管理或操作" },
        { "Date (DD/MM/YYYY), time (IST, 24 hours), place", "日期、时间（印度标准时间）、地点" },
        { "Signature", "签名" }
    };
    static const struct two expert_says[] = {
        { "The electronic records of the hash report were obtained from the source named in Part A.",
          "哈希值报告所列的电子记录取自A部分所述的来源。" },
        { "I computed the hash values of the copy that is offered; they are those of the hash report, by the algorithms named "
          "there.",
          "本人计算了所提交副本的哈希值，与哈希值报告所列的值及算法一致。" },
    };
    static const struct two expert[] = { { "Name, son/daughter/spouse of", "姓名，父母或配偶姓名" },
                                         { "Residing or employed at; designation", "住址或工作单位；职务" },
                                         { "How the values were computed (program, version)", "计算方法（程序及版本）" },
                                         { "Date (DD/MM/YYYY), time (IST, 24 hours), place", "日期、时间（印度标准时间）、地点" },
                                         { "Signature", "签名" } };

    cu_draft_page(c->d);
    cu_draft_heading(c->d, 2,
                     cu_two("Form C. India: certificate of Section 63(4)(c), Bharatiya Sakshya Adhiniyam 2023",
                            "表C 印度：2023年《印度证据法》第63(4)(c)条证明"));
    put_hash_report(c);
    cu_draft_heading(c->d, 3, cu_two("Part A, by the party", "A部分：由当事方填写"));
    put_paragraphs(c, party_says, COUNT(party_says));
    put_blanks(c, (struct two){ "The party", "当事方" }, party, COUNT(party));
    cu_draft_page(c->d);
    cu_draft_heading(c->d, 3, cu_two("Part B, by the expert", "B部分：由专家填写"));
    put_paragraphs(c, expert_says, COUNT(expert_says));
    put_blanks(c, (struct two){ "The expert", "专家" }, expert, COUNT(expert));
}

void cu_cert_forms(struct cu_certifying *c)
{
    put_fre(c);
    put_cn(c);
    put_bsa(c);
}
