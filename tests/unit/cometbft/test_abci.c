/* Messages of ABCI as others write them, and as nobody may. */
#include "custody/text.h"
#include "engine/cometbft/abci.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static _Alignas(max_align_t) uint8_t bytes[1 << 16], memory[1 << 18];
static union {
    struct cu_abci_request request;
    struct cu_abci_response response;
    struct cu_abci_response_apply_snapshot_chunk chunk;
} message;

static cu_status read_bytes(const struct cu_pb_message *of, struct cu_span in, size_t room)
{
    struct cu_buf mem = cu_buf_over(memory, room);
    struct cu_err err = { 0 };
    return cu_pb_read(of, in, &message, &mem, &err);
}

static struct cu_span from_hex(const char *hex)
{
    const size_t n = strlen(hex) / 2;
    assert_true(n <= sizeof bytes);
    assert_int_equal(cu_hex_read(cu_span(hex, 2 * n), bytes, n, NULL), CU_OK);
    return cu_span(bytes, n);
}

static cu_status read_hex(const struct cu_pb_message *of, const char *hex)
{
    return read_bytes(of, from_hex(hex), sizeof memory);
}

static void is_written_alike(const struct cu_pb_message *of, struct cu_span in, const char *what)
{
    CU_BUF out = cu_buf_heap(sizeof bytes);

    if (read_bytes(of, in, sizeof memory) != CU_OK) fail_msg("%s is refused", what);
    assert_true(cu_abci_which(of, &message) > 0);
    cu_pb_write(of, &message, &out);
    if (!cu_span_eq(in, cu_buf_span(&out)) || out.n != cu_pb_size(of, &message)) fail_msg("%s is written otherwise", what);
}

/* Each line of a file: "request|response HEX …". */
static void each_line(const char *path, bool framed, unsigned least)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, n = 0;

    assert_non_null(in);
    for (; getline(&line, &cap, in) > 0; n++) {
        const struct cu_pb_message *of = strncmp(line, "request ", 8) == 0 ? &cu_abci_request_table : &cu_abci_response_table;
        char *hex = strchr(line, ' ') + 1;
        uint64_t length = 0;
        hex[strcspn(hex, " \n")] = 0;
        struct cu_span frame = from_hex(hex);
        if (framed) frame = cu_span_from(frame, cu_pb_varint(frame, &length));
        if (framed) assert_int_equal(length, frame.n);
        is_written_alike(of, frame, hex);
    }
    assert_true(n >= least);
    free(line);
    fclose(in);
}

static void frames_of_cosmjs_are_written_as_it_writes_them(void **state)
{
    (void)state;
    each_line(TEST_SOURCE_DIR "/tests/vectors/abci/golden.txt", true, 21);
}

static void messages_of_cometbft_are_written_as_it_writes_them(void **state)
{
    (void)state;
    each_line(TEST_SOURCE_DIR "/tests/vectors/abci/go.txt", false, 380);
}

static void fields_land_where_they_belong(void **state)
{
    (void)state;
    assert_int_equal(read_hex(&cu_abci_request_table, "a2010d0a017812002802320408011005"), CU_OK);
    const struct cu_abci_request_finalize_block *f = &message.request.finalize_block;
    assert_int_equal(cu_abci_which(&cu_abci_request_table, &message), 20);
    assert_int_equal(f->height, 2);
    assert_int_equal(f->txs.n, 1);
    assert_true(cu_span_is(((struct cu_span *)f->txs.items)[0], "x"));
    assert_true(f->decided_last_commit.there && f->time.there);
    assert_int_equal(f->time.seconds, 1);
    assert_int_equal(f->time.nanos, 5);

    assert_int_equal(read_hex(&cu_abci_request_table, "2a1b0a001201631a120a10088080800210ffffffffffffffffff013001"), CU_OK);
    assert_true(message.request.init_chain.consensus_params.block.max_gas == -1);
    assert_int_equal(message.request.init_chain.consensus_params.block.max_bytes, 4194304);

    assert_int_equal(read_hex(&cu_abci_response_table, "8a01090a01610a000a026263"), CU_OK); /* an empty transaction counts */
    assert_int_equal(message.response.prepare_proposal.txs.n, 3);
}

static void packed_and_unpacked_numbers_are_one_list(void **state)
{
    (void)state;
    assert_int_equal(read_hex(&cu_abci_response_apply_snapshot_chunk_table, "120301ac02100712020809"), CU_OK);
    static const uint64_t want[] = { 1, 300, 7, 8, 9 };
    assert_int_equal(message.chunk.refetch_chunks.n, 5);
    assert_memory_equal(message.chunk.refetch_chunks.items, want, sizeof want);
}

static void fields_of_later_versions_are_passed_over(void **state)
{
    (void)state;
    /* of an echo: 15 as varint, 16 as 8 bytes, 17 as bytes, 18 as 4 bytes, and one with the largest number */
    assert_int_equal(read_hex(&cu_abci_request_table, "0a24"
                                                      "7801"
                                                      "81010102030405060708"
                                                      "8a0102ffff"
                                                      "950101020304"
                                                      "f8ffffff0f01"
                                                      "0a0568656c6c6f"),
                     CU_OK);
    assert_true(cu_span_is(message.request.echo.message, "hello"));
}

static void what_nobody_writes_is_refused(void **state)
{
    static const char *const bad[] = {
        "0a",                       /* cut off within a field */
        "0a05",                     /* a length beyond the end */
        "0affffffffffffffffff01",   /* … by far */
        "0a80808080808080808002",   /* a varint of more than 64 bits */
        "0a8080808080808080808000", /* … of eleven bytes */
        "0200",                     /* field 0 */
        "80808080100100",           /* above the largest number */
        "0b",
        "0c",
        "0e",
        "0f",               /* groups; wire types that there are not */
        "0801",             /* a message as a number */
        "0d01020304",       /* … as four bytes */
        "0a020801",         /* a text as a number */
        "0a030a01ff",       /* a text that is no UTF-8 */
        "32022002320220",   /* cut off behind a good one */
        "3202200232022002", /* a message twice */
        "12001a00",         /* two requests in one */
        "32022002"
        "1200",
        "32022202"
        "32",
        "720610ffffffff1f",  /* more than 32 bits: format */
        "42071080808080 10", /* an enumeration beyond int32 */
        "3203200232",        /* a field cut off within a message */
        "32022002ff",
        "3203200200", /* a tag of zero */
        "32022003",   /* a truth of 3 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char hex[64], *out = hex;
        for (const char *c = bad[i]; *c; c++)
            if (*c != ' ') *out++ = *c;
        *out = 0;
        if (read_hex(&cu_abci_request_table, hex) == CU_OK) fail_msg("%s is taken", bad[i]);
    }
    assert_int_equal(read_hex(&cu_abci_request_table, "32022001"), CU_OK); /* that is what a truth looks like */
}

static void keys_are_of_one_kind(void **state)
{
    (void)state;
    assert_int_equal(read_hex(&cu_abci_public_key_table, "0a00"), CU_OK); /* an empty one is there all the same */
    assert_int_equal(read_hex(&cu_abci_public_key_table, "0a00120101"), CU_MALFORMED);
}

static void memory_is_bounded(void **state)
{
    CU_BUF in = cu_buf_heap(1 << 16);
    struct cu_err err;

    (void)state;
    cu_buf_add(&in, CU_SPAN_OF(((const uint8_t[]){ 0x8a, 0x01, 0x80, 0x20 })));
    for (unsigned i = 0; i < 2048; i++)
        cu_buf_add(&in, CU_SPAN_OF(((const uint8_t[]){ 0x0a, 0x00 }))); /* 16 bytes each, once read */
    assert_int_equal(cu_buf_ok(&in, &err), CU_OK);
    assert_int_equal(read_bytes(&cu_abci_request_table, cu_buf_span(&in), 2048 * 16 + 16), CU_OK);
    assert_int_equal(message.request.process_proposal.txs.n, 2048);
    assert_int_equal(read_bytes(&cu_abci_request_table, cu_buf_span(&in), 2048 * 16 - 1), CU_TOO_LARGE);
}

static void varints_are_of_ten_bytes_at_most(void **state)
{
    static const uint64_t some[] = { 0, 1, 127, 128, 300, 16383, 16384, INT64_MAX, UINT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        uint8_t at[10];
        struct cu_buf out = cu_buf_over(at, sizeof at);
        uint64_t back = 0;
        cu_pb_put_varint(&out, some[i]);
        assert_int_equal(cu_pb_varint(cu_buf_span(&out), &back), out.n);
        assert_true(back == some[i]);
        assert_int_equal(cu_pb_varint(cu_span(at, out.n - 1), &back), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_cosmjs_are_written_as_it_writes_them),
        cmocka_unit_test(messages_of_cometbft_are_written_as_it_writes_them),
        cmocka_unit_test(fields_land_where_they_belong),
        cmocka_unit_test(packed_and_unpacked_numbers_are_one_list),
        cmocka_unit_test(fields_of_later_versions_are_passed_over),
        cmocka_unit_test(what_nobody_writes_is_refused),
        cmocka_unit_test(keys_are_of_one_kind),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(varints_are_of_ten_bytes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
