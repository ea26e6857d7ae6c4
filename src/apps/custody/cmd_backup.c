/* custody backup: what of a ledger's folder is to be copied, and what must never come back. It copies nothing itself. */
#include "apps/custody/app.h"

enum care { COPY, APART, AGAIN, NEVER };
static const struct {
    const char *word, *line;
} cares[] = {
    [COPY] = { "copy",
               "while the ledger is in use, or not; in this order. What vanishes below an incoming/ meanwhile is no loss" },
    [APART] = { "copy apart", "secret: to a place of its own, encrypted" },
    [AGAIN] = { "leave", "made anew from the rest" },
    [NEVER] = { "never back", "of the moment: an old one would make the ledger say again, otherwise, what it has said" },
};

static const struct {
    enum care care;
    const char *path, *why;
} rows[] = {
    { COPY, CU_FILE_FORMAT, "what makes the folder a ledger" },
    { COPY, CU_DIR_TRUST, "what readers pin: public" },
    { COPY, CU_DIR_NODE_LOG, "the log, the node's copy: before the objects, so that nothing that it names is missing" },
    { COPY, CU_DIR_CLOUD_LOG, "the log, the provider's copy" },
    { COPY, CU_DIR_NODE_OBJECTS, "content and details, the node's copy" },
    { COPY, CU_DIR_CLOUD_OBJECTS, "content and details, the provider's copy; of a bucket, what this machine keeps of it" },
    { COPY, CU_FILE_CLOUD_BUCKET, "the bucket's address" },
    { COPY, CU_DIR_CLOUD_PINS, "which versions in the bucket are ours" },
    { COPY, CU_DIR_QUARANTINE, "what repairs replaced" },
    { COPY, CU_DIR_RECEIPTS, "receipts as they were handed out: they prove what a restored ledger lacks" },
    { APART, CU_DIR_KEYS, "private keys: whoever has them can speak for their owners" },
    { APART, CU_DIR_TLS, "certificates and their keys" },
    { AGAIN, CU_DIR_NODE_STATE, "`custody reindex` derives it from the log" },
    { AGAIN, CU_FILE_INDEX, "the search index" },
    { NEVER, CU_DIR_JOURNAL, "what is not in the log yet" },
    { NEVER, CU_DIR_OUTBOX, "numbers that were given, and what is signed and not recorded" },
};

static bool is_there(const struct session *s, const char *path)
{
    struct cu_file_stat stat;

    return s->place.fs.ops->stat(s->place.fs.self, path, &stat, NULL) == CU_OK;
}

static void put_json(struct session *s)
{
    struct cu_json j = cu_json_on(&s->run->out);

    cu_json_open(&j, NULL, '[');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is_there(s, rows[i].path)) continue;
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "path", rows[i].path);
        cu_json_str(&j, "do", cares[rows[i].care].word);
        cu_json_str(&j, "what", rows[i].why);
        cu_json_close(&j, '}');
    }
    cu_json_close(&j, ']');
    cu_buf_add_str(&s->run->out, "\n");
}

static const char after[] =
    "\nTo come back: lay what was copied into an empty folder, `custody reindex`, `custody check`: the journal is missing there "
    "and, where something\n"
    "was recorded while it was copied, the newest part of one copy of the log. The ledger is then as old as its copy. A receipt "
    "says in its\n"
    "checkpoint of how many entries its log was: if anybody holds one of more entries than `custody status` shows, the copy is "
    "older than that\n"
    "receipt. Then read it, and record nothing in it: that would be a fork, which the receipt proves. If nobody does, `custody "
    "check --repair`\n"
    "records that it came back, and it goes on.\n";

static cu_status tell(struct session *s, void *arg, struct cu_err *err)
{
    struct cu_buf *out = &s->run->out;

    (void)arg, (void)err;
    if (s->run->json) return put_json(s), CU_OK;
    for (enum care care = COPY; care <= NEVER; care++) {
        cu_buf_addf(out, "%s: %s\n", cares[care].word, cares[care].line);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (rows[i].care == care && is_there(s, rows[i].path)) cu_buf_addf(out, "  %-16s %s\n", rows[i].path, rows[i].why);
    }
    cu_buf_add_str(out, after);
    return CU_OK;
}

static cu_status go_backup(struct run *run, struct cu_err *err) { return in_session(run, MODE_CHECK, tell, NULL, err); }

const struct command command_backup = {
    .name = "backup",
    .args = "",
    .line = "what to copy of a ledger, and what must never come back",
    .help = "Lists the parts of the ledger's folder: what a backup copies, and in which order while the ledger is in use; what "
            "is secret; "
            "what need not be copied; and what must never be restored. It copies nothing: use what your house uses.",
    .args_max = 0,
    .go = go_backup,
};
