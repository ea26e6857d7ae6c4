/* Every line that a verification may say, in one table. What each check demands, in which order they come and what follows when one
 * fails: docs/formats/verification.md, whose tables a test compares with this one. */
#ifndef CUSTODY_CHECKS_H
#define CUSTODY_CHECKS_H

/* check, its name, the verdict that it counts to, what it says when all is well, in English and Chinese, and when not.
 * {1}, {2} … stand for what the line is about; "": it never says that. Of those that count to no verdict only `copies` judges. */
#define CU_CHECK_TABLE(X) \
    X(FORM, "form", INTEGRITY, "the file is one receipt in its one spelling: entry {1}, a {2}, and {3} entries that go with it", \
      "文件是一份写法唯一的回执：{1}号记录（{2}），随附{3}条记录", "it is no valid receipt", "不是有效的回执") \
    X(INCLUSION, "inclusion", INTEGRITY, "entry {1} is in the log of {2} entries", "{1}号记录在共{2}条记录的日志中", \
      "entry {1} is not shown to be in the log", "未能证明{1}号记录在日志中") \
    X(SUPPORT, "support", INTEGRITY, "the {1} entries that go with it are in the same log", "随附的{1}条记录在同一日志中", \
      "the entries that go with it are not shown to be in the log", "未能证明随附的记录在日志中") \
    X(SIGNER_UNJUDGED, "signer-unjudged", SIGNER, "", "", "not judged: the entries are not shown to be in the log", \
      "未作判断：未能证明各条记录在日志中") \
    X(TIME_UNJUDGED, "time-unjudged", TIME, "", "", "not judged: the entries are not shown to be in the log", \
      "未作判断：未能证明各条记录在日志中") \
    X(TRUST, "trust", SIGNER, "", "", "no trust file is pinned: whose log this is was not checked", \
      "没有指定信任文件：未核对这是谁的日志") \
    X(IGNORED, "ignored", NONE, "ignored: signature line {1}, by {2} (key {3}), which the trust file does not list", \
      "已忽略第{1}行签名：{2}（密钥{3}），信任文件未列出", "", "") \
    X(LOG_SIGNATURE, "log-signature", NONE, "the checkpoint is signed by the log key of {1}", "检查点由{1}的日志密钥签名", "", "") \
    X(COSIGNATURE, "cosignature", NONE, "the checkpoint is cosigned by {1}, at {2} by its clock", "{1}联署了检查点，其时钟为{2}", "", \
      "") \
    X(CHECKPOINT, "checkpoint", SIGNER, "the checkpoint of {1} entries is signed as the trust file demands", \
      "{1}条记录时的检查点已按信任文件的要求签名", "the checkpoint is not signed as the trust file demands", \
      "检查点没有按信任文件的要求签名") \
    X(ORIGIN, "origin", INTEGRITY, "", "", "the checkpoint is not of the log that the genesis names", \
      "检查点不属于创始记录所指的日志") \
    X(NETWORK, "network", SIGNER, "the ledger is the pinned one: {1}, network id {2}…", "账本是指定的账本：{1}，网络标识{2}…", \
      "the receipt is of another ledger (network id {2}…) than the pinned one", "回执属于另一账本（网络标识{2}…），而非指定的账本") \
    X(UNPINNED, "unpinned", NONE, "the ledger is {1}, network id {2}…; nothing is pinned to compare it with", \
      "账本是{1}，网络标识{2}…；没有指定可与之核对的账本", "", "") \
    X(DETAILS, "details", INTEGRITY, "the details are those that were signed", "详情与所签的一致", \
      "what is attached is not what was signed", "附件与所签的不符") \
    X(CONTENT, "content", INTEGRITY, "the content ({1} bytes, in the receipt) is what was signed", \
      "回执内的内容（{1}字节）与所签的一致", "", "") \
    X(PROFILE, "profile", NONE, "the details are not those of a profile that is known here: they are not interpreted", \
      "详情不符合此处已知的任何模板：不予解读", "", "") \
    X(SEALED, "sealed", NONE, \
      "content and details are sealed for {1} keys: what is verified, and what the provider signed, are the sealed bytes", \
      "内容与详情已为{1}个密钥密封：所核验的、云服务商所签的，均为密封后的字节", "", "") \
    X(SEALED_TWO, "sealed-two", NONE, "it takes one of those keys and one of {1} others to open them", "须由上述密钥之一与另{1}个密钥之一共同开启", "", "") \
    X(SUPPORT_DETAILS, "support-details", INTEGRITY, "", "", "the details of entry {1} are not those that were signed", \
      "{1}号记录的详情与所签的不符") \
    X(ENROLMENT, "enrolment", SIGNER, "", "", "the genesis enrols nobody", "创始记录没有登记任何一方") \
    X(CONFIRM, "confirm", SIGNER, "entry {1}: organisation {2} ({3}) proved that it holds its keys", \
      "{1}号记录：机构{2}（{3}）证明其持有自己的密钥", \
      "entry {1}: organisation {2} ({3}) did not prove that it holds its keys", "{1}号记录：机构{2}（{3}）未能证明其持有自己的密钥") \
    X(MEMBER, "member", SIGNER, "entry {1}: which keys party {2} ({3}) has is said by party {4} ({5}), who may say it", \
      "{1}号记录：{2}号方（{3}）的密钥由{4}号方（{5}）登记，其有权登记", \
      "entry {1}: what it says of the keys of party {2} ({3}) does not hold", "{1}号记录：其关于{2}号方（{3}）密钥的内容不成立") \
    X(PROPOSAL, "proposal", SIGNER, "entry {1}: organisation {2} ({3}) proposes a change of the organisations, their keys or the policy", \
      "{1}号记录：机构{2}（{3}）提议变更机构、机构密钥或策略", "entry {1}: what organisation {2} ({3}) proposes does not hold", \
      "{1}号记录：机构{2}（{3}）的提案不成立") \
    X(APPROVAL, "approval", SIGNER, "entry {1}: organisation {2} ({3}) approves of the proposal of entry {4}", \
      "{1}号记录：机构{2}（{3}）同意{4}号记录的提案", "entry {1}: the approval of organisation {2} ({3}) does not hold", \
      "{1}号记录：机构{2}（{3}）的同意不成立") \
    X(INVENTORY, "inventory", NONE, \
      "inventory: as of block entry {1} the {2} has exactly {3} deposits; the ledger admits no inventory that leaves one out", \
      "清单：截至{1}号区块记录，该{2}恰有{3}次存证；账本不接纳有遗漏的清单", "", "") \
    X(OPEN_NUMBERS, "open-numbers", NONE, "inventory: serial numbers of {1} keys are still open, as it lists them", \
      "清单：{1}个密钥尚有未用的序号，清单已列明", "", "") \
    X(CASE, "case", INTEGRITY, "it belongs to the case opened by entry {1} ({2})", "它属于{1}号记录所立的案件（{2}）", \
      "its case was opened after it", "其案件立于其后") \
    X(NOTICE, "notice", SIGNER, "entry {1} is the notice: organisation {2} ({3}) asks party {4} ({5})", \
      "{1}号记录是调取通知：机构{2}（{3}）向{4}号方（{5}）调取", "entry {1} is a notice, but not one to which this belongs", \
      "{1}号记录是调取通知，但本记录与其不符") \
    X(DUE, "due", NONE, "the notice asks for an answer by {1}", "调取通知的答复期限为{1}", "", "") \
    X(DEADLINE, "deadline", INTEGRITY, "there was time until {1}; the block that dates the record was opened at {2}, after that", \
      "期限至{1}；为本记录定时的区块开启于{2}，在期限之后", "there was time until {1}; the block that dates the record was opened at {2}, not after that", \
      "期限至{1}；为本记录定时的区块开启于{2}，不在期限之后") \
    X(COPY, "copy", NONE, "entry {1}: organisation {2} ({3}) holds a verified copy, recorded by {4}", \
      "{1}号记录：机构{2}（{3}）持有已核验的副本，入账不晚于{4}", "", "") \
    X(COPIES, "copies", NONE, "copies: {1} attested, {2} required", "副本：已证明{1}份，要求{2}份", \
      "copies: {1} attested, {2} required{3}", "副本：已证明{1}份，要求{2}份{3}") \
    X(HELD, "held", NONE, "the provider holds it in a bucket ({1} objects, the first as version {2}), {3}", \
      "服务方存于桶中（{1}个对象，首个版本为{2}），{3}", "", "") \
    X(RETENTION, "retention", INTEGRITY, \
      "it is locked as the policy asks: in compliance mode, for {1} days from when it was accepted", \
      "已按策略锁定：合规模式，自接受起{1}天", \
      "the policy asks that the provider's store keeps it locked in compliance mode for {1} days, and the provider does not say that it does", \
      "策略要求服务方以合规模式锁定{1}天，而服务方并未如此声明") \
    X(MUST_SEAL, "must-seal", INTEGRITY, "", "", "the policy asks that evidence of the profile {1} is sealed, and this is not", \
      "策略要求模板“{1}”的证据须密封，而此项未密封") \
    X(STATEMENT, "statement", SIGNER, "entry {1}: the {2} statement is signed by party {3} ({4})", \
      "{1}号记录：{2}声明由{3}号方（{4}）签名", "entry {1}: the {2} statement is not signed by a party that may make it", \
      "{1}号记录：{2}声明没有由有权作出的一方签名") \
    X(REVOKED, "revoked", NONE, "entry {1}: the key of party {2} ({3}) was revoked later, by entry {4}: what it signed here stands", \
      "{1}号记录：{2}号方（{3}）的密钥其后被{4}号记录撤销：此处的签名仍然有效", "", "") \
    X(DISPUTED, "disputed", SIGNER, "", "", \
      "entry {1}: it is disputed; others may have held the key of party {2} ({3}) since position {5}, says entry {4}", \
      "{1}号记录：存在争议；据{4}号记录，他人自{5}号位置起可能已持有{2}号方（{3}）的密钥") \
    X(SEEN, "seen", TIME, "the {1} was signed after block entry {2}, closed {3}", "{1}签于{2}号区块记录之后，该区块结于{3}", \
      "the block that the {1} saw is not in this log before it", "{1}所见的区块不在本日志中其前") \
    X(SEEN_ORDER, "seen-order", TIME, "", "", "the outer signer saw an older block than the inner one", \
      "外层签名人所见的区块早于内层签名人所见") \
    X(DATED, "dated", NONE, "it is dated by block entry {1}, closed {2}", "由{1}号区块记录定时，该区块结于{2}", "", "") \
    X(BLOCK, "block", TIME, "", "", "block entry {1} {2}", "{1}号区块记录{2}") \
    X(SIGNER_CLOCK, "signer-clock", NONE, "the signer's own clock said {1}{2}", "签名人自己的时钟为{1}{2}", "", "") \
    X(AGREED, "agreed", TIME, "{1}: times on which several organisations agreed", "{1}：由多个机构共同认定", "", "") \
    X(WITNESSED, "witnessed", TIME, "it existed at {2}, as outside cosigners attest; the ledger's own clock says: {1}", \
      "外部联署方证明其在{2}已经存在；账本自身时钟：{1}", "", "") \
    X(CLOCK, "clock", TIME, "", "", "{1}, by {2}: nobody else attests it", "{1}，依据{2}：无他方证明") \
    X(TARGET, "target", INTEGRITY, "", "", "a {1} says nothing about any file: nothing was compared", \
      "这是{1}，不涉及任何文件：未作比对") \
    X(MANIFEST, "manifest", INTEGRITY, "the manifest of the folder is in the receipt: {1} items, {2} bytes", \
      "文件夹的清单在回执内：{1}项，{2}字节", "the manifest does not add up to what was signed of the folder", \
      "清单与所签的文件夹不符") \
    X(CONTENT_SHA256, "content-sha256", INTEGRITY, "the content in the receipt has the SHA-256 that was signed", \
      "回执内的内容与所签的 SHA-256 一致", "the content in the receipt does not have the SHA-256 that was signed", \
      "回执内的内容与所签的 SHA-256 不符") \
    X(EVIDENCE, "evidence", INTEGRITY, "the {1} that was given is what was signed: {2} bytes, every one compared", \
      "所提交的{1}与所签的一致：{2}字节，逐一比对", "the {1} that was given is not what was signed: {3}", \
      "所提交的{1}与所签的不符：{3}") \
    X(FOLDER, "folder", INTEGRITY, "every item of the folder is there with the bytes that were deposited, and nothing else{1}", \
      "文件夹各项俱在，字节与存证时一致，别无他物{1}", "the folder that was given is not what was deposited: {1}", \
      "所提交的文件夹与存证不符：{1}") \
    X(ITEM, "item", INTEGRITY, "the file is an item of the folder, byte for byte: {1}", "该文件是文件夹中的一项，逐字节一致：{1}", \
      "the file is no item of this deposit: {1}", "该文件不是本次存证中的一项：{1}") \
    X(BESIDE, "manifest-beside", INTEGRITY, "", "", "this is not the manifest that was claimed: {1}", "这不是所声明的清单：{1}") \
    X(SORT, "sort", INTEGRITY, "", "", "this is a folder; the deposit is one file", "这是文件夹；存证的是单个文件") \
    X(COMPLETE, "complete", INTEGRITY, "no entry that a check needs is missing, and none is there that no check needs", \
      "校验所需的记录一条不缺，也没有多余的记录", "what goes with it is not exactly what the checks need", \
      "随附的记录与校验所需的不符")

#define CU_CHECK_ENUM(id, name, verdict, good, good_zh, bad, bad_zh) CU_CHECK_##id,
enum cu_check { CU_CHECK_TABLE(CU_CHECK_ENUM) CU_CHECKS };
#undef CU_CHECK_ENUM

#endif
