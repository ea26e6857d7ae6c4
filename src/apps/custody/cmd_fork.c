/* custody fork-proof make, fork-proof verify: two signed logs that cannot both be true. */
#include "apps/custody/app.h"

/* ---- make ---- */
static cu_status from_log(const char *dir, struct cu_span receipt, uint8_t *scratch, struct cu_buf *out, struct cu_err *err)
{
    CU_BUF note_bytes = cu_buf_heap(CU_NOTE_MAX);
    static struct cu_tile_nodes nodes;
    struct cu_checkpoint checkpoint;
    struct cu_note note;
    struct cu_fs fs;

    TRY(cu_posix_fs(dir, &fs, err));
    struct cu_log_dir log = { &fs, "." };
    cu_status made = cu_fs_read(&fs, "checkpoint", CU_NOTE_MAX, &note_bytes, err);
    if (made == CU_OK) made = cu_note_read(cu_buf_span(&note_bytes), &note, err);
    if (made == CU_OK) made = cu_checkpoint_read(note.text, &checkpoint, err);
    if (made == CU_OK) {
        cu_tile_nodes_init(&nodes, cu_log_dir_tiles(&log), checkpoint.size);
        const struct cu_node_source source = cu_tile_node_source(&nodes);
        made = cu_fork_make_log(receipt, cu_buf_span(&note_bytes), &source, scratch, out, err);
    }
    fs.ops->close(fs.self);
    return made;
}

static cu_status make(struct run *run, uint8_t *scratch, struct cu_err *err)
{
    CU_BUF a = cu_buf_heap(CU_RECEIPT_MAX), b = cu_buf_heap(CU_RECEIPT_MAX), proof = cu_buf_heap(CU_RECEIPT_MAX);

    TRY(read_argument_file(run->args[0], CU_RECEIPT_MAX, &a, err));
    if (run->args_n == 2) {
        TRY(read_argument_file(run->args[1], CU_RECEIPT_MAX, &b, err));
        TRY(cu_fork_make(cu_buf_span(&a), cu_buf_span(&b), scratch, &proof, err));
    } else TRY(from_log(opt(run, "log"), cu_buf_span(&a), scratch, &proof, err));
    TRY(write_output_file(opt(run, "output"), cu_buf_span(&proof), err));
    cu_buf_addf(&run->out, "the two cannot both be true: %s proves it (%zu bytes)\n", opt(run, "output"), proof.n);
    return CU_OK;
}

static cu_status go_make(struct run *run, struct cu_err *err)
{
    ENSURE(opt(run, "output"), err, CU_USAGE, "name the proof with -o FILE");
    ENSURE((run->args_n == 2) != (opt(run, "log") != NULL), err, CU_USAGE,
           "give a second receipt, or --log DIR (a folder with `checkpoint` and `tile/`)");
    uint8_t *scratch = malloc(2 * (size_t)CU_VERIFY_SCRATCH);
    ENSURE(scratch, err, CU_NO_MEMORY, "out of memory");
    cu_status made = make(run, scratch, err);
    free(scratch);
    return made;
}

/* ---- verify ---- */
static void put_names(struct cu_buf *out, const struct cu_span *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cu_buf_add_str(out, i ? ", " : "");
        put_printable(out, names[i]);
    }
    if (n == 0) cu_buf_add_str(out, "nobody");
}

static void tell(struct run *run, const struct cu_fork_report *r)
{
    struct cu_buf *out = &run->out;

    if (run->json) {
        struct cu_json j = cu_json_on(out);
        cu_json_open(&j, NULL, '{');
        cu_json_bool(&j, "fork", true);
        cu_json_text(&j, "origin", r->a.origin);
        cu_json_uint(&j, "size_a", r->a.size.v);
        cu_json_hash(&j, "root_a", &r->a.root);
        cu_json_uint(&j, "size_b", r->b.size.v);
        cu_json_hash(&j, "root_b", &r->b.root);
        cu_json_open(&j, "convicted", '[');
        for (size_t i = 0; i < r->convicted_n; i++) cu_json_text(&j, NULL, r->convicted[i]);
        cu_json_close(&j, ']');
        cu_json_close(&j, '}');
        cu_buf_add_str(out, "\n");
        return;
    }
    cu_buf_add_str(out, "FORK PROVEN: two signed logs of one origin contradict each other\n  origin     ");
    put_printable(out, r->a.origin);
    cu_buf_addf(out, "\n  one        %llu entries, signed by ", (unsigned long long)r->a.size.v);
    put_names(out, r->a_signers, r->a_n);
    cu_buf_addf(out, "\n  the other  %llu entries, signed by ", (unsigned long long)r->b.size.v);
    put_names(out, r->b_signers, r->b_n);
    cu_buf_add_str(out, "\n  convicted  ");
    put_names(out, r->convicted, r->convicted_n);
    cu_buf_add_str(out, r->convicted_n ? ": this key signed both, and only one can be true\n"
                                       : ": no key signed both, but one side is false\n");
}

static cu_status trust_text(struct run *run, struct cu_buf *ret, struct cu_err *err)
{
    if (opt(run, "trust")) return read_argument_file(opt(run, "trust"), CU_TRUST_MAX, ret, err);
    return in_session(run, MODE_BARE, session_trust, ret, err);
}

static cu_status go_verify(struct run *run, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX), proof = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_verifier verifier = cu_verifier_plain();
    struct cu_fork_report report;
    struct cu_trust trust;

    TRY(trust_text(run, &text, err));
    TRY(cu_trust_read(cu_buf_span(&text), &trust, err));
    TRY(read_argument_file(run->args[0], CU_RECEIPT_MAX, &proof, err));
    TRY(cu_fork_verify(cu_buf_span(&proof), &trust, &verifier, &report, err));
    tell(run, &report);
    return CU_OK;
}

const struct command command_fork_make = {
    .name = "fork-proof make",
    .args = "RECEIPT [RECEIPT | --log DIR] -o FILE",
    .line = "prove that a log was rewritten",
    .help = "Takes a receipt and a log, or two receipts, that cannot both be true, and writes one file that proves it to "
            "anybody. Exit 10 when they agree, as far as can be seen.",
    .args_min = 1,
    .args_max = 2,
    .go = go_make,
    .options = { { "log", "DIR", "a log's folder, with `checkpoint` and `tile/`" },
                 { "output", "FILE", "where the proof is written" } },
};
const struct command command_fork_verify = {
    .name = "fork-proof verify",
    .args = "FILE",
    .line = "judge a fork proof, offline",
    .help = "Judges a fork proof by the pinned trust file: exit 0 when it proves that the log's keeper signed two histories that "
            "cannot both be true.",
    .args_min = 1,
    .args_max = 1,
    .go = go_verify,
    .options = { { "trust", "FILE", "the pinned trust file (by default this ledger's own)" } },
};
