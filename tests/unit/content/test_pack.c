/* Packs and their indexes: one encoding, and nothing else is taken. */
#include "content/pack.h"
#include "stores.h"

struct sample {
    struct cu_buf pack, index;
    cu_hash name;
    struct cu_pack_row row[4];
};

static void add_object(struct sample *s, unsigned i, enum cu_object_kind kind, struct cu_span bytes)
{
    uint8_t head[CU_FRAME_HEAD];

    cu_frame_put(head, kind, bytes.n);
    cu_buf_add(&s->pack, CU_SPAN_OF(head));
    s->row[i] = (struct cu_pack_row){ kind, cu_object_name(kind, bytes), (uint32_t)s->pack.n, (uint32_t)bytes.n };
    cu_buf_add(&s->pack, bytes);
}

static struct sample new_sample(void)
{
    struct sample s = { .pack = cu_buf_heap(1 << 20), .index = cu_buf_heap(1 << 20) };
    struct cu_buf long_one = some_bytes(10000, 1);

    cu_buf_add_str(&s.pack, CU_PACK_TYPE);
    add_object(&s, 0, CU_OBJECT_CONTENT, cu_buf_span(&long_one));
    add_object(&s, 1, CU_OBJECT_DETAILS, cu_span_str("salt and details"));
    add_object(&s, 2, CU_OBJECT_CONTENT, CU_SPAN_EMPTY);
    add_object(&s, 3, CU_OBJECT_CONTENT, cu_span_str("hello"));
    cu_buf_free(&long_one);
    s.name = cu_content_root_of(cu_buf_span(&s.pack));
    OK(cu_pack_index_write(&s.name, s.pack.n, s.row, 4, &s.index, &error));
    return s;
}

static void end_sample(struct sample *s)
{
    cu_buf_free(&s->pack);
    cu_buf_free(&s->index);
}

static void an_index_says_what_was_written_into_it_in_order(void **state)
{
    struct sample s = new_sample();
    struct cu_pack_index index;
    (void)state;

    OK(cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    assert_int_equal(index.n, 4);
    assert_int_equal(index.pack_size, s.pack.n);
    assert_true(cu_hash_eq(&index.pack, &s.name));
    for (uint32_t i = 0; i < 4; i++) {
        struct cu_pack_row row = cu_pack_index_row(&index, i);
        assert_true(cu_hash_eq(&row.name, &s.row[i].name) && row.kind == s.row[i].kind);
        assert_true(row.offset == s.row[i].offset && row.size == s.row[i].size);
        assert_true(i == 0 || row.kind > s.row[i - 1].kind || memcmp(row.name.b, s.row[i - 1].name.b, 32) > 0);
    }
    end_sample(&s);
}

static void any_flipped_bit_of_an_index_is_refused(void **state)
{
    struct sample s = new_sample();
    struct cu_pack_index index;
    (void)state;

    for (size_t bit = 0; bit < s.index.n * 8; bit++) {
        s.index.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(cu_pack_index_read(cu_buf_span(&s.index), &index, NULL), CU_OK);
        s.index.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    end_sample(&s);
}

static void an_index_that_is_cut_or_lengthened_is_refused(void **state)
{
    struct sample s = new_sample();
    struct cu_pack_index index;
    (void)state;

    for (size_t n = 0; n < s.index.n; n++) assert_int_not_equal(cu_pack_index_read(cu_span(s.index.p, n), &index, NULL), CU_OK);
    cu_buf_add_byte(&s.index, 0);
    IS(CU_MALFORMED, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    end_sample(&s);
}

static void sign_again(struct cu_buf *index)
{
    cu_hash sum = cu_sha256(cu_span(index->p, index->n - 32));
    memcpy(index->p + index->n - 32, sum.b, 32);
}

static void rows_out_of_order_twice_or_off_the_pack_are_refused_though_the_checksum_fits(void **state)
{
    struct sample s = new_sample();
    struct cu_pack_index index;
    uint8_t *row = s.index.p + CU_PACK_INDEX_HEAD, kept[CU_PACK_ROW_BYTES];
    (void)state;

    memcpy(kept, row, sizeof kept);
    memmove(row, row + sizeof kept, sizeof kept);
    memcpy(row + sizeof kept, kept, sizeof kept);
    sign_again(&s.index);
    IS(CU_MALFORMED, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    memcpy(row, kept, sizeof kept); /* the same row twice */
    sign_again(&s.index);
    IS(CU_MALFORMED, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    end_sample(&s);

    static const struct {
        size_t at;
        uint32_t value;
    } wrong[] = { { 33, 0 }, { 33, 19 }, { 33, 0xffffffff }, { 37, 0x100000 }, { 37, 0xffffffff } };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        s = new_sample();
        cu_put_be32(s.index.p + CU_PACK_INDEX_HEAD + wrong[i].at, wrong[i].value);
        sign_again(&s.index);
        IS(CU_MALFORMED, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
        end_sample(&s);
    }
    s = new_sample();
    s.index.p[CU_PACK_INDEX_HEAD] = 3; /* no such kind */
    sign_again(&s.index);
    IS(CU_MALFORMED, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    end_sample(&s);
}

static void a_later_version_is_told_from_garbage(void **state)
{
    struct sample s = new_sample();
    struct cu_pack_index index;
    (void)state;

    s.index.p[strlen(CU_PACK_INDEX_TYPE) - 2] = '2';
    IS(CU_NEWER_FORMAT, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    s.index.p[0] = 'x';
    IS(CU_MALFORMED, cu_pack_index_read(cu_buf_span(&s.index), &index, &error));
    end_sample(&s);
}

/* ---- taking apart ---- */

struct taken {
    struct cu_pack_row row[4];
    size_t n;
};

static cu_status take(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    struct taken *t = arg;
    (void)err;

    assert_int_equal(bytes.n, row->size);
    assert_true(t->n < 4);
    t->row[t->n++] = *row;
    return CU_OK;
}

static cu_status unpack(struct cu_span pack, size_t piece, struct taken *t)
{
    struct cu_unpack u = { 0 };
    cu_status status = CU_OK;

    t->n = 0;
    cu_unpack_start(&u, take, t);
    for (size_t at = 0; at < pack.n && status == CU_OK; at += piece)
        status = cu_unpack_add(&u, cu_span(pack.p + at, pack.n - at < piece ? pack.n - at : piece), &error);
    if (status == CU_OK) status = cu_unpack_end(&u, &error);
    cu_unpack_free(&u);
    return status;
}

static void a_pack_gives_its_objects_and_their_names_in_pieces_of_any_length(void **state)
{
    static const size_t pieces[] = { 1, 2, 3, 4, 5, 7, 16, 17, 20, 21, 1000, 4096, 1 << 20 };
    struct sample s = new_sample();
    (void)state;

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        CU_BUF index = cu_buf_heap(1 << 20);
        struct taken t;
        OK(unpack(cu_buf_span(&s.pack), pieces[i], &t));
        assert_int_equal(t.n, 4);
        OK(cu_pack_index_write(&s.name, s.pack.n, t.row, t.n, &index, &error));
        assert_true(cu_span_eq(cu_buf_span(&index), cu_buf_span(&s.index)));
    }
    end_sample(&s);
}

static void a_pack_that_is_cut_or_of_another_kind_is_refused(void **state)
{
    struct sample s = new_sample();
    struct taken t;
    (void)state;

    for (size_t n = 0; n < s.pack.n; n++) {
        bool between = false;
        for (unsigned i = 0; i < 4; i++) between = between || n == (size_t)s.row[i].offset + s.row[i].size;
        if (!between) assert_int_not_equal(unpack(cu_span(s.pack.p, n), 4096, &t), CU_OK);
    }
    s.pack.p[14] = '2';
    IS(CU_NEWER_FORMAT, unpack(cu_buf_span(&s.pack), 4096, &t));
    s.pack.p[14] = '1';
    s.pack.p[CU_PACK_HEAD] = 9;
    IS(CU_MALFORMED, unpack(cu_buf_span(&s.pack), 4096, &t));
    end_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_says_what_was_written_into_it_in_order),
        cmocka_unit_test(any_flipped_bit_of_an_index_is_refused),
        cmocka_unit_test(an_index_that_is_cut_or_lengthened_is_refused),
        cmocka_unit_test(rows_out_of_order_twice_or_off_the_pack_are_refused_though_the_checksum_fits),
        cmocka_unit_test(a_later_version_is_told_from_garbage),
        cmocka_unit_test(a_pack_gives_its_objects_and_their_names_in_pieces_of_any_length),
        cmocka_unit_test(a_pack_that_is_cut_or_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
