/* Known answers: a log whose blocks, and the changes of state that their digests cover, somebody else's code made from the page. */
#include "play.h"

#include "adapters/memory/memory.h"
#include "custody/text.h"
#include "ledger/inside.h"

static struct cu_span next_line(FILE *in, char *word)
{
    static char hex[1 << 16];
    static uint8_t bytes[1 << 15];

    do
        if (fscanf(in, " %15[^ \n]%*1[ ]%65535[^\n]", word, hex) != 2) return CU_SPAN_EMPTY;
    while (word[0] == '#');
    assert_ok(cu_hex_read(cu_span_str(hex), bytes, strlen(hex) / 2, &err));
    return cu_span(bytes, strlen(hex) / 2);
}

static void step_entry(const struct cu_machine *m, struct cu_span entry)
{
    uint8_t mem[CU_RECORD_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    assert_ok(cu_record_write(&(struct cu_record){ .entry = entry }, &out, &err));
    struct cu_submission sub = { .bytes = cu_buf_span(&out), .trusted = true };
    m->prepare(m->self, &sub, 1, NULL);
    assert_ok(m->step(m->self, &sub, &err));
    if (sub.status != CU_OK) fail_msg("%s: %s", cu_status_name(sub.status), sub.text);
}

static void same_changes(const struct cu_state *state, struct cu_span wanted)
{
    uint8_t mem[1 << 15];
    struct cu_buf all = cu_buf_over(mem, sizeof mem);

    cu_cbor_put_array(&all, state->changes_n);
    cu_buf_add(&all, cu_buf_span(&state->changes));
    assert_int_equal(all.n, wanted.n);
    assert_memory_equal(all.p, wanted.p, wanted.n);
}

static void same_snapshot(const struct cu_fs *fs, struct cu_span wanted)
{
    CU_BUF found = cu_buf_heap(1u << 20);

    assert_ok(cu_fs_read(fs, "state/snapshot", 1u << 20, &found, &err));
    assert_int_equal(found.n, wanted.n);
    assert_memory_equal(found.p, wanted.p, wanted.n);
}

static void the_known_log_makes_the_known_changes_blocks_and_snapshot(void **state)
{
    struct cu_fs fs;
    FILE *in = fopen(TEST_SOURCE_DIR "/tests/vectors/state_golden.txt", "r");
    struct cu_ledger *l;
    char word[16];
    uint64_t height = 0;
    const uint64_t times[] = { 1790000000002, 1790000001000, 1790000002000, 1790000003000 };
    uint8_t mem[512];

    (void)state;
    assert_non_null(in);
    assert_ok(cu_memory_fs(&fs, &err));
    assert_ok(cu_ledger_open_afresh(&fs, "state", &l, &err)); /* so that its first save is a snapshot */
    struct cu_machine m = cu_ledger_machine(l);
    for (struct cu_span bytes; (bytes = next_line(in, word)).p;) {
        if (strcmp(word, "snapshot") == 0) assert_ok(m.save(m.self, &err)), same_snapshot(&fs, bytes);
        else if (!l->open) assert_ok(m.begin(m.self, height + 1, (cu_unix_ms){ times[height] }, &err));
        if (strcmp(word, "entry") == 0) step_entry(&m, bytes);
        if (strcmp(word, "changes") == 0) same_changes(&l->state, bytes);
        if (strcmp(word, "block") != 0) continue;
        struct cu_buf block = cu_buf_over(mem, sizeof mem);
        assert_ok(m.end(m.self, (cu_unix_ms){ times[height++] }, &block, &err));
        assert_int_equal(block.n, bytes.n);
        assert_memory_equal(block.p, bytes.p, bytes.n);
        assert_ok(m.commit(m.self, &err));
    }
    assert_int_equal(height, 4);
    assert_int_equal(m.tip(m.self).size.v, 14);
    fclose(in);
    cu_ledger_close(l);
    fs.ops->close(fs.self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_log_makes_the_known_changes_blocks_and_snapshot),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
