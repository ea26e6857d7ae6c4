/* A note that is read can be put together again from its parts; so can a checkpoint. */
#include "custody/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_span in = cu_span(data, size);
    struct cu_note note;
    struct cu_checkpoint checkpoint;
    CU_BUF again = cu_buf_heap(CU_NOTE_MAX + 1);

    if (cu_note_read(in, &note, NULL) != CU_OK) return 0;
    CU_ASSERT(note.sigs_n >= 1 && note.sigs_n <= CU_NOTE_SIGNATURES_MAX);
    cu_buf_add(&again, note.text);
    cu_buf_add_byte(&again, '\n');
    for (size_t i = 0; i < note.sigs_n; i++) {
        cu_buf_add(&again, note.sig[i].line);
        cu_buf_add_byte(&again, '\n');
    }
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), in));
    if (cu_checkpoint_read(note.text, &checkpoint, NULL) != CU_OK) return 0;
    cu_buf_clear(&again);
    cu_checkpoint_put(&checkpoint, &again);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), note.text));
    return 0;
}
