/* The table of commands, in the order in which people meet them. */
#include "apps/custody/app.h"

extern const struct command command_init, command_case_open, command_case_ls, command_deposit, command_claim, command_ls,
    command_show, command_trail, command_status, command_receipt, command_get, command_verify, command_export, command_import,
    command_inventory, command_certificate, command_check, command_reindex, command_doctor, command_correct, command_void,
    command_fork_make, command_fork_verify, command_member_add, command_member_ls, command_member_revoke, command_node,
    command_ca_init, command_ca_issue, command_ca_revoke, command_help, command_completion;

// clang-format off
const struct command *const commands[] = {
    &command_init,
    &command_case_open,
    &command_case_ls,
    &command_member_add,
    &command_member_ls,
    &command_member_revoke,
    &command_deposit,
    &command_claim,
    &command_ls,
    &command_show,
    &command_trail,
    &command_status,
    &command_receipt,
    &command_get,
    &command_verify,
    &command_export,
    &command_import,
    &command_inventory,
    &command_certificate,
    &command_check,
    &command_reindex,
    &command_doctor,
    &command_correct,
    &command_void,
    &command_fork_make,
    &command_fork_verify,
    &command_ca_init,
    &command_ca_issue,
    &command_ca_revoke,
    &command_node,
    &command_help,
    &command_completion,
    NULL,
};
// clang-format on
