/* custody verify: a receipt, and the evidence beside it, judged offline. The ledger is used for its pinned trust file only. */
#include "adapters/archive/archive.h"
#include "apps/custody/app.h"
#include "apps/common/verify_request.h"

static cu_status go(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(verify_request_free) struct verify_request v = { 0 };
    CU_BUF own = cu_buf_heap(CU_TRUST_MAX);

    if (!opt(run, "trust") && in_session(run, MODE_BARE, session_trust, &own, NULL) != CU_OK) cu_buf_clear(&own);
    const struct verify_arguments args = { .receipt = run->args[0],
                                           .path = run->args_n > 1 ? run->args[1] : NULL,
                                           .trust = opt(run, "trust"),
                                           .manifest = opt(run, "manifest"),
                                           .id = opt(run, "id"),
                                           .network = opt(run, "network"),
                                           .json = run->json,
                                           .open_zip = cu_zip_open };
    return verify_go(&v, &args, cu_buf_span(&own), &run->out, &run->exit, err);
}

const struct command command_verify = {
    .name = "verify",
    .args = "RECEIPT [PATH]",
    .line = "judge a receipt, and a file or folder, offline",
    .help = "Judges a receipt by the pinned trust file alone, without a network and without the ledger; with PATH the file, the "
            "folder, or one item of a deposited folder is compared as well. Ends with three verdicts (integrity, signer, "
            "time) and one plain sentence in English and Chinese. Without a pinned trust file it never exits 0.",
    .args_min = 1,
    .args_max = 2,
    .go = go,
    .options = { { "trust", "FILE", "the pinned trust file (by default this ledger's own)" },
                 { "manifest", "FILE", "the manifest of a large folder (by default RECEIPT.manifest)" },
                 { "id", "ID", "say whether it is the receipt of this id, 8 digits or more, as a paper has it" },
                 { "network", "WORDS", "say whether its ledger is this one: 24 words, or 64 hex digits" } },
};
