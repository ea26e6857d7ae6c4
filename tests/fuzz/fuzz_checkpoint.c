/* A checkpoint under a trust file: what counts is counted once, and a signature line that nobody listed decides nothing. */
#include "proof_input.h"

/* The note without the lines that were ignored. */
static void put_heard(const struct cu_note *note, const struct cu_note_verdict *v, struct cu_buf *out)
{
    cu_buf_add(out, note->text);
    cu_buf_add_byte(out, '\n');
    for (size_t i = 0; i < note->sigs_n; i++) {
        if (v->of[i] == CU_SIG_IGNORED) continue;
        cu_buf_add(out, note->sig[i].line);
        cu_buf_add_byte(out, '\n');
    }
}

static void check_counts(const struct cu_note *note, const struct cu_note_verdict *v)
{
    CU_ASSERT(v->logs + v->cosigned + v->ignored == note->sigs_n);
    for (size_t i = 0; i < note->sigs_n; i++) CU_ASSERT(v->of[i] == CU_SIG_COSIGNED || v->unix_s[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cu_trust trust;
    static struct cu_tlog_policy policy;
    static struct cu_note note, heard;
    struct cu_note_verdict v, again;
    struct cu_checkpoint c, same;
    struct cu_span trust_text, file;
    CU_BUF out = cu_buf_heap(CU_NOTE_MAX + 1);

    if (!split_input(cu_span(data, size), &trust_text, &file)) return 0;
    if (cu_trust_read(trust_text, &trust, NULL) != CU_OK || cu_note_read(file, &note, NULL) != CU_OK) return 0;
    if (cu_checkpoint_read(note.text, &c, NULL) != CU_OK || cu_trust_policy(&trust, c.size, &policy, NULL) != CU_OK) return 0;
    cu_status status = cu_checkpoint_verify(&note, &policy, &yes, &c, &v, NULL);
    if (status != CU_OK) return 0;
    CU_ASSERT(v.logs > 0);
    check_counts(&note, &v);
    put_heard(&note, &v, &out);
    CU_ASSERT(cu_note_read(cu_buf_span(&out), &heard, NULL) == CU_OK);
    CU_ASSERT(cu_checkpoint_verify(&heard, &policy, &yes, &same, &again, NULL) == CU_OK && again.ignored == 0);
    return 0;
}
