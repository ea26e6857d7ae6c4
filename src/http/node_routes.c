/* The node's table of routes, from which OpenAPI comes, too. Each row says what is done, and peer.h who may. The methods of one path stand together. */
#include "http/node_inside.h"

#include "proof/witness.h"

#define JSON "application/json"
#define BYTES "application/octet-stream"
#define CBOR "application/cbor"
#define TEXT "text/plain; charset=utf-8"
#define DEAR \
    200 /* anybody may ask, and each costs signatures, to make or to check: five a second of one address, at the usual rate */

// clang-format off
#define PAGES { "limit", "so many rows at most, 1,000 or fewer" }, { "after", "rows behind this entry: \"next\" of the page before" }
#define WAIT { "wait", "so many seconds at most for what is not there yet, 60 or fewer" }
#define RECORDED { "reason", "why it is read: recorded" }, { "authority", "on whose order: recorded" }
#define WHY { "path", "of a folder: this file in it; without it the folder's manifest" }, { "root", "the same, by its root" }, RECORDED
#define WITHOUT { "without", "`content`: what travelled with it of the exhibit is left out, and nothing was read" }, RECORDED

#define SHOWN "exhibit kind id leaf name label note signed time"
#define COUNTED "case exhibits# root keys_with_open_serials#"
#define ROOT { "root", "of a folder: of the file with this root; without it, of the folder's manifest" }

const struct cu_http_route cu_node_routes[] = {
    { "GET", "/checkpoint", cu_get_checkpoint, "the newest signed checkpoint", .act = CU_ASK_PUBLIC, .gives = TEXT },
    { "GET", "/tile/entries/{path}", cu_get_tile, "an entry bundle", .act = CU_ASK_LOG, .gives = BYTES, .flags = CU_HTTP_TAIL },
    { "GET", "/tile/{path}", cu_get_tile, "a tile of hashes", .act = CU_ASK_PUBLIC, .gives = BYTES, .flags = CU_HTTP_TAIL },
    { "GET", "/v1/trust/chain", cu_get_trust_chain, "the chain of trust: from the network id, over each change of keys, to today's", .act = CU_ASK_PUBLIC, .gives = CBOR, .weight = DEAR },

    { "POST", "/v1/submit", cu_post_submit, "record statements that were signed elsewhere: one record, or a sequence of up to 128", .act = CU_ASK_SUBMIT,
      .takes = { CBOR, "application/cbor-seq" }, .takes_max = (size_t)CU_SUBMIT_RECORDS_MAX * CU_RECORD_MAX, .gives = JSON, .shape = "+status ?entry# ?id ?leaf ?block# ?time" },

    { "GET", "/v1/status", cu_get_status, "how the ledger stands", .act = CU_ASK_CAPACITY, .gives = JSON,
      .shape = "ledger network network_words origin entries# root cases# exhibits# incidents# refusals# timeouts# notices# index_lag# copies_required# forks# organisation misbehaviour# enrolments_waiting# ?member= ?left_height# ?members[]" },
    { "GET", "/v1/entry/{id}", cu_get_entry, "the bytes of an entry, by id or by position", .act = CU_ASK_DETAILS, .gives = CBOR },
    { "GET", "/v1/entry/{case}/{number}", cu_get_entry, "the bytes of an exhibit's entry", .act = CU_ASK_DETAILS, .gives = CBOR },
    { "GET", "/v1/record/{id}", cu_get_record, "an entry with its attachments, as it was submitted", .act = CU_ASK_LOG, .gives = CBOR, .query = { WITHOUT } },
    { "GET", "/v1/record/{case}/{number}", cu_get_record, "an exhibit's record", .act = CU_ASK_LOG, .gives = CBOR, .query = { WITHOUT } },
    { "GET", "/v1/show/{id}", cu_get_show, "what is known of an entry", .act = CU_ASK_DETAILS, .gives = JSON, .shape = SHOWN },
    { "GET", "/v1/show/{case}/{number}", cu_get_show, "what is known of an exhibit", .act = CU_ASK_DETAILS, .gives = JSON, .shape = SHOWN },
    { "GET", "/v1/receipt/{id}", cu_get_receipt, "the receipt of an entry", .act = CU_ASK_EVIDENCE, .gives = TEXT, .flags = CU_HTTP_WAITS, .query = { WAIT, RECORDED } },
    { "GET", "/v1/receipt/{case}/{number}", cu_get_receipt, "the receipt of an exhibit", .act = CU_ASK_EVIDENCE, .gives = TEXT, .flags = CU_HTTP_WAITS, .query = { WAIT, RECORDED } },
    { "GET", "/v1/content/{id}", cu_get_content, "evidence, verified", .act = CU_ASK_EVIDENCE, .gives = BYTES, .flags = CU_HTTP_PARTS, .query = { WHY } },
    { "GET", "/v1/content/{case}/{number}", cu_get_content, "an exhibit, verified", .act = CU_ASK_EVIDENCE, .gives = BYTES, .flags = CU_HTTP_PARTS, .query = { WHY } },
    { "GET", "/v1/chunks/{id}", cu_get_chunks, "the root of each MiB of evidence: they lead to the root that was signed", .act = CU_ASK_EVIDENCE, .gives = BYTES, .query = { ROOT } },
    { "GET", "/v1/chunks/{case}/{number}", cu_get_chunks, "the same of an exhibit", .act = CU_ASK_EVIDENCE, .gives = BYTES, .query = { ROOT } },
    { "GET", "/v1/trail", cu_get_trail, "what happened, in the order of the log", .act = CU_ASK_DETAILS, .gives = JSON, .shape = "trail[] next#~", .query = { PAGES } },
    { "GET", "/v1/trail/{id}", cu_get_trail, "what happened to one entry", .act = CU_ASK_DETAILS, .gives = JSON, .shape = "trail[] next#~", .query = { PAGES } },
    { "GET", "/v1/trail/{case}/{number}", cu_get_trail, "what happened to one exhibit", .act = CU_ASK_DETAILS, .gives = JSON, .shape = "trail[] next#~", .query = { PAGES } },
    { "GET", "/v1/case", cu_get_cases, "the cases", .act = CU_ASK_DETAILS, .gives = JSON, .shape = "cases[] next#~", .query = { PAGES } },
    { "GET", "/v1/case/{case}", cu_get_case, "the exhibits of a case", .act = CU_ASK_DETAILS, .gives = JSON, .shape = "exhibits[] next#~", .query = { PAGES } },
    { "GET", "/v1/find", cu_get_find, "whatever a digest, an id's first digits, a label, an exhibit or a case stands for", .act = CU_ASK_DETAILS, .gives = JSON, .shape = "found[] next#~",
      .query = { { "q", "what is looked for" }, PAGES } },
    { "GET", "/v1/inventory/{case}", cu_get_inventory, "what the ledger's state says of a case now", .act = CU_ASK_DETAILS, .gives = JSON, .shape = COUNTED " as_of_block#" },
    { "POST", "/v1/inventory/{case}", cu_post_inventory, "the same, signed by this node and recorded, so that it has a receipt", .act = CU_ASK_SIGN, .gives = JSON, .shape = COUNTED " time entry# id" },

    { "GET", "/v1/cosignatures", cu_get_cosignatures, "the first signed checkpoint of that size or larger, with every cosignature that is known", .act = CU_ASK_PUBLIC, .gives = TEXT,
      .query = { { "from", "its size, at least (by default the newest checkpoint's)" } } },
    { "POST", "/v1/cosignatures", cu_post_cosignatures, "a signed checkpoint of this log with cosignatures: those by keys that the trust file lists are kept", .act = CU_ASK_PUBLIC,
      .takes = { CU_HTTP_ANY }, .takes_max = CU_NOTE_MAX, .flags = CU_HTTP_WAITS, .query = { WAIT }, .gives = JSON, .shape = "new= quorum=" },
    { "GET", "/v1/cosignatures/{size}", cu_get_cosignatures_of, "the signed checkpoint of that size, with every cosignature that is known", .act = CU_ASK_PUBLIC, .gives = TEXT },
    { "POST", "/add-checkpoint", cu_post_add_checkpoint, "C2SP tlog-witness: cosign a checkpoint of another log that goes on from the last", .act = CU_ASK_PUBLIC,
      .takes = { CU_HTTP_ANY }, .takes_max = CU_WITNESS_REQUEST_MAX, .gives = TEXT },
    { "GET", "/v1/forks", cu_get_forks, "proofs that somebody signed another log of this name", .act = CU_ASK_PUBLIC, .gives = JSON, .shape = "forks[$]" },
    { "GET", "/v1/forks/{name}", cu_get_fork, "one of them, for `custody fork-proof verify`", .act = CU_ASK_PUBLIC, .gives = CBOR },

    { "GET", "/v1/enrolments", cu_get_enrolments, "who waits to be enrolled: a sequence of requests, each with when and from where it came", .act = CU_ASK_ADMIT, .gives = "application/cbor-seq" },
    { "POST", "/v1/enrolments", cu_post_enrolment, "ask to be enrolled; and, with the same key later, what became of it, and a certificate", .act = CU_ASK_PUBLIC,
      .takes = { CU_HTTP_ANY }, .takes_max = CU_ENROL_REQUEST_MAX, .gives = JSON, .shape = "state kid role name ?reason ?party# ?certificate", .weight = DEAR },
    { "POST", "/v1/enrolments/{kid}", cu_refuse_enrolment, "who asks with that key is refused: the body says why, in words that he is told", .act = CU_ASK_ADMIT,
      .takes = { CU_HTTP_ANY }, .takes_max = 1000, .gives = JSON, .shape = "kid state" },

    CU_CLAIM_ROUTES,
    CU_UPLOAD_ROUTES,
    { "POST", "/v1/supervised", cu_post_supervised, "watch a claim: unless its outcome is recorded in time, a timeout is", .act = CU_ASK_GIVE,
      .takes = { CU_HTTP_ANY }, .takes_max = CU_RECORD_MAX, .gives = JSON, .shape = "id due" },

    { "GET", "/v1/problems", cu_get_problems, "every outcome that an answer may name", .act = CU_ASK_PUBLIC, .gives = JSON, .shape = CU_PROBLEMS_SHAPE },
    { "GET", "/v1/openapi.json", cu_get_openapi, "this table", .act = CU_ASK_PUBLIC, .gives = JSON, .shape = "openapi info{} paths{} components{}" },
    { "GET", "/healthz", cu_get_health, "ok while the engine works", .act = CU_ASK_PUBLIC, .gives = TEXT },
    { "GET", "/readyz", cu_get_ready, "ok while records are taken", .act = CU_ASK_PUBLIC, .gives = TEXT },
    { "GET", "/metrics", cu_get_metrics, "figures for Prometheus", .act = CU_ASK_PUBLIC, .gives = "text/plain; version=0.0.4; charset=utf-8" },
};
const size_t cu_node_routes_n = sizeof cu_node_routes / sizeof *cu_node_routes;
// clang-format on

cu_status cu_node_openapi(struct cu_buf *out, struct cu_err *err)
{
    return cu_http_openapi(cu_node_routes, cu_node_routes_n, "custody node", CU_TOOL_NAME, out, err);
}
