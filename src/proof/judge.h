/* Inside this room only: offline verification taken apart, what the checks of a receipt share. */
#ifndef CU_PROOF_JUDGE_H
#define CU_PROOF_JUDGE_H

#include "custody/details.h"
#include "custody/member.h"
#include "custody/receipt.h"

/** One entry of the receipt: the record itself, or one that it brings along. */
struct cu_placed {
    struct cu_support s;
    struct cu_entry entry;
    bool used; /* some check needed it: in the end all must be. The record is from the start */
};

/** Signatures judged before a check asks for them, in one call of the verifier; each with SHA-256 of the whole question. */
#define CU_AHEAD_MAX 32
struct cu_ahead {
    struct cu_verifier asked, *by; /* `asked` answers from here, and by `by` what is not here */
    size_t n;
    struct { cu_hash question; cu_status status; } answer[CU_AHEAD_MAX];
};

struct cu_judge {
    struct cu_report *report;
    const struct cu_trust *trust; /* NULL: none pinned */
    struct cu_verifier *by;
    struct cu_ahead ahead;
    struct cu_err *err;
    struct cu_buf room;           /* scratch memory beyond the decoded `extra` */
    struct cu_tlog_proof proof;
    struct cu_extra extra;
    struct cu_note note;
    bool trusted;                 /* the checkpoint is signed as the trust's epoch for its size demands */
    struct cu_tlog_policy policy; /* of that epoch */
    struct cu_note_verdict signed_by;
    struct cu_genesis genesis;
    struct cu_list names;         /* of parties, from genesis' details; empty: none are shown */
    bool has_members;
    struct cu_members members;
    struct cu_terms terms;        /* the policy at the record's position, as far as the receipt shows it */
    cu_hash terms_by;             /* the proposal that made it so; zeros: genesis did */
    size_t n;
    struct cu_placed placed[CU_RECEIPT_SUPPORT_MAX + 1]; /* positions ascending */
};

/** What a line is about: a number, or words, perhaps not the same in Chinese. {1} is the first of up to CU_ARGS. */
struct cu_arg { uint64_t n; const char *en, *zh; };
#define CU_ARGS 5
#define NUM(x) { .n = (x) }
#define STR(x) { .en = (x), .zh = (x) }
#define TWO(x, y) { .en = (x), .zh = (y) }
#define ARGS(...) (const struct cu_arg[CU_ARGS + 1]){ { .n = 0 }, __VA_ARGS__ }
/** `words` with {1} to {5} filled in, in English or Chinese. */
void cu_fill(struct cu_buf *out, const char *words, const struct cu_arg *args, bool zh);

/** Add the line of a check and fold it into its verdict; what lowers a verdict first becomes its sentence. A line that is not PASS or
 *  NOTE ends in what the reader that refused said: `why`, or NULL. */
void cu_judge_say(struct cu_judge *j, enum cu_check check, enum cu_verdict v, cu_status status, const struct cu_err *why,
                  const struct cu_arg *args);
#define PASSED(j, check, ...) cu_judge_say(j, CU_CHECK_##check, CU_PASS, CU_OK, NULL, ARGS(__VA_ARGS__))
#define NOTED(j, check, ...) cu_judge_say(j, CU_CHECK_##check, CU_NOTE, CU_OK, NULL, ARGS(__VA_ARGS__))
#define UNPROVEN(j, check, status, ...) cu_judge_say(j, CU_CHECK_##check, CU_NOT_PROVEN, status, NULL, ARGS(__VA_ARGS__))
#define FAILED(j, check, status, ...) cu_judge_say(j, CU_CHECK_##check, CU_FAIL, status, NULL, ARGS(__VA_ARGS__))
#define REFUSED(j, check, status, ...) cu_judge_say(j, CU_CHECK_##check, CU_FAIL, status, (j)->err, ARGS(__VA_ARGS__))
/** PASS when `status` is OK, else FAIL with what stands in j->err. */
#define JUDGED(j, check, status, ...) \
    cu_judge_say(j, CU_CHECK_##check, (status) == CU_OK ? CU_PASS : CU_FAIL, status, (j)->err, ARGS(__VA_ARGS__))

/** The Chinese name of a kind, as cu_kind_row()->name is the English one. */
#define KIND(kind) TWO(cu_kind_row(kind)->name, cu_kind_zh(kind))

/** The parts of the file, each by its own reader. No entry is looked at, no hash computed. */
CU_MUST_USE cu_status cu_judge_open(struct cu_judge *j, struct cu_span receipt, uint8_t *scratch);

/* The checks, in this order. MALFORMED and its like end the verification; anything else is said. */
CU_MUST_USE cu_status cu_judge_form(struct cu_judge *j, struct cu_span receipt, uint8_t *scratch);      /* verify.c */
void cu_judge_inclusion(struct cu_judge *j);                                                            /* verify_proof.c */
void cu_judge_checkpoint(struct cu_judge *j);                                                           /* verify_signers.c */
CU_MUST_USE cu_status cu_judge_network(struct cu_judge *j);                                             /* verify_proof.c */
CU_MUST_USE cu_status cu_judge_attachments(struct cu_judge *j);                                         /* verify_proof.c */
void cu_judge_members(struct cu_judge *j);                                                              /* verify_signers.c */
CU_MUST_USE cu_status cu_judge_case(struct cu_judge *j);                                                /* verify_case.c */
CU_MUST_USE cu_status cu_judge_notice(struct cu_judge *j);                                              /* verify_notice.c */
CU_MUST_USE cu_status cu_judge_copies(struct cu_judge *j);                                              /* verify_case.c */
void cu_judge_policy(struct cu_judge *j);                                                               /* verify_case.c */
CU_MUST_USE cu_status cu_judge_signers(struct cu_judge *j);                                             /* verify_signers.c */
CU_MUST_USE cu_status cu_judge_time(struct cu_judge *j);                                                /* verify_time.c */
CU_MUST_USE cu_status cu_judge_complete(struct cu_judge *j);                                            /* verify.c */
void cu_judge_evidence(struct cu_judge *j, const struct cu_evidence *evidence);                         /* verify_proof.c */

/** Each entry of a kind, from the first on. */
#define EACH(j, p, kind) for (struct cu_placed *p = NULL; (p = cu_judge_next(j, p, kind)) != NULL;)
struct cu_placed *cu_judge_next(struct cu_judge *j, struct cu_placed *after, enum cu_kind kind);
static inline bool cu_judge_is_record(const struct cu_judge *j, const struct cu_placed *p) { return p->s.seq == j->report->seq.v; }
/** The block entry that dates position `seq`, marked as used; MALFORMED when the receipt lacks it. */
CU_MUST_USE cu_status cu_judge_dating(struct cu_judge *j, uint64_t seq, const struct cu_placed **ret);

/** A party's name, by genesis or else by the first *member* entry about it; n == 0: not named. */
struct cu_span cu_judge_name(const struct cu_judge *j, uint64_t party);
/** The organisation behind a key of the trust file; 0: nobody of this ledger. One that the receipt's entries do not give is an organisation's
 *  cosigner by its name, `<origin>/cosigner/<party>`, which the trust file vouches for. */
uint64_t cu_judge_holder(const struct cu_judge *j, const struct cu_vkey *key);
/** The organisation behind a key; 0: nobody of this ledger. */
uint64_t cu_judge_organisation(const struct cu_judge *j, const cu_hash *kid);

/** A name for people in a line, printable and cut: "" stays "". */
#define CU_SHOWN (4 * CU_NAME_SHOWN + 4)
const char *cu_shown(struct cu_span name, char ret[CU_SHOWN]);

/** Verdicts, sentence and exit code out of what is in the report. */
void cu_report_conclude(struct cu_report *report, const struct cu_trust *trust);
void cu_report_sentences(struct cu_report *report);

/** cu_vkey_read and cu_tlog_policy_read without the check of the keys themselves. */
CU_MUST_USE cu_status cu_vkey_parse(struct cu_span text, struct cu_vkey *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_policy_parse(struct cu_span text, struct cu_tlog_policy *ret, struct cu_err *err);

#define CU_LAST_MS 253402300799999u /* the end of the year 9999: what people can be shown */

#endif
