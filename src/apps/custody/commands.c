/* The table of commands, in the order in which people meet them. */
#include "apps/custody/app.h"

// clang-format off
#define COMMANDS(X) \
    X(init) \
    X(case_open) \
    X(case_ls) \
    X(enrol) \
    X(member_add) \
    X(member_approve) \
    X(member_ls) \
    X(member_reject) \
    X(member_revoke) \
    X(member_rotate) \
    X(deposit) \
    X(claim) \
    X(ls) \
    X(show) \
    X(trail) \
    X(status) \
    X(receipt) \
    X(get) \
    X(grant) \
    X(disclose) \
    X(verify) \
    X(export) \
    X(import) \
    X(inventory) \
    X(certificate) \
    X(check) \
    X(bucket_check) \
    X(reindex) \
    X(doctor) \
    X(backup) \
    X(correct) \
    X(void) \
    X(notice_create) \
    X(notice_ls) \
    X(notice_acknowledge) \
    X(notice_answer) \
    X(notice_accept) \
    X(notice_refuse) \
    X(refuse) \
    X(supervise) \
    X(trust_chain) \
    X(trust_follow) \
    X(fork_make) \
    X(fork_verify) \
    X(ca_init) \
    X(ca_issue) \
    X(ca_revoke) \
    X(ca_token) \
    X(witness_add) \
    X(witness_key) \
    X(witness_log) \
    X(node) \
    X(provider_init) \
    X(provider) \
    X(network_local) \
    X(network_request) \
    X(network_new) \
    X(network_join) \
    X(network_resume) \
    X(network_rotate) \
    X(network_propose) \
    X(network_approve) \
    X(network_proposals) \
    X(network_status) \
    X(help) \
    X(completion)
// clang-format on

#define DECLARE(name) extern const struct command command_##name;
COMMANDS(DECLARE)
#undef DECLARE

#define ADDRESS(name) &command_##name,
const struct command *const commands[] = { COMMANDS(ADDRESS) NULL };
