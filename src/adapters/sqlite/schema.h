/* The tables of the index, twice: what is in the file, and (read only) the log's tail in memory. */
#ifndef CU_ADAPTERS_SQLITE_SCHEMA_H
#define CU_ADAPTERS_SQLITE_SCHEMA_H

#define SCHEMA_VERSION 2
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
 * objects: names are chance, and a tree that takes them one by one soon writes a page for each. So what is told at once becomes a run of its
 * own, which is filled from left to right; a look-up asks every run. When a tier has RUNS_MAX runs, they are merged into one of the
 * next, while the index follows the log (and not while the log waits for it). Of a name that is in several the lowest place counts. */
#define RUNS_MAX 16
#define RUN_ROWS 131072u
#define ENTRIES_SQL                                                                                                    \
    "CREATE TABLE %s.entries(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id BLOB NOT NULL, leaf BLOB NOT NULL, "   \
    "kid BLOB NOT NULL, case_id BLOB, number INTEGER NOT NULL, serial INTEGER NOT NULL, content INTEGER NOT NULL, "    \
    "size INTEGER NOT NULL, root BLOB NOT NULL, sha256 BLOB, ref BLOB, time INTEGER NOT NULL, block INTEGER NOT NULL, "\
    "recorded INTEGER NOT NULL, name BLOB, label BLOB, note BLOB) STRICT"

#define TABLES(X)                                                                                                      \
    X(ENTRIES_SQL)                                                                                                     \
    X("CREATE TABLE %s.stored(level INTEGER, block INTEGER, seq INTEGER, party INTEGER, first INTEGER, last INTEGER, " \
      "PRIMARY KEY(level, block, seq, party, first, last)) WITHOUT ROWID, STRICT")                                     \
    X("CREATE TABLE %s.runs(run INTEGER PRIMARY KEY, tier INTEGER NOT NULL) STRICT")                                   \
    X("CREATE INDEX %s.by_tier ON runs(tier)")                                                                         \
    X("CREATE TABLE %s.objects(run INTEGER, root BLOB, store INTEGER, size INTEGER, pack BLOB, offset INTEGER, "       \
      "PRIMARY KEY(run, root, store)) WITHOUT ROWID, STRICT")                                                          \
    X("CREATE TABLE %s.counts(case_id BLOB, kind INTEGER, n INTEGER, PRIMARY KEY(case_id, kind)) WITHOUT ROWID, STRICT") \
    X("CREATE TABLE %s.tip(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL) STRICT")                     \
    X("INSERT INTO %s.tip VALUES(1, 0)")                                                                               \
    X("CREATE INDEX %s.by_id ON entries(id)")                                                                          \
    X("CREATE INDEX %s.by_kind ON entries(kind)")                                                                      \
    X("CREATE INDEX %s.by_case ON entries(case_id) WHERE case_id IS NOT NULL")                                         \
    X("CREATE INDEX %s.by_exhibit ON entries(case_id, kind, number) WHERE case_id IS NOT NULL")                        \
    X("CREATE INDEX %s.by_sha256 ON entries(sha256) WHERE sha256 IS NOT NULL")                                         \
    X("CREATE INDEX %s.by_ref ON entries(ref) WHERE ref IS NOT NULL")                                                  \
    X("CREATE INDEX %s.by_label ON entries(label) WHERE label IS NOT NULL")                                            \
    X("CREATE INDEX %s.by_case_name ON entries(name) WHERE kind = 4 AND name IS NOT NULL")

#endif
