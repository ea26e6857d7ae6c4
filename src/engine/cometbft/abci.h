/* The messages of ABCI 2.0 as CometBFT 0.38 to 0.40 speak it over a socket, and those by which it has its votes signed: one table, from
 * which come the structs and what the codec (pb.h) goes by. Packages tendermint.abci and tendermint.privval; later versions have added
 * fields and changed none.
 *
 * F(message, number, name, type) a number, text or bytes; R the same, repeated; M(message, number, name, message) a message, L repeated
 * ones; P bytes of which a message has one at most, E messages of which it has. Enumerations are i32. */
#ifndef CU_COMETBFT_ABCI_H
#define CU_COMETBFT_ABCI_H

#include "engine/cometbft/pb.h"

/* clang-format off */
#define CU_ABCI_timestamp(F, R, M, L, P, E, m) F(m, 1, seconds, i64) F(m, 2, nanos, i32)
#define CU_ABCI_duration(F, R, M, L, P, E, m) F(m, 1, seconds, i64) F(m, 2, nanos, i32)
#define CU_ABCI_block_params(F, R, M, L, P, E, m) F(m, 1, max_bytes, i64) F(m, 2, max_gas, i64)
#define CU_ABCI_evidence_params(F, R, M, L, P, E, m)                                                                      \
    F(m, 1, max_age_num_blocks, i64) M(m, 2, max_age_duration, duration) F(m, 3, max_bytes, i64)
#define CU_ABCI_validator_params(F, R, M, L, P, E, m) R(m, 1, pub_key_types, text)
#define CU_ABCI_version_params(F, R, M, L, P, E, m) F(m, 1, app, u64)
#define CU_ABCI_abci_params(F, R, M, L, P, E, m) F(m, 1, vote_extensions_enable_height, i64)
#define CU_ABCI_authority_params(F, R, M, L, P, E, m) F(m, 1, authority, text)
#define CU_ABCI_consensus_params(F, R, M, L, P, E, m)                                                                     \
    M(m, 1, block, block_params) M(m, 2, evidence, evidence_params) M(m, 3, validator, validator_params)               \
    M(m, 4, version, version_params) M(m, 5, abci, abci_params) M(m, 6, authority, authority_params)
#define CU_ABCI_public_key(F, R, M, L, P, E, m)                                                                           \
    P(m, 1, ed25519, bytes) P(m, 2, secp256k1, bytes) P(m, 3, bls12381, bytes) P(m, 4, mldsa65, bytes)                 \
    P(m, 5, secp256k1eth, bytes)
#define CU_ABCI_validator(F, R, M, L, P, E, m) F(m, 1, address, bytes) F(m, 3, power, i64)
#define CU_ABCI_validator_update(F, R, M, L, P, E, m) M(m, 1, pub_key, public_key) F(m, 2, power, i64)
#define CU_ABCI_vote_info(F, R, M, L, P, E, m) M(m, 1, validator, validator) F(m, 3, block_id_flag, i32)
#define CU_ABCI_commit_info(F, R, M, L, P, E, m) F(m, 1, round, i32) L(m, 2, votes, vote_info)
#define CU_ABCI_extended_vote_info(F, R, M, L, P, E, m)                                                                   \
    M(m, 1, validator, validator) F(m, 3, vote_extension, bytes) F(m, 4, extension_signature, bytes)                   \
    F(m, 5, block_id_flag, i32)
#define CU_ABCI_extended_commit_info(F, R, M, L, P, E, m) F(m, 1, round, i32) L(m, 2, votes, extended_vote_info)
#define CU_ABCI_misbehavior(F, R, M, L, P, E, m)                                                                          \
    F(m, 1, type, i32) M(m, 2, validator, validator) F(m, 3, height, i64) M(m, 4, time, timestamp)                     \
    F(m, 5, total_voting_power, i64)
#define CU_ABCI_snapshot(F, R, M, L, P, E, m)                                                                             \
    F(m, 1, height, u64) F(m, 2, format, u32) F(m, 3, chunks, u32) F(m, 4, hash, bytes) F(m, 5, metadata, bytes)
#define CU_ABCI_event_attribute(F, R, M, L, P, E, m) F(m, 1, key, text) F(m, 2, value, text) F(m, 3, index, bool)
#define CU_ABCI_event(F, R, M, L, P, E, m) F(m, 1, type, text) L(m, 2, attributes, event_attribute)
#define CU_ABCI_exec_tx_result(F, R, M, L, P, E, m)                                                                       \
    F(m, 1, code, u32) F(m, 2, data, bytes) F(m, 3, log, text) F(m, 4, info, text) F(m, 5, gas_wanted, i64)            \
    F(m, 6, gas_used, i64) L(m, 7, events, event) F(m, 8, codespace, text)
#define CU_ABCI_proof_op(F, R, M, L, P, E, m) F(m, 1, type, text) F(m, 2, key, bytes) F(m, 3, data, bytes)
#define CU_ABCI_proof_ops(F, R, M, L, P, E, m) L(m, 1, ops, proof_op)
#define CU_ABCI_proof(F, R, M, L, P, E, m)                                                                                \
    F(m, 1, total, i64) F(m, 2, index, i64) F(m, 3, leaf_hash, bytes) R(m, 4, aunts, bytes)
#define CU_ABCI_value_op(F, R, M, L, P, E, m) F(m, 1, key, bytes) M(m, 2, proof, proof)
#define CU_ABCI_request_echo(F, R, M, L, P, E, m) F(m, 1, message, text)
#define CU_ABCI_request_flush(F, R, M, L, P, E, m)
#define CU_ABCI_request_info(F, R, M, L, P, E, m)                                                                         \
    F(m, 1, version, text) F(m, 2, block_version, u64) F(m, 3, p2p_version, u64) F(m, 4, abci_version, text)
#define CU_ABCI_request_init_chain(F, R, M, L, P, E, m)                                                                   \
    M(m, 1, time, timestamp) F(m, 2, chain_id, text) M(m, 3, consensus_params, consensus_params)                       \
    L(m, 4, validators, validator_update) F(m, 5, app_state_bytes, bytes) F(m, 6, initial_height, i64)
#define CU_ABCI_request_query(F, R, M, L, P, E, m)                                                                        \
    F(m, 1, data, bytes) F(m, 2, path, text) F(m, 3, height, i64) F(m, 4, prove, bool)
#define CU_ABCI_request_check_tx(F, R, M, L, P, E, m) F(m, 1, tx, bytes) F(m, 2, type, i32)
#define CU_ABCI_request_commit(F, R, M, L, P, E, m)
#define CU_ABCI_request_list_snapshots(F, R, M, L, P, E, m)
#define CU_ABCI_request_offer_snapshot(F, R, M, L, P, E, m) M(m, 1, snapshot, snapshot) F(m, 2, app_hash, bytes)
#define CU_ABCI_request_load_snapshot_chunk(F, R, M, L, P, E, m)                                                          \
    F(m, 1, height, u64) F(m, 2, format, u32) F(m, 3, chunk, u32)
#define CU_ABCI_request_apply_snapshot_chunk(F, R, M, L, P, E, m)                                                         \
    F(m, 1, index, u32) F(m, 2, chunk, bytes) F(m, 3, sender, text)
#define CU_ABCI_request_prepare_proposal(F, R, M, L, P, E, m)                                                             \
    F(m, 1, max_tx_bytes, i64) R(m, 2, txs, bytes) M(m, 3, local_last_commit, extended_commit_info)                    \
    L(m, 4, misbehavior, misbehavior) F(m, 5, height, i64) M(m, 6, time, timestamp)                                    \
    F(m, 7, next_validators_hash, bytes) F(m, 8, proposer_address, bytes)
#define CU_ABCI_request_process_proposal(F, R, M, L, P, E, m)                                                             \
    R(m, 1, txs, bytes) M(m, 2, proposed_last_commit, commit_info) L(m, 3, misbehavior, misbehavior)                   \
    F(m, 4, hash, bytes) F(m, 5, height, i64) M(m, 6, time, timestamp) F(m, 7, next_validators_hash, bytes)            \
    F(m, 8, proposer_address, bytes)
#define CU_ABCI_request_extend_vote(F, R, M, L, P, E, m)                                                                  \
    F(m, 1, hash, bytes) F(m, 2, height, i64) M(m, 3, time, timestamp) R(m, 4, txs, bytes)                             \
    M(m, 5, proposed_last_commit, commit_info) L(m, 6, misbehavior, misbehavior) F(m, 7, next_validators_hash, bytes)  \
    F(m, 8, proposer_address, bytes)
#define CU_ABCI_request_verify_vote_extension(F, R, M, L, P, E, m)                                                        \
    F(m, 1, hash, bytes) F(m, 2, validator_address, bytes) F(m, 3, height, i64) F(m, 4, vote_extension, bytes)
#define CU_ABCI_request_finalize_block(F, R, M, L, P, E, m)                                                               \
    R(m, 1, txs, bytes) M(m, 2, decided_last_commit, commit_info) L(m, 3, misbehavior, misbehavior)                    \
    F(m, 4, hash, bytes) F(m, 5, height, i64) M(m, 6, time, timestamp) F(m, 7, next_validators_hash, bytes)            \
    F(m, 8, proposer_address, bytes)
#define CU_ABCI_request_insert_tx(F, R, M, L, P, E, m) F(m, 1, tx, bytes)
#define CU_ABCI_request_reap_txs(F, R, M, L, P, E, m) F(m, 1, max_bytes, u64) F(m, 2, max_gas, u64)
#define CU_ABCI_response_exception(F, R, M, L, P, E, m) F(m, 1, error, text)
#define CU_ABCI_response_echo(F, R, M, L, P, E, m) F(m, 1, message, text)
#define CU_ABCI_response_flush(F, R, M, L, P, E, m)
#define CU_ABCI_response_info(F, R, M, L, P, E, m)                                                                        \
    F(m, 1, data, text) F(m, 2, version, text) F(m, 3, app_version, u64) F(m, 4, last_block_height, i64)               \
    F(m, 5, last_block_app_hash, bytes)
#define CU_ABCI_response_init_chain(F, R, M, L, P, E, m)                                                                  \
    M(m, 1, consensus_params, consensus_params) L(m, 2, validators, validator_update) F(m, 3, app_hash, bytes)
#define CU_ABCI_response_query(F, R, M, L, P, E, m)                                                                       \
    F(m, 1, code, u32) F(m, 3, log, text) F(m, 4, info, text) F(m, 5, index, i64) F(m, 6, key, bytes)                  \
    F(m, 7, value, bytes) M(m, 8, proof_ops, proof_ops) F(m, 9, height, i64) F(m, 10, codespace, text)
#define CU_ABCI_response_check_tx(F, R, M, L, P, E, m)                                                                    \
    F(m, 1, code, u32) F(m, 2, data, bytes) F(m, 3, log, text) F(m, 4, info, text) F(m, 5, gas_wanted, i64)            \
    F(m, 6, gas_used, i64) L(m, 7, events, event) F(m, 8, codespace, text)
#define CU_ABCI_response_commit(F, R, M, L, P, E, m) F(m, 3, retain_height, i64)
#define CU_ABCI_response_list_snapshots(F, R, M, L, P, E, m) L(m, 1, snapshots, snapshot)
#define CU_ABCI_response_offer_snapshot(F, R, M, L, P, E, m) F(m, 1, result, i32)
#define CU_ABCI_response_load_snapshot_chunk(F, R, M, L, P, E, m) F(m, 1, chunk, bytes)
#define CU_ABCI_response_apply_snapshot_chunk(F, R, M, L, P, E, m)                                                        \
    F(m, 1, result, i32) R(m, 2, refetch_chunks, u32) R(m, 3, reject_senders, text)
#define CU_ABCI_response_prepare_proposal(F, R, M, L, P, E, m) R(m, 1, txs, bytes)
#define CU_ABCI_response_process_proposal(F, R, M, L, P, E, m) F(m, 1, status, i32)
#define CU_ABCI_response_extend_vote(F, R, M, L, P, E, m) F(m, 1, vote_extension, bytes)
#define CU_ABCI_response_verify_vote_extension(F, R, M, L, P, E, m) F(m, 1, status, i32)
#define CU_ABCI_response_finalize_block(F, R, M, L, P, E, m)                                                              \
    L(m, 1, events, event) L(m, 2, tx_results, exec_tx_result) L(m, 3, validator_updates, validator_update)            \
    M(m, 4, consensus_param_updates, consensus_params) F(m, 5, app_hash, bytes)
#define CU_ABCI_response_insert_tx(F, R, M, L, P, E, m) F(m, 1, code, u32)
#define CU_ABCI_response_reap_txs(F, R, M, L, P, E, m) R(m, 1, txs, bytes)
#define CU_ABCI_request(F, R, M, L, P, E, m)                                                                              \
    E(m, 1, echo, request_echo) E(m, 2, flush, request_flush) E(m, 3, info, request_info)                              \
    E(m, 5, init_chain, request_init_chain) E(m, 6, query, request_query) E(m, 8, check_tx, request_check_tx)          \
    E(m, 11, commit, request_commit) E(m, 12, list_snapshots, request_list_snapshots)                                  \
    E(m, 13, offer_snapshot, request_offer_snapshot) E(m, 14, load_snapshot_chunk, request_load_snapshot_chunk)        \
    E(m, 15, apply_snapshot_chunk, request_apply_snapshot_chunk) E(m, 16, prepare_proposal, request_prepare_proposal)  \
    E(m, 17, process_proposal, request_process_proposal) E(m, 18, extend_vote, request_extend_vote)                    \
    E(m, 19, verify_vote_extension, request_verify_vote_extension) E(m, 20, finalize_block, request_finalize_block)    \
    E(m, 21, insert_tx, request_insert_tx) E(m, 22, reap_txs, request_reap_txs)
#define CU_ABCI_response(F, R, M, L, P, E, m)                                                                             \
    E(m, 1, exception, response_exception) E(m, 2, echo, response_echo) E(m, 3, flush, response_flush)                 \
    E(m, 4, info, response_info) E(m, 6, init_chain, response_init_chain) E(m, 7, query, response_query)               \
    E(m, 9, check_tx, response_check_tx) E(m, 12, commit, response_commit)                                             \
    E(m, 13, list_snapshots, response_list_snapshots) E(m, 14, offer_snapshot, response_offer_snapshot)                \
    E(m, 15, load_snapshot_chunk, response_load_snapshot_chunk)                                                        \
    E(m, 16, apply_snapshot_chunk, response_apply_snapshot_chunk)                                                      \
    E(m, 17, prepare_proposal, response_prepare_proposal) E(m, 18, process_proposal, response_process_proposal)        \
    E(m, 19, extend_vote, response_extend_vote) E(m, 20, verify_vote_extension, response_verify_vote_extension)        \
    E(m, 21, finalize_block, response_finalize_block) E(m, 22, insert_tx, response_insert_tx)                          \
    E(m, 23, reap_txs, response_reap_txs)

#define CU_ABCI_part_set_header(F, R, M, L, P, E, m) F(m, 1, total, u32) F(m, 2, hash, bytes)
#define CU_ABCI_block_id(F, R, M, L, P, E, m) F(m, 1, hash, bytes) M(m, 2, part_set_header, part_set_header)
#define CU_ABCI_vote(F, R, M, L, P, E, m)                                                                                 \
    F(m, 1, type, i32) F(m, 2, height, i64) F(m, 3, round, i32) M(m, 4, block_id, block_id)                            \
    M(m, 5, timestamp, timestamp) F(m, 6, validator_address, bytes) F(m, 7, validator_index, i32)                      \
    F(m, 8, signature, bytes) F(m, 9, extension, bytes) F(m, 10, extension_signature, bytes)
#define CU_ABCI_proposal(F, R, M, L, P, E, m)                                                                             \
    F(m, 1, type, i32) F(m, 2, height, i64) F(m, 3, round, i32) F(m, 4, pol_round, i32) M(m, 5, block_id, block_id)    \
    M(m, 6, timestamp, timestamp) F(m, 7, signature, bytes)
#define CU_ABCI_signer_error(F, R, M, L, P, E, m) F(m, 1, code, i32) F(m, 2, description, text)
#define CU_ABCI_request_pub_key(F, R, M, L, P, E, m) F(m, 1, chain_id, text)
#define CU_ABCI_response_pub_key(F, R, M, L, P, E, m) M(m, 1, pub_key, public_key) M(m, 2, error, signer_error)
#define CU_ABCI_request_sign_vote(F, R, M, L, P, E, m) M(m, 1, vote, vote) F(m, 2, chain_id, text)
#define CU_ABCI_response_sign_vote(F, R, M, L, P, E, m) M(m, 1, vote, vote) M(m, 2, error, signer_error)
#define CU_ABCI_request_sign_proposal(F, R, M, L, P, E, m) M(m, 1, proposal, proposal) F(m, 2, chain_id, text)
#define CU_ABCI_response_sign_proposal(F, R, M, L, P, E, m) M(m, 1, proposal, proposal) M(m, 2, error, signer_error)
#define CU_ABCI_request_ping(F, R, M, L, P, E, m)
#define CU_ABCI_response_ping(F, R, M, L, P, E, m)
#define CU_ABCI_signer(F, R, M, L, P, E, m)                                                                               \
    E(m, 1, pub_key, request_pub_key) E(m, 2, its_pub_key, response_pub_key) E(m, 3, sign_vote, request_sign_vote)     \
    E(m, 4, signed_vote, response_sign_vote) E(m, 5, sign_proposal, request_sign_proposal)                             \
    E(m, 6, signed_proposal, response_sign_proposal) E(m, 7, ping, request_ping) E(m, 8, pong, response_ping)

/** All of them, each after those in it. Of the three envelopes, request, response and signer, exactly one message is there. */
#define CU_ABCI_MESSAGES(X)                                                                                            \
    X(timestamp) X(duration) X(block_params) X(evidence_params) X(validator_params) X(version_params) X(abci_params)   \
    X(authority_params) X(consensus_params) X(public_key) X(validator) X(validator_update) X(vote_info) X(commit_info) \
    X(extended_vote_info) X(extended_commit_info) X(misbehavior) X(snapshot) X(event_attribute) X(event)               \
    X(exec_tx_result) X(proof_op) X(proof_ops) X(proof) X(value_op) X(request_echo) X(request_flush) X(request_info)   \
    X(request_init_chain) X(request_query) X(request_check_tx) X(request_commit) X(request_list_snapshots)             \
    X(request_offer_snapshot) X(request_load_snapshot_chunk) X(request_apply_snapshot_chunk)                           \
    X(request_prepare_proposal) X(request_process_proposal) X(request_extend_vote) X(request_verify_vote_extension)    \
    X(request_finalize_block) X(request_insert_tx) X(request_reap_txs) X(response_exception) X(response_echo)          \
    X(response_flush) X(response_info) X(response_init_chain) X(response_query) X(response_check_tx)                   \
    X(response_commit) X(response_list_snapshots) X(response_offer_snapshot) X(response_load_snapshot_chunk)           \
    X(response_apply_snapshot_chunk) X(response_prepare_proposal) X(response_process_proposal) X(response_extend_vote) \
    X(response_verify_vote_extension) X(response_finalize_block) X(response_insert_tx) X(response_reap_txs) X(request) \
    X(response) X(part_set_header) X(block_id) X(vote) X(proposal) X(signer_error) X(request_pub_key)                  \
    X(response_pub_key) X(request_sign_vote) X(response_sign_vote) X(request_sign_proposal) X(response_sign_proposal)  \
    X(request_ping) X(response_ping) X(signer)
/* clang-format on */

typedef uint64_t cu_abci_bool, cu_abci_u32, cu_abci_u64;
typedef int64_t cu_abci_i32, cu_abci_i64;
typedef struct cu_span cu_abci_text, cu_abci_bytes;

#define CU_ABCI_ONE(m, number, name, type) cu_abci_##type name;
#define CU_ABCI_MANY(m, number, name, type) struct cu_pb_list name;
#define CU_ABCI_INNER(m, number, name, type) struct cu_abci_##type name;
#define CU_ABCI_STRUCT(m)                                                                                                  \
    struct cu_abci_##m {                                                                                                   \
        bool there;                                                                                                        \
        CU_ABCI_##m(CU_ABCI_ONE, CU_ABCI_MANY, CU_ABCI_INNER, CU_ABCI_MANY, CU_ABCI_ONE, CU_ABCI_INNER, m)                                \
    };                                                                                                                     \
    extern const struct cu_pb_message cu_abci_##m##_table;
CU_ABCI_MESSAGES(CU_ABCI_STRUCT)
#undef CU_ABCI_STRUCT
#undef CU_ABCI_ONE
#undef CU_ABCI_MANY
#undef CU_ABCI_INNER

enum { CU_ABCI_ACCEPT = 1, CU_ABCI_REJECT = 2 }; /* of proposals and vote extensions; 0 would stop the node */
enum { CU_ABCI_SNAPSHOT_ABORT = 2, CU_ABCI_SNAPSHOT_REJECT_FORMAT = 4 };

/** The number of the one message in an envelope of that table; 0: none is there. */
unsigned cu_abci_which(const struct cu_pb_message *envelope, const void *message);

#endif
