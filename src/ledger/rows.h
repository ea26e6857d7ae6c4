/* The tables of the state: what stands in a row, and under which key. docs/formats/state.md is this file in prose. */
#ifndef CU_LEDGER_ROWS_H
#define CU_LEDGER_ROWS_H

#include "custody/entry.h"
#include "ledger/map.h"

/* number (frozen), name in C, struct, part of the state digest? A row's value is a tuple by its struct's schema. Integers in
 * keys are big-endian, so that rows lie in order.
 *
 *   LEDGER     —                     what genesis fixed for all
 *   PARTY      id (8)                a party, and its confirm
 *   KEY        n (8)                 the n-th public key, those of genesis first
 *   CASE       case (16)             a case and its deposits
 *   CASE_KEY   case, i (8)           the i-th depositor's key with a deposit in the case
 *   KEY_CASE   case, kid             its i
 *   SIGNER     kid                   a depositor's key: its numbers and its deposits
 *   SERIAL     kid, serial (8)       who holds a number
 *   STATEMENT  id                    where a statement stands
 *   VOIDED     kid, claim id         a claim that its depositor voided before any outcome
 *   EQUIVOCAL  kid, serial (8), id   a second claim under one number, proven
 *   NODE       case or kid, level (1) the newest complete subtree of that level over the ids of its deposits
 *   REVOKED    kid                   where a key was revoked, and since where others may hold it
 *   NOTICE     id                    what was asked for, by when, and what came of it
 *   SEALED     id                    a sealed deposit: its depositor's kid
 *   POLICY     —                     what else the policy asks for, if it does
 *   PROPOSAL   organisation (8)      its proposal that is open, or zeros
 *   PROPOSED   organisation, i (8)   the i-th key that it would give, then those that it would revoke
 *   ORGANISATION id (8)              one that came later, or left
 *   RULES      —                     the rules that were approved, and from which height
 *   BLOCK      position (8)          a block entry. Derived: the digest in a block cannot cover that block */
#define CU_STATE_TABLE(X)                                                                                              \
    X(1, LEDGER, ledger, true)                                                                                         \
    X(2, PARTY, party, true)                                                                                           \
    X(3, KEY, member_key, true)                                                                                        \
    X(4, CASE, case, true)                                                                                             \
    X(5, CASE_KEY, hash, true)                                                                                         \
    X(6, KEY_CASE, number, true)                                                                                       \
    X(7, SIGNER, signer, true)                                                                                         \
    X(8, SERIAL, serial, true)                                                                                         \
    X(9, STATEMENT, statement, true)                                                                                   \
    X(10, VOIDED, number, true)                                                                                        \
    X(11, EQUIVOCAL, number, true)                                                                                     \
    X(12, NODE, hash, true)                                                                                            \
    X(13, BLOCK, block, false)                                                                                         \
    X(14, REVOKED, revoked, true)                                                                                      \
    X(15, NOTICE, notice, true)                                                                                        \
    X(16, SEALED, hash, true)                                                                                          \
    X(17, POLICY, policy, true)                                                                                        \
    X(18, PROPOSAL, proposal, true)                                                                                    \
    X(19, PROPOSED, proposed, true)                                                                                    \
    X(20, ORGANISATION, organisation, true)                                                                            \
    X(21, RULES, rules, true)

#define CU_STATE_ENUM(num, name, row, digested) CU_TABLE_##name = (num),
enum cu_table { CU_STATE_TABLE(CU_STATE_ENUM) };
#undef CU_STATE_ENUM

struct cu_table_info { const char *name; const struct cu_schema *row; bool digested; };
const struct cu_table_info *cu_table_info(unsigned table); /* NULL when unknown */

struct cu_row_ledger { cu_hash network; uint64_t cosigners, copies; struct cu_list mandatory; uint64_t acceptance_age,
    open_bundles; };
struct cu_row_policy { uint64_t retention; struct cu_list seal; };   /* days, or 0; of cu_must_seal */
struct cu_row_party { uint64_t role, organisation, confirmed; };  /* confirmed: position of the confirm + 1; 0: not yet */
struct cu_row_member_key { cu_hash kid; uint64_t party, purpose, neg_alg, from; struct cu_span pub; };
/* last: its newest deposit's id; deposited: where that stands */
struct cu_row_case { uint64_t seq, deposits, keys; cu_hash last; uint64_t deposited; };
/* reopened: the newest position at which the set of open numbers below the highest changed */
struct cu_row_signer { uint64_t lowest_open, highest, reopened, deposits; cu_hash last; uint64_t deposited; };
struct cu_row_serial { cu_hash id; uint64_t kind, seq; };         /* id: zero for a void without one */
struct cu_row_statement { uint64_t seq, kind, exhibit; };
struct cu_row_revoked { uint64_t seq, since; };
/* organisation: which asks; acknowledged, answered, timed_out: where that stands, or 0; reason: of an answer that is none */
struct cu_row_notice { uint64_t seq, organisation, provider; cu_case_id case_id; uint64_t deadline, acknowledged, deposits, answered,
    reason, timed_out; };
struct cu_row_proposal { cu_hash id; uint64_t seq, change, party, until, approvals, keys, revoked, has_terms, cosigners, copies, mandatory,
    version, height; };
struct cu_row_proposed { uint64_t purpose, number; struct cu_span bytes; }; /* a key: −alg, public key; one revoked: 0, since, kid */
struct cu_row_organisation { uint64_t later, joined, left; };
struct cu_row_rules { uint64_t version, height; };
struct cu_row_block { cu_hash leaf; uint64_t closed; };
struct cu_row_number { uint64_t v; };
struct cu_row_hash { cu_hash v; };

/** A row's address: table and key in one string, so that rows of a table lie together. */
struct cu_row_at { uint8_t n, b[CU_ROW_KEY_MAX]; };
struct cu_row_at cu_at(enum cu_table table, struct cu_span a);
struct cu_row_at cu_at_number(enum cu_table table, uint64_t n);
struct cu_row_at cu_at_pair(enum cu_table table, struct cu_span a, struct cu_span b);
struct cu_row_at cu_at_numbered(enum cu_table table, struct cu_span a, uint64_t n);
struct cu_row_at cu_at_equivocal(const cu_hash *kid, uint64_t serial, const cu_hash *id);
struct cu_row_at cu_at_node(struct cu_span scope, unsigned level);
static inline struct cu_span cu_at_span(const struct cu_row_at *at) { return cu_span(at->b, at->n); }

#endif
