/* Every bound, in two tables: what is refused beyond, and what the program allows itself. `custody doctor --limits` has them. */
#ifndef CUSTODY_LIMITS_H
#define CUSTODY_LIMITS_H

/* Of the formats, the ledger and what people hand in. Enforced where the name is used; tests/unit/base/test_limits.c names for
 * each the test that takes what is at the bound and refuses what is one past it.
 *
 * name, value, unit, what is bounded */
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
    X(HELD_OBJECTS_MAX, 64, "objects", "of a bucket that an acceptance names one by one")                                \
    X(DISCLOSED_MAX, 400, "ids", "deposits in one disclosure")                                                         \
    X(EARLIER_MAX, 200, "deposits", "of other ledgers that the details of an imported package name")                   \
    X(INVENTORY_OPEN_MAX, 1024, "numbers", "open serials in one inventory")                                            \
    X(JOURNAL_BYTES_MIN, 65536, "bytes", "the smallest of the two files of a journal; such a one takes records of 48 KiB")\
    X(JOURNAL_BYTES_MAX, 1073741824, "bytes", "the largest")                                                           \
    X(PENDING_MAX, 16777216, "bytes", "signed deposits in the outbox, not yet recorded")                               \
    X(ACCESS_BYTES_MAX, 1048576, "bytes", "reads in the outbox, not yet recorded")                                     \
    X(CASE_NAME_MAX, 100, "bytes", "a case's name, as it is opened")                                                   \
    X(DETAILS_FILE_MAX, 65536, "bytes", "a form of details, as it is handed in")                                       \
    X(LIST_MAX, 67108864, "bytes", "a list of expected digests, as it is handed in")                                   \
    X(MEMBER_KEYS_MAX, 16, "keys", "given to a member by one entry, and as many revoked")                              \
    X(PROPOSED_KEYS_MAX, 5, "keys", "given to an organisation by one proposal, one a purpose")                         \
    X(PROPOSED_REVOKED_MAX, 8, "keys", "revoked by one proposal")                                                      \
    X(PROPOSALS_MAX, 16, "proposals", "open at once, one an organisation: the one that ends first gives way")          \
    X(AGE_HEADER_MAX, 65536, "bytes", "what stands before the payload of a sealed file")                               \
    X(AGE_RECIPIENTS_MAX, 64, "readers", "for whom one file is sealed")                                                \
    X(AGE_IDENTITIES_MAX, 16, "identities", "in one file of them")                                             \
    X(GRANT_READERS_MAX, 16, "readers", "to whom one grant opens what is sealed")                              \
    X(RETENTION_DAYS_MAX, 36500, "days", "that a policy may ask a store to keep things locked")                         \
    X(MUST_SEAL_MAX, 8, "profiles", "of which a policy asks that they are sealed")                                     \
    X(SUBMIT_RECORDS_MAX, 128, "records", "in one submission over HTTP, and in one transaction of a chain")            \
    X(CHAIN_TX_MAX, 262144, "bytes", "one transaction of a chain")

/* Of the program itself: batches, threads, memory. What goes beyond is cut, waits for the next, or is refused by name.
 *
 * name, value, unit, what for */
#define CU_BUDGET_TABLE(X)                                                                                             \
    X(BATCH_RECORDS, 2048, "records", "one commit of the engine: more wait for the next")                              \
    X(BATCH_BYTES, 4194304, "bytes", "the records of one commit")                                                      \
    X(WINDOW_US, 1000, "us", "how long a commit waits for company, unless told otherwise")                             \
    X(JOURNAL_BYTES_USUAL, 16777216, "bytes", "each of the two files of a journal, unless told otherwise")             \
    X(REPLAY_MAX, 65536, "entries", "what an opening reads back from tiles; a state further behind is made anew")      \
    X(STATE_DELTA_MAX, 67108864, "bytes", "rows of state in memory, whatever the ledger's size; in there they take twice that") \
    X(INDEX_CACHE, 67108864, "bytes", "pages of the search index in memory, while it is written")                      \
    X(INDEX_ITEMS, 1048576, "items", "of 16 bytes, that one batch of the search index has in memory, of entries and of objects") \
    X(ENGINE_THREADS_MAX, 256, "threads", "that judge forms and signatures, one a processor")                          \
    X(LANES_MAX, 8, "threads", "that hash and write one content")                                                      \
    X(DEVICES_MAX, 16, "files", "open for good: one on each file system below a root, to sync it")                     \
    X(GROUP_DEPOSITS, 32, "deposits", "that share a sync: more wait for the next")                                     \
    X(GROUP_BYTES, 67108864, "bytes", "their content: a larger one shares with nobody after it")                       \
    X(NOTED_MAX, 67108864, "bytes", "what one check remembers of its findings")                                        \
    X(ARENA_BYTES, 16777216, "bytes", "all the memory that custody-verify's cryptography has")                        \
    X(CHAIN_FLIGHT, 6, "transactions", "of one node that are on their way at once: more records wait for the next")     \
    X(CHAIN_GATHER_MS, 20, "ms", "that records wait for more of them, where a transaction of this node is on its way")  \
    X(CHAIN_WAIT_MS, 10000, "ms", "that somebody waits for the chain to decide on what he submitted")                   \
    X(CHAIN_RESEND_MS, 3000, "ms", "after which a transaction that was not decided is handed to the engine again")      \
    X(CHAIN_STOP_MS, 10000, "ms", "that the consensus engine has to end in, when it is told to")                        \
    X(CHAIN_STARTS, 8, "starts", "of the consensus engine in a row that ended at once: then somebody is called")        \
    X(HTTP_CONNECTIONS, 1000, "connections", "open at once: further ones are closed")                                   \
    X(HTTP_READERS, 2, "threads", "that read and send, and never wait")                                                \
    X(HTTP_WORKERS_MAX, 64, "threads", "that answer requests")                                                         \
    X(HTTP_QUEUE, 512, "requests", "that wait for one of these: further ones are told to come again")                  \
    X(HTTP_PARKED, 256, "requests", "that wait for something to be recorded: further ones are answered at once")       \
    X(HTTP_WAIT_S, 60, "s", "the longest ?wait=")                                                                      \
    X(HTTP_HEADER_BYTES, 32768, "bytes", "a request's line and headers")                                               \
    X(HTTP_HEADERS_MAX, 100, "headers", "of one request")                                                              \
    X(HTTP_BODIES, 67108864, "bytes", "of all bodies in memory: who brings more is told to come again")                \
    X(HTTP_PIECE, 196608, "bytes", "of a body that is not gathered: what a busy connection has of it in memory")          \
    X(HTTP_REST_MAX, 1048576, "bytes", "read of a body after it was refused, before the connection is closed")         \
    X(HTTP_ANSWER_MAX, 33554432, "bytes", "an answer that is made in memory")                                          \
    X(HTTP_ANSWERS, 134217728, "bytes", "of all such answers and pieces at once: who asks for more then is told to come again")  \
    X(HTTP_PEERS, 1024, "addresses", "whose rates are remembered: the oldest makes room")                              \
    X(HTTP_PAGE, 1000, "rows", "of one listing: it says where the next begins")                                        \
    X(HTTP_HELD_MAX, 65536, "ranges", "of deposits that wait to be attested: further ones are found at the next start")  \
    X(HTTP_GRACE_MS, 10000, "ms", "to the end of the headers, and without anything moving")                            \
    X(HTTP_RATE, 16384, "bytes", "a second, the lowest rate of a body or an answer")                                   \
    X(HTTP_IDLE_MS, 60000, "ms", "between two requests of one connection, headers of the second among it")             \
    X(HTTP_TICK_MS, 200, "ms", "between two looks at the deadlines")                                                   \
    X(HTTP_STOP_MS, 30000, "ms", "that requests have to end in, when the server stops")

#define CU_LIMIT_ENUM(name, value, unit, text) CU_##name = (value),
enum cu_limit { CU_LIMIT_TABLE(CU_LIMIT_ENUM) CU_BUDGET_TABLE(CU_LIMIT_ENUM) };
#undef CU_LIMIT_ENUM

#endif
