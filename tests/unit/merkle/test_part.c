/* Parts of an item: whatever bytes they are, their proof leads to the item's root, and no other bytes or proof do. */
#include "custody/part.h"
#include "custody/text.h"

#include "naive.h"
#include "../../schema_check.h"

enum { MOST = 37 * CU_LEAF_BYTES + 77 };
static uint8_t bytes[MOST];
static struct cu_part part;
static struct cu_part_proof proof;
static uint8_t hash_mem[128 * 32];

static int with_bytes(void **state)
{
    struct chance chance = chance_begin();

    (void)state;
    chance_bytes(&chance, bytes, sizeof bytes);
    return 0;
}

static void add_leaves(struct cu_leaf_run *run, uint64_t to, size_t size)
{
    for (uint64_t i = run->from; i < to; i++) {
        size_t at = (size_t)i * CU_LEAF_BYTES;
        cu_hash leaf = cu_leaf_hash(cu_span(bytes + at, size - at < CU_LEAF_BYTES ? size - at : CU_LEAF_BYTES));
        cu_leaf_run_add(run, &leaf);
    }
}

/* The proof of bytes first..last of an item of `size`. */
static void prove(size_t size, uint64_t first, uint64_t last)
{
    struct cu_buf hashes = cu_buf_over(hash_mem, sizeof hash_mem);
    struct cu_leaf_run left, right;
    uint64_t end = (last / CU_LEAF_BYTES + 1) * CU_LEAF_BYTES;

    if (end > size) end = size;
    cu_leaf_run_start(&left, 0);
    add_leaves(&left, first / CU_LEAF_BYTES, size);
    cu_leaf_run_start(&right, last / CU_LEAF_BYTES + 1);
    add_leaves(&right, cu_content_leaf_count(size), size);
    cu_part_hashes(&left, &right, &hashes);
    proof = (struct cu_part_proof){ .type = cu_span_str(CU_PART_TYPE),
                                    .first = first,
                                    .last = last,
                                    .before = cu_span(bytes + first / CU_LEAF_BYTES * CU_LEAF_BYTES, first % CU_LEAF_BYTES),
                                    .after = cu_span(bytes + last + 1, end - last - 1),
                                    .hashes = cu_buf_span(&hashes) };
}

static cu_status judge(size_t size, struct cu_span given)
{
    cu_hash root = cu_content_root_of(cu_span(bytes, size));

    cu_part_start(&part, proof.first);
    for (size_t at = 0; at < given.n; at += 1000)
        cu_part_add(&part, cu_span(given.p + at, given.n - at < 1000 ? given.n - at : 1000));
    return cu_part_verify(&part, &proof, size, &root, NULL);
}

static void each_part_leads_to_the_root_of_its_item(void **state)
{
    static const size_t edges[] = { 1, 2, 4095, 4096, 4097, 8192, 5 * 4096, 5 * 4096 + 1, 8 * 4096, MOST };
    struct chance chance = chance_begin();

    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (int round = 0; round < 300; round++) {
            uint64_t first = chance_below(&chance, edges[i]), last = first + chance_below(&chance, edges[i] - first);
            if (round % 3 == 0) first = first / CU_LEAF_BYTES * CU_LEAF_BYTES;
            if (round % 5 == 0) last = edges[i] - 1;
            if (round == 0) first = 0;
            prove(edges[i], first, last);
            if (judge(edges[i], cu_span(bytes + first, last - first + 1)) != CU_OK)
                fail_msg("bytes %llu to %llu of %zu", LLU(first), LLU(last), edges[i]);
        }
}

static void a_part_with_another_byte_is_not_of_the_item(void **state)
{
    (void)state;
    for (size_t i = 0; i < 9000; i += 11) {
        uint8_t copy[9000];
        prove(MOST, 5000, 13999);
        memcpy(copy, bytes + 5000, sizeof copy);
        copy[i] ^= 4;
        assert_int_equal(judge(MOST, CU_SPAN_OF(copy)), CU_BAD_PROOF);
    }
    prove(MOST, 5000, 13999);
    assert_int_equal(judge(MOST, cu_span(bytes + 5001, 9000)), CU_BAD_PROOF);
    assert_int_equal(judge(MOST, cu_span(bytes + 5000, 8999)), CU_MALFORMED);
    assert_int_equal(judge(MOST, cu_span(bytes + 5000, 9001)), CU_MALFORMED);
}

static void every_bit_of_a_proof_counts(void **state)
{
    CU_BUF file = cu_buf_heap(8192);
    const struct cu_span given = cu_span(bytes + 5000, 9000);

    (void)state;
    prove(MOST, 5000, 13999);
    assert_ok(cu_schema_write(&cu_part_proof_schema, &proof, &file, NULL));
    const struct cu_part_proof good = proof;
    for (size_t bit = 0; bit < 8 * file.n; bit++) {
        file.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool same_id = cu_part_proof_read(cu_buf_span(&file), &proof, NULL) == CU_OK && cu_hash_eq(&proof.id, &good.id);
        if (same_id && judge(MOST, given) == CU_OK) fail_msg("bit %zu may be flipped", bit);
        file.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(cu_part_proof_read(cu_buf_span(&file), &proof, NULL));
    assert_ok(judge(MOST, given));
    for (size_t n = 0; n < file.n; n++) assert_int_not_equal(cu_part_proof_read(cu_span(file.p, n), &proof, NULL), CU_OK);
}

static void a_hash_that_is_missing_or_left_over_is_malformed(void **state)
{
    uint8_t more[sizeof hash_mem + 32] = { 0 };

    (void)state;
    prove(MOST, 5000, 13999);
    const struct cu_span all = proof.hashes;
    proof.hashes.n -= 32;
    assert_int_equal(judge(MOST, cu_span(bytes + 5000, 9000)), CU_MALFORMED);
    memcpy(more, all.p, all.n);
    proof.hashes = cu_span(more, all.n + 32);
    assert_int_equal(judge(MOST, cu_span(bytes + 5000, 9000)), CU_MALFORMED);
}

/* Known answer: docs/formats/bag.md. */
static void the_worked_example_is_as_the_page_says(void **state)
{
    static const char *const want[] = { "b587fa297299ce9c602e58292b51379402bf7b1074f6b18679c2fb871c917ca8",
                                        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7" };
    char hex[65];

    (void)state;
    memset(bytes, 0, 8193);
    prove(8193, 5000, 5000);
    assert_int_equal(proof.hashes.n, 64);
    for (int i = 0; i < 2; i++) {
        cu_hash hash;
        memcpy(hash.b, proof.hashes.p + 32 * i, 32);
        cu_hash_hex(&hash, hex);
        assert_string_equal(hex, want[i]);
    }
    assert_int_equal(proof.before.n, 904);
    assert_int_equal(proof.after.n, 3191);
    assert_ok(judge(8193, cu_span(bytes, 1)));
}

static void an_item_of_a_folder_is_named_by_its_path(void **state)
{
    static uint8_t path[CU_PATH_MAX_BYTES + 1];
    CU_BUF file = cu_buf_heap(20000);
    struct cu_part_proof again;

    (void)state;
    prove(MOST, 5000, 13999);
    proof.has_item = true;
    for (size_t n = 0; n <= sizeof path; n += n < 2 || n == CU_PATH_MAX_BYTES ? 1 : CU_PATH_MAX_BYTES - 2) {
        const bool fits = n > 0 && n <= CU_PATH_MAX_BYTES;
        cu_buf_clear(&file);
        proof.item = cu_span(path, n);
        assert_int_equal(cu_schema_write(&cu_part_proof_schema, &proof, &file, NULL), fits ? CU_OK : CU_MALFORMED);
        if (!fits) continue;
        assert_ok(cu_part_proof_read(cu_buf_span(&file), &again, NULL));
        assert_true(again.has_item && cu_span_eq(again.item, proof.item));
    }
    proof.has_item = false;
}

static void the_fields_are_in_order(void **state)
{
    (void)state;
    schema_check(&cu_part_proof_schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_leads_to_the_root_of_its_item),
        cmocka_unit_test(a_part_with_another_byte_is_not_of_the_item),
        cmocka_unit_test(every_bit_of_a_proof_counts),
        cmocka_unit_test(a_hash_that_is_missing_or_left_over_is_malformed),
        cmocka_unit_test(the_worked_example_is_as_the_page_says),
        cmocka_unit_test(an_item_of_a_folder_is_named_by_its_path),
        cmocka_unit_test(the_fields_are_in_order),
    };
    return cmocka_run_group_tests_name("part", tests, with_bytes, NULL);
}
