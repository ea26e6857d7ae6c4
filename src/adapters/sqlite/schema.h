/* The tables of the index, twice: what is in the file, and (read only) the log's tail in memory. */
#ifndef CU_ADAPTERS_SQLITE_SCHEMA_H
#define CU_ADAPTERS_SQLITE_SCHEMA_H

#define SCHEMA_VERSION 3
#define APPLICATION_ID 0x43757374 /* "Cust" */

/* Columns of an entry: name in SQL and in C, type of the member, the bool that says whether it is there (0: always). */
#define ENTRY_COLUMNS(X)                                                                                               \
    X(seq, SEQ, 0)                                                                                                     \
    X(kind, KIND, 0)                                                                                                   \
    X(id, HASH, 0)                                                                                                     \
    X(leaf, HASH, 0)                                                                                                   \
    X(kid, HASH, 0)                                                                                                    \
    X(case_id, CASE_ID, has_case)                                                                                      \
    X(number, UINT, 0)                                                                                                 \
    X(serial, UINT, 0)                                                                                                 \
    X(content, UINT, 0)                                                                                                \
    X(size, UINT, 0)                                                                                                   \
    X(root, HASH, 0)                                                                                                   \
    X(sha256, HASH, has_sha256)                                                                                        \
    X(ref, HASH, has_ref)                                                                                              \
    X(time, TIME, 0)                                                                                                   \
    X(block, SEQ, 0)                                                                                                   \
    X(recorded, TIME, 0)                                                                                               \
    X(name, TEXT, 0)                                                                                                   \
    X(label, TEXT, 0)                                                                                                  \
    X(note, TEXT, 0)

/* Every statement with %s for the database: "main" or "temp".
 *
 * stored: each range is filed under the smallest block of positions [n·2^level, (n+1)·2^level) that holds it; a position lies in
 * one block a level, and a block is filed under only by ranges that cross its middle. So who holds a position is 64 look-ups,
 * whatever the number of ranges.
 *
 * runs, pages: what entries and objects are found by, see runs.c. packs: a row each time that somebody tells what lies in one. */
#define TABLES(X)                                                                                                      \
    X("CREATE TABLE %s.entries(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id BLOB NOT NULL, leaf BLOB NOT NULL, " \
      "kid BLOB NOT NULL, case_id BLOB, number INTEGER NOT NULL, serial INTEGER NOT NULL, content INTEGER NOT NULL, "  \
      "size INTEGER NOT NULL, root BLOB NOT NULL, sha256 BLOB, ref BLOB, time INTEGER NOT NULL, "                      \
      "block INTEGER NOT NULL, recorded INTEGER NOT NULL, name BLOB, label BLOB, note BLOB) STRICT")                   \
    X("CREATE TABLE %s.stored(level INTEGER, block INTEGER, seq INTEGER, party INTEGER, first INTEGER, last INTEGER, " \
      "PRIMARY KEY(level, block, seq, party, first, last)) WITHOUT ROWID, STRICT")                                     \
    X("CREATE TABLE %s.runs(run INTEGER PRIMARY KEY, about INTEGER NOT NULL, tier INTEGER NOT NULL, "                  \
      "first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT")                                                         \
    X("CREATE TABLE %s.pages(page INTEGER PRIMARY KEY, run INTEGER NOT NULL, key INTEGER NOT NULL, "                   \
      "items BLOB NOT NULL) STRICT")                                                                                   \
    X("CREATE INDEX %s.by_key ON pages(run, key)")                                                                     \
    X("CREATE TABLE %s.packs(pack INTEGER PRIMARY KEY, name BLOB NOT NULL) STRICT")                                    \
    X("CREATE TABLE %s.counts(case_id BLOB, kind INTEGER, n INTEGER, PRIMARY KEY(case_id, kind)) WITHOUT ROWID, STRICT") \
    X("CREATE TABLE %s.tip(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL) STRICT")                     \
    X("INSERT INTO %s.tip VALUES(1, 0)")

#endif
