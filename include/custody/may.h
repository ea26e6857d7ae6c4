/* Who may do what: every role against every act, in one table. What does not stand here as 1 is denied: unknown roles, unknown acts,
 * several roles at once.
 *
 * The ledger asks it before each statement and each enrolment, and so does whoever judges a receipt. docs/formats/entry.md has the same table
 * for people; a test compares them, and tries each of its fields on a ledger.
 */
#ifndef CUSTODY_MAY_H
#define CUSTODY_MAY_H

#include "custody/entry.h"

/* act, its number (of a statement: its kind's; of a claim that names a notice, of its outcome, and of a stored with its field held, 64 more), what it is; then depositor, provider, organisation, reader, auditor, operator,
 * administrator, node. To enrol is to give, to take the place of and to revoke keys of a party of that role. */
#define CU_ACT_TABLE(X)                                                            \
    X(CONFIRM, 3, "say confirm",                         0, 0, 1, 0, 0, 0, 0, 0)   \
    X(CASE, 4, "say case",                               1, 0, 1, 0, 0, 0, 0, 0)   \
    X(CLAIM, 5, "say claim",                             1, 0, 0, 0, 0, 0, 0, 0)   \
    X(DEPOSIT, 6, "say deposit",                         0, 1, 0, 0, 0, 0, 0, 0)   \
    X(REFUSAL, 7, "say refusal",                         0, 1, 0, 0, 0, 0, 0, 0)   \
    X(VOID, 8, "say void",                               1, 0, 0, 0, 0, 0, 0, 0)   \
    X(STORED, 9, "say stored",                           0, 0, 1, 0, 0, 0, 0, 1)   \
    X(INCIDENT, 10, "say incident",                      0, 0, 1, 0, 0, 0, 0, 1)   \
    X(CORRECTION, 11, "say correction",                  1, 0, 1, 0, 0, 0, 0, 0)   \
    X(ACCESS, 12, "say access",                          0, 0, 1, 0, 0, 0, 0, 1)   \
    X(INVENTORY, 13, "say inventory",                    1, 0, 1, 0, 1, 0, 0, 0)   \
    X(DISCLOSURE, 14, "say disclosure",                  1, 0, 1, 0, 0, 0, 0, 0)   \
    X(MEMBER, 15, "say member",                          0, 0, 1, 0, 0, 0, 1, 0)   \
    X(GRANT, 16, "say grant",                            1, 0, 1, 0, 0, 0, 0, 0)   \
    X(TIMEOUT, 17, "say timeout",                        0, 0, 1, 0, 0, 0, 0, 1)   \
    X(NOTICE, 18, "say notice",                          1, 0, 1, 0, 0, 0, 0, 0)   \
    X(ACKNOWLEDGE, 19, "say acknowledge",                0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ANSWER, 20, "say answer",                          0, 1, 0, 0, 0, 0, 0, 0)   \
    X(PROPOSE, 21, "say propose",                        0, 0, 1, 0, 0, 0, 0, 0)   \
    X(APPROVE, 22, "say approve",                        0, 0, 1, 0, 0, 0, 0, 0)   \
    X(ANSWER_CLAIM, 69, "claim against a notice",        0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ANSWER_DEPOSIT, 70, "accept against a notice",     1, 0, 1, 0, 0, 0, 0, 0)   \
    X(ANSWER_REFUSAL, 71, "refuse against a notice",     1, 0, 1, 0, 0, 0, 0, 0)   \
    X(HELD, 73, "say anew how it is held",               0, 1, 0, 0, 0, 0, 0, 0)   \
    X(ENROL_DEPOSITOR, 129, "enrol depositor",           0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_PROVIDER, 130, "enrol provider",             0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_ORGANISATION, 132, "enrol organisation",     0, 0, 1, 0, 0, 0, 0, 0)   \
    X(ENROL_READER, 136, "enrol reader",                 0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_AUDITOR, 144, "enrol auditor",               0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_OPERATOR, 160, "enrol operator",             0, 0, 1, 0, 0, 0, 1, 0)   \
    X(ENROL_ADMINISTRATOR, 192, "enrol administrator",   0, 0, 1, 0, 0, 0, 0, 0)   \
    X(ENROL_NODE, 256, "enrol node",                     0, 0, 1, 0, 0, 0, 1, 0)

#define CU_ACT_ENUM(act, num, text, d, p, o, r, a, op, ad, n) CU_ACT_##act = (num),
enum cu_act { CU_ACT_TABLE(CU_ACT_ENUM) };
#undef CU_ACT_ENUM

/* What members ask of the servers: act, what it is; then how far each role may go, in the order of above: N not at all, O to what is its
 * organisation's own, G to that and what was given to it, A to all. What a role may see of an entry besides: enum cu_relation. */
#define CU_ASK_TABLE(X)                                                                                                          \
    X(PUBLIC, "checkpoint, hash tiles, health, figures, this table",                     A, A, A, A, A, A, A, A)                 \
    X(CAPACITY, "how much there is",                                                     A, A, A, A, A, A, A, A)                 \
    X(LOG, "entries as they stand in the log, which holds no words",                     A, A, A, A, A, N, A, A)                 \
    X(DETAILS, "labels, names, cases, what happened",                                    G, G, A, G, A, N, N, A)                 \
    X(EVIDENCE, "content, and what carries small content: records and receipts",         G, G, A, G, A, N, N, A)                 \
    X(SUBMIT, "to have signed statements recorded",                                      A, A, A, N, A, N, A, A)                 \
    X(SIGN, "to have the node sign",                                                     N, N, A, N, N, N, N, N)                 \
    X(GIVE, "claims brought, and the content that they claim",                           O, O, O, N, O, N, N, O)                 \
    X(FETCH, "content by its root, whosever it is",                                      N, A, A, N, A, N, N, A)                 \
    X(ADMIT, "who waits to be enrolled, and to refuse him",                              N, N, A, N, N, N, A, N)

#define CU_ASK_ENUM(act, text, ...) CU_ASK_##act,
enum cu_ask { CU_ASK_NONE /* nothing: refused to everybody */, CU_ASK_TABLE(CU_ASK_ENUM) CU_ASKS };
#undef CU_ASK_ENUM
enum cu_scope { CU_SCOPE_N, CU_SCOPE_O, CU_SCOPE_G, CU_SCOPE_A, CU_SCOPES };
/* What an entry is to who asks: another organisation's, another's that was opened to him, his own organisation's; or what all who read the log see. */
enum cu_relation { CU_FOREIGN, CU_OPENED, CU_OWN, CU_COMMON, CU_RELATIONS };

/** How far may a party of `role` go? N for what is no role or no act. */
enum cu_scope cu_may_ask(uint64_t role, enum cu_ask act);
/** May who goes so far see that? False for what is neither. */
bool cu_may_see(enum cu_scope scope, enum cu_relation what);

/** What saying a statement of `kind` is; of a claim, or of an outcome of one, `claim` is that claim (NULL: none). */
static inline unsigned cu_act_say(enum cu_kind kind, const struct cu_claim *claim)
{
    return claim && claim->has_notice ? (unsigned)kind | 64u : (unsigned)kind;
}
/** What saying this statement is, around that claim (NULL: none). */
static inline unsigned cu_act_of(const struct cu_statement *st, const struct cu_claim *claim)
{
    return st->kind == CU_KIND_STORED && st->body.stored.has_held ? CU_ACT_HELD : cu_act_say(st->kind, claim);
}
/** May a party of `role` do it? */
bool cu_may(uint64_t role, unsigned act);
/** The act of enrolling keys of a party of `role`; 0 for what is no role. */
unsigned cu_act_enrol(uint64_t role);
const char *cu_role_name(uint64_t role); /* "depositor"; NULL for what is no role */
uint64_t cu_role_by_name(struct cu_span name); /* 0 when unknown */

#endif
