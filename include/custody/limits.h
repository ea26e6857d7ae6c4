/* Every bound of the formats and the ledger, in one table: enforced where the name is used, tested at it and one past it. */
#ifndef CUSTODY_LIMITS_H
#define CUSTODY_LIMITS_H

/* name, value, unit, what is bounded */
#define CU_LIMIT_TABLE(X)                                                                                              \
    X(ENTRY_MAX, 16384, "bytes", "one entry of the log")                                                               \
    X(CLAIM_MAX, 4096, "bytes", "a signed claim, so that every form that nests it fits an entry")                      \
    X(RECORD_MAX, 65536, "bytes", "an entry with its attachments")                                                     \
    X(CONTENT_INLINE_MAX, 32768, "bytes", "content that travels with its record")                                      \
    X(DETAILS_MAX, 24576, "bytes", "the details of one statement")                                                     \
    X(SERIAL_WINDOW, 1024, "numbers", "how far a serial may run ahead of the lowest open one")                         \
    X(CBOR_DEPTH_MAX, 8, "levels", "nesting of any CBOR that is read")                                                 \
    X(PARTIES_MAX, 64, "parties", "members of one ledger")                                                             \
    X(KEYS_MAX, 256, "keys", "public keys of one ledger")                                                              \
    X(CASE_KEYS_MAX, 64, "keys", "depositors' keys with an entry in one case")                                         \
    X(ORIGIN_MAX, 128, "bytes", "the name of a log")                                                                   \
    X(NOTE_MAX, 16384, "bytes", "a signed note")                                                                       \
    X(NOTE_SIGNATURES_MAX, 64, "lines", "signatures on a note")                                                        \
    X(PROOF_HASHES_MAX, 63, "hashes", "a path in the log")                                                             \
    X(POLICY_MEMBERS_MAX, 64, "names", "logs, witnesses and groups of a policy, each")                                 \
    X(EPOCHS_MAX, 16, "epochs", "key generations in a trust file")                                                     \
    X(RECEIPT_MAX, 262144, "bytes", "a receipt file")                                                                  \
    X(RECEIPT_SUPPORT_MAX, 64, "entries", "supporting entries in a receipt")                                           \
    X(TRUST_MAX, 65536, "bytes", "a trust file")                                                                       \
    X(PATH_MAX_BYTES, 4096, "bytes", "one item's path in a folder")                                                    \
    X(PATH_DEPTH_MAX, 128, "levels", "folders within folders")                                                         \
    X(ITEMS_MAX, 16777216, "items", "items in one folder deposit")                                                     \
    X(MANIFEST_ROW_MAX, 12288, "bytes", "one row of a manifest")                                                       \
    X(LEAF_BYTES, 4096, "bytes", "one leaf of a content tree")                                                         \
    X(CHUNK_BYTES, 1048576, "bytes", "one chunk: 256 leaves")                                                          \
    X(PACK_MAX, 67108864, "bytes", "one pack of small items")                                                          \
    X(STORED_RANGES_MAX, 512, "ranges", "ranges of positions in one stored entry")                                     \
    X(INVENTORY_OPEN_MAX, 1024, "numbers", "open serials in one inventory")

#define CU_LIMIT_ENUM(name, value, unit, text) CU_##name = (value),
enum cu_limit { CU_LIMIT_TABLE(CU_LIMIT_ENUM) };
#undef CU_LIMIT_ENUM

#endif
