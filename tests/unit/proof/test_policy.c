/* tlog-policy, tlog-proof and trust files: one spelling, and whose signatures count. */
#include "synthetic.h"

#define TEXT(literal) cu_span(literal, sizeof(literal) - 1)

static struct cu_private_key keys[40];
static char vkeys[40][128]; /* 0..7 logs named "o", the others witnesses w8 … */

static int set_up(void **state)
{
    (void)state;
    OK(cu_crypto_init(&error));
    for (int i = 0; i < 40; i++) {
        struct cu_vkey v;
        char name[16];
        struct cu_buf out = cu_buf_over(vkeys[i], sizeof vkeys[i] - 1);
        OK(cu_private_generate(CU_ALG_EDDSA, &keys[i], &error));
        (void)snprintf(name, sizeof name, i < 8 ? "o" : "witness%d", i);
        OK(cu_vkey_make(cu_span_str(name), i < 8 ? CU_NOTE_ED25519 : CU_NOTE_COSIGNATURE, &keys[i].pub, &v, &error));
        OK(cu_vkey_write(&v, &out, &error));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) cu_private_free(&keys[i]);
    return 0;
}

/* %a..%h the log keys, %A..%Z witness keys 8.. */
static struct cu_span policy_text(const char *pattern)
{
    static char mem[65536];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '%') cu_buf_add_byte(&out, (uint8_t)*pattern);
        else if (*++pattern >= 'a') cu_buf_add_str(&out, vkeys[*pattern - 'a']);
        else cu_buf_add_str(&out, vkeys[8 + *pattern - 'A']);
    }
    return cu_buf_span(&out);
}

static void policies_of_the_specification_are_read(void **state)
{
    (void)state;
    static const char *const good[] = {
        "quorum none\n",
        "\n \t\n# comment\n  # another\nquorum none\n",
        "log %a\nquorum none\n",
        "log %a https://example.com/\nlog %b\nquorum none\n",
        "witness X1 %A\nquorum X1\n",
        "\twitness  X1\t%A  https://w.example/ \n quorum X1\t\n",
        "log %a\nwitness X1 %A\nwitness X2 %B\nwitness X3 %C\ngroup X 2 X1 X2 X3\nwitness Y1 %D\nwitness Y2 %E\nwitness Y3 "
        "%F\ngroup Y any Y1 Y2 Y3\ngroup both all X Y\nquorum both\n",
        "witness \xFF %A\nquorum \xFF\nlog %a\n",
        "witness a %A\nquorum a\nwitness b %B\n",
        "witness a %A\ngroup none2 1 a\nquorum none2\n",
    };
    struct cu_tlog_policy p;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (cu_tlog_policy_read(policy_text(good[i]), &p, &error) != CU_OK) fail_msg("%s: %s", good[i], error.text);
}

static void a_malformed_policy_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "log %a\n",
        "quorum none",
        "quorum\n",
        "quorum none none\n",
        "quorum none\nquorum none\n",
        "quorum X\n",
        "quorum X1\nwitness X1 %A\n",
        "sometimes X\nquorum none\n",
        "Quorum none\n",
        "log\nquorum none\n",
        "log %a b c\nquorum none\n",
        "log %A\nquorum none\n",
        "witness X1 %a\nquorum none\n",
        "witness X1\nquorum none\n",
        "witness X1 %A u v\nquorum none\n",
        "witness none %A\nquorum none\n",
        "witness X %A\nwitness X %B\nquorum X\n",
        "witness X %A\nwitness Y %A\nquorum X\n",
        "log %a\nlog %a\nquorum none\n",
        "group g any\nquorum none\n",
        "group g any a\nquorum none\n",
        "group g any g\nquorum none\n",
        "witness a %A\ngroup g 0 a\nquorum g\n",
        "witness a %A\ngroup g 2 a\nquorum g\n",
        "witness a %A\ngroup g 01 a\nquorum g\n",
        "witness a %A\ngroup g +1 a\nquorum g\n",
        "witness a %A\ngroup g some a\nquorum g\n",
        "witness a %A\ngroup g any a a\nquorum g\n",
        "witness a %A\ngroup g any a\ngroup h any a\nquorum h\n",
        "witness a %A\ngroup a any a\nquorum a\n",
        "witness a %A\ngroup g any none\nquorum g\n",
        "quorum none\r\n",
        "quorum none\n\x7F\n",
        "quorum none\n\x01\n",
    };
    struct cu_tlog_policy p;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cu_tlog_policy_read(policy_text(bad[i]), &p, &error) != CU_MALFORMED) fail_msg("%s", bad[i]);
}

static void sixty_four_witnesses_and_groups_fit_and_one_more_does_not(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(65536);
    static struct cu_tlog_policy p;

    for (int i = 0; i < 32; i++) cu_buf_addf(&out, "witness w%d %s\n", i, vkeys[8 + i]);
    for (int i = 0; i < 32; i++) cu_buf_addf(&out, "group g%d any w%d\n", i, i);
    cu_buf_add_str(&out, "quorum g31\n");
    OK(cu_tlog_policy_read(cu_buf_span(&out), &p, &error));
    cu_buf_add_str(&out, "group g32 any g0\n");
    assert_int_equal(cu_tlog_policy_read(cu_buf_span(&out), &p, &error), CU_TOO_LARGE);
}

static void a_line_has_at_most_67_words(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(65536);
    struct cu_tlog_policy p;

    for (int words = 67; words <= 68; words++) {
        cu_buf_clear(&out);
        cu_buf_addf(&out, "witness w %s\ngroup g any", vkeys[8]);
        for (int i = 3; i < words; i++) cu_buf_add_str(&out, " w");
        cu_buf_add_str(&out, "\nquorum g\n");
        assert_int_equal(cu_tlog_policy_read(cu_buf_span(&out), &p, &error),
                         words == 67 ? CU_MALFORMED /* w twice */ : CU_TOO_LARGE);
    }
}

static void put_small_key(struct cu_buf *out, enum cu_note_key_type type, const char *name, uint8_t first)
{
    struct cu_public_key key = { .alg = CU_ALG_EDDSA, .bytes = { first } };
    struct cu_vkey v;

    OK(cu_vkey_make(cu_span_str(name), type, &key, &v, &error));
    OK(cu_vkey_write(&v, out, &error));
}

static void a_key_of_small_order_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(4096);
    struct cu_tlog_policy p;

    cu_buf_add_str(&out, "log ");
    put_small_key(&out, CU_NOTE_ED25519, "o", 1);
    cu_buf_add_str(&out, "\nquorum none\n");
    assert_int_equal(cu_tlog_policy_read(cu_buf_span(&out), &p, &error), CU_BAD_KEY);
    cu_buf_clear(&out);
    cu_buf_add_str(&out, "witness w ");
    put_small_key(&out, CU_NOTE_COSIGNATURE, "w", 1);
    cu_buf_add_str(&out, "\nquorum w\n");
    assert_int_equal(cu_tlog_policy_read(cu_buf_span(&out), &p, &error), CU_BAD_KEY);
}

static void sixty_four_logs_fit_and_one_more_does_not(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(65536);
    struct cu_tlog_policy p;

    for (int n = 0; n <= CU_POLICY_MEMBERS_MAX; n++) {
        cu_buf_add_str(&out, "log ");
        put_small_key(&out, CU_NOTE_ED25519, "o", (uint8_t)n); /* no good key, but that is judged after the whole is read */
        cu_buf_add_byte(&out, '\n');
        size_t before = out.n;
        cu_buf_add_str(&out, "quorum none\n");
        cu_status status = cu_tlog_policy_read(cu_buf_span(&out), &p, &error);
        assert_int_equal(status, n < CU_POLICY_MEMBERS_MAX ? CU_BAD_KEY : CU_TOO_LARGE);
        out.n = before;
    }
}

/* ---- whose signatures count ---------------------------------------------------------------------------------------- */

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
static struct cu_span note_by(const char *log_keys, const char *witnesses, const char *origin)
{
    static uint8_t mem[CU_NOTE_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    char text[256], name[16];

    (void)snprintf(text, sizeof text, "%s\n7\n" ROOT "\n", origin);
    for (; *log_keys; log_keys++) OK(cu_note_sign(&out, cu_span_str(text), cu_span_str("o"), &keys[*log_keys - 'a'], &error));
    for (; *witnesses; witnesses++) {
        (void)snprintf(name, sizeof name, "witness%d", 8 + *witnesses - 'A');
        OK(cu_note_cosign(&out, cu_span_str(text), cu_span_str(name), &keys[8 + *witnesses - 'A'], 1700000000, &error));
    }
    return cu_buf_span(&out);
}

static cu_status verdict(const char *policy, struct cu_span note_bytes, struct cu_note_verdict *ret)
{
    static struct cu_tlog_policy p;
    static struct cu_note note;
    struct cu_verifier by = cu_verifier_plain();
    struct cu_checkpoint c;

    OK(cu_tlog_policy_read(policy_text(policy), &p, &error));
    OK(cu_note_read(note_bytes, &note, &error));
    return cu_checkpoint_verify(&note, &p, &by, &c, ret, &error);
}

static void a_quorum_is_counted_over_groups(void **state)
{
    (void)state;
    static const char policy[] = "log %a\nlog %b\nwitness A %A\nwitness B %B\nwitness C %C\nwitness D %D\nwitness E %E\n"
                                 "group police 2 A B C\ngroup courts any D E\ngroup q all police courts\nquorum q\n";
    static const struct {
        const char *logs, *witnesses;
        cu_status status;
    } cases[] = {
        { "a", "ABD", CU_OK },       { "b", "ABD", CU_OK },       { "ab", "BCE", CU_OK },
        { "a", "ABCDE", CU_OK },     { "a", "AD", CU_UNTRUSTED }, { "a", "ABC", CU_UNTRUSTED },
        { "a", "DE", CU_UNTRUSTED }, { "a", "", CU_UNTRUSTED },   { "c", "ABD", CU_UNTRUSTED },
        { "", "ABD", CU_UNTRUSTED }, { "a", "ABDZ", CU_OK },      { "a", "AAD", CU_UNTRUSTED }, /* a line twice is one witness */
    };
    struct cu_note_verdict v;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (verdict(policy, note_by(cases[i].logs, cases[i].witnesses, "o"), &v) != cases[i].status)
            fail_msg("%s %s", cases[i].logs, cases[i].witnesses);
}

static void unknown_lines_are_ignored_and_counted(void **state)
{
    (void)state;
    struct cu_note_verdict v;

    OK(verdict("log %a\nwitness A %A\nquorum A\n", note_by("ac", "AZY", "o"), &v));
    assert_int_equal(v.logs, 1);
    assert_int_equal(v.cosigned, 1);
    assert_int_equal(v.ignored, 3);
    assert_int_equal(v.of[1], CU_SIG_IGNORED);
    assert_int_equal(v.unix_s[2], 1700000000);
}

static void a_known_key_that_fails_rejects_the_note(void **state)
{
    (void)state;
    struct cu_note_verdict v;
    struct cu_span note = note_by("ab", "A", "o");
    uint8_t copy[CU_NOTE_MAX];

    memcpy(copy, note.p, note.n);
    struct cu_note read;
    OK(cu_note_read(cu_span(copy, note.n), &read, &error));
    size_t at = (size_t)(read.sig[1].line.p - copy) + read.sig[1].line.n - 20;
    copy[at] = copy[at] == 'A' ? 'B' : 'A';
    assert_int_equal(verdict("log %a\nlog %b\nquorum none\n", cu_span(copy, note.n), &v),
                     CU_BAD_SIGNATURE);                              /* though log a suffices */
    OK(verdict("log %a\nquorum none\n", cu_span(copy, note.n), &v)); /* unknown: ignored */
}

static void the_origin_is_the_name_of_the_log_key(void **state)
{
    (void)state;
    struct cu_note_verdict v;

    assert_int_equal(verdict("log %a\nquorum none\n", note_by("a", "", "elsewhere"), &v), CU_UNTRUSTED);
}

/* ---- what another implementation made ------------------------------------------------------------------------------- */

static struct cu_span load(const char *name, char *mem, size_t size)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tests/vectors/%s", TEST_SOURCE_DIR, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t n = fread(mem, 1, size, in);
    fclose(in);
    return cu_span(mem, n);
}

static cu_status verify_foreign(struct cu_span file, const struct cu_tlog_policy *policy, struct cu_verifier *by)
{
    struct cu_tlog_proof proof;
    struct cu_note note;
    struct cu_checkpoint c;
    struct cu_note_verdict v;
    cu_hash leaf = cu_leaf_hash(TEXT("entry 6"));

    TRY(cu_tlog_proof_read(file, &proof, &error));
    TRY(cu_note_read(proof.checkpoint, &note, &error));
    TRY(cu_checkpoint_verify(&note, policy, by, &c, &v, &error));
    return cu_inclusion_verify(&leaf, proof.index, c.size, proof.path, proof.n, &c.root, &error);
}

static void a_proof_that_torchwood_made_verifies_and_comes_back(void **state)
{
    (void)state;
    char policy_mem[4096], file_mem[4096];
    struct cu_verifier by = cu_verifier_plain();
    struct cu_tlog_policy policy;
    struct cu_tlog_proof proof;
    CU_BUF out = cu_buf_heap(CU_RECEIPT_MAX);

    OK(cu_tlog_policy_read(load("policy_foreign.txt", policy_mem, sizeof policy_mem), &policy, &error));
    struct cu_span file = load("receipt_foreign.tlog-proof", file_mem, sizeof file_mem);
    OK(verify_foreign(file, &policy, &by));
    OK(cu_tlog_proof_read(file, &proof, &error));
    OK(cu_tlog_proof_write(&proof, TEXT("extra, opaque"), &out, &error));
    assert_true(cu_span_eq(cu_buf_span(&out), file));

    size_t extra_from = (size_t)(proof.extra.p -
                                 (const uint8_t *)file_mem); /* what nobody signed, and a plain proof does not bind */
    for (size_t bit = 0; bit < file.n * 8; bit++) {
        if (bit / 8 >= extra_from && bit / 8 < extra_from + proof.extra.n) continue;
        file_mem[bit / 8] ^= (char)(1u << bit % 8);
        if (verify_foreign(file, &policy, &by) == CU_OK) fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        file_mem[bit / 8] ^= (char)(1u << bit % 8);
    }
}

static void a_proof_in_another_spelling_is_refused(void **state)
{
    (void)state;
#define HEAD "c2sp.org/tlog-proof@v1\n"
#define NOTE "\no\n1\n" ROOT "\n\n\xE2\x80\x94 o AAAAAAA=\n"
    static const struct {
        const char *text;
        cu_status status;
    } cases[] = {
        { HEAD "index 0\n" NOTE, CU_OK },
        { HEAD "extra AA==\nindex 0\n" NOTE, CU_OK },
        { HEAD "index 12\n" ROOT "\n" NOTE, CU_OK },
        { "", CU_MALFORMED },
        { HEAD, CU_MALFORMED },
        { "c2sp.org/tlog-proof@v2\nindex 0\n" NOTE, CU_NEWER_FORMAT },
        { "something else\nindex 0\n" NOTE, CU_MALFORMED },
        { HEAD "extra \nindex 0\n" NOTE, CU_MALFORMED },
        { HEAD "extra\nindex 0\n" NOTE, CU_MALFORMED },
        { HEAD "extra AA==\nextra AA==\nindex 0\n" NOTE, CU_MALFORMED },
        { HEAD "index 0\nextra AA==\n" NOTE, CU_MALFORMED },
        { HEAD "index 00\n" NOTE, CU_MALFORMED },
        { HEAD "index +1\n" NOTE, CU_MALFORMED },
        { HEAD "index -1\n" NOTE, CU_MALFORMED },
        { HEAD "index\n" NOTE, CU_MALFORMED },
        { HEAD "index  1\n" NOTE, CU_MALFORMED },
        { HEAD "index 1 \n" NOTE, CU_MALFORMED },
        { HEAD "index 9223372036854775808\n" NOTE, CU_MALFORMED },
        { HEAD "index 1\nAAAA\n" NOTE, CU_MALFORMED },
        { HEAD "index 1\n" ROOT " \n" NOTE, CU_MALFORMED },
        { HEAD "index 1\n", CU_MALFORMED },
        { HEAD "index 1\n" ROOT "\n", CU_MALFORMED },
        { HEAD "index 1\n\n", CU_MALFORMED },
        { HEAD "\nindex 1\n" NOTE, CU_MALFORMED },
        { "c2sp.org/tlog-proof@v1\r\nindex 0\n" NOTE, CU_MALFORMED },
    };
    struct cu_tlog_proof proof;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cu_tlog_proof_read(cu_span_str(cases[i].text), &proof, &error) != cases[i].status) fail_msg("%s", cases[i].text);
}

static void sixty_three_hashes_are_read_and_sixty_four_are_not(void **state)
{
    (void)state;
    struct cu_tlog_proof proof;

    for (int n = 63; n <= 64; n++) {
        CU_BUF out = cu_buf_heap(CU_RECEIPT_MAX);
        cu_buf_add_str(&out, HEAD "index 1\n");
        for (int i = 0; i < n; i++) cu_buf_add_str(&out, ROOT "\n");
        cu_buf_add_str(&out, NOTE);
        assert_int_equal(cu_tlog_proof_read(cu_buf_span(&out), &proof, &error), n == 63 ? CU_OK : CU_MALFORMED);
    }
}

static void a_receipt_of_256_kib_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    struct cu_tlog_proof proof;
    CU_BUF out = cu_buf_heap(CU_RECEIPT_MAX + 1), copy = cu_buf_heap(CU_RECEIPT_MAX + 1);

    cu_buf_add_str(&out, HEAD "index 1\n\n");
    memset(cu_buf_grow(&out, CU_RECEIPT_MAX - out.n), 'c', CU_RECEIPT_MAX - out.n); /* the checkpoint is for another to read */
    assert_int_equal(out.n, CU_RECEIPT_MAX);
    OK(cu_tlog_proof_read(cu_buf_span(&out), &proof, &error));
    cu_buf_add_byte(&out, 'c');
    assert_int_equal(cu_tlog_proof_read(cu_buf_span(&out), &proof, &error), CU_TOO_LARGE);

    struct cu_tlog_proof again = { .checkpoint = cu_span(out.p, CU_RECEIPT_MAX - strlen(HEAD "index 0\n\n")) };
    OK(cu_tlog_proof_write(&again, CU_SPAN_EMPTY, &copy, &error));
    again.checkpoint.n++;
    cu_buf_clear(&copy);
    assert_int_equal(cu_tlog_proof_write(&again, CU_SPAN_EMPTY, &copy, &error), CU_TOO_LARGE);
}

static void a_receipt_brings_at_most_64_entries_along(void **state)
{
    (void)state;
    CU_BUF list = cu_buf_heap(4096), out = cu_buf_heap(4096);
    struct cu_extra extra = { .type = cu_span_str(CU_EXTRA_TYPE), .record = cu_span_str("r") }, again;

    for (uint64_t i = 0; i <= CU_RECEIPT_SUPPORT_MAX; i++) {
        extra.support = (struct cu_list){ i, cu_buf_span(&list) };
        OK(cu_schema_write(&cu_extra_schema, &extra, &out, &error));
        OK(cu_schema_read(&cu_extra_schema, cu_buf_span(&out), &again, &error));
        cu_buf_clear(&out);
        OK(cu_schema_write(&cu_support_schema, &(struct cu_support){ .seq = i, .entry = cu_span_str("e") }, &list, &error));
    }
    extra.support = (struct cu_list){ CU_RECEIPT_SUPPORT_MAX + 1, cu_buf_span(&list) };
    assert_int_equal(cu_schema_write(&cu_extra_schema, &extra, &out, &error), CU_MALFORMED);
}

/* ---- trust --------------------------------------------------------------------------------------------------------- */

#define NETWORK "network 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define TRUST "custody-trust/v1\n" NETWORK

static void a_trust_file_is_a_list_of_epochs(void **state)
{
    (void)state;
    struct cu_trust t;

    OK(cu_trust_read(policy_text(TRUST "require integrity signer\nepoch 0 9\nlog %a\nquorum none\nepoch 10 99\n# moved\nlog "
                                       "%b\nwitness w %A\nquorum w\nepoch 200 -\nlog %c\nquorum none\n"),
                     &t, &error));
    assert_int_equal(t.epochs_n, 3);
    assert_true(t.required[0] && t.required[1] && !t.required[2]);
    assert_ptr_equal(cu_trust_epoch(&t, (cu_size){ 0 }), &t.epoch[0]);
    assert_ptr_equal(cu_trust_epoch(&t, (cu_size){ 9 }), &t.epoch[0]);
    assert_ptr_equal(cu_trust_epoch(&t, (cu_size){ 10 }), &t.epoch[1]);
    assert_null(cu_trust_epoch(&t, (cu_size){ 100 }));
    assert_ptr_equal(cu_trust_epoch(&t, (cu_size){ 1ull << 62 }), &t.epoch[2]);
    assert_int_equal(t.network.b[31], 0xff);
    OK(cu_trust_read(policy_text(TRUST "require time\nepoch 0 -\nlog %a\nquorum none\n"), &t, &error));
    assert_true(!t.required[0] && !t.required[1] && t.required[2]);
}

static void a_trust_file_has_at_most_16_epochs(void **state)
{
    (void)state;
    struct cu_trust t;
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);

    cu_buf_add_str(&out, TRUST "require integrity\n");
    for (int i = 0; i < CU_EPOCHS_MAX; i++) cu_buf_addf(&out, "epoch %d %d\nlog %s\nquorum none\n", i, i, vkeys[0]);
    OK(cu_trust_read(cu_buf_span(&out), &t, &error));
    assert_int_equal(t.epochs_n, CU_EPOCHS_MAX);
    cu_buf_addf(&out, "epoch 99 99\nlog %s\nquorum none\n", vkeys[0]);
    assert_int_equal(cu_trust_read(cu_buf_span(&out), &t, &error), CU_TOO_LARGE);
}

static void a_trust_file_of_64_kib_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    struct cu_trust t;
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX + 1);

    cu_buf_addf(&out, TRUST "require integrity\nepoch 0 -\nlog %s\nquorum none\n", vkeys[0]);
    while (out.n < CU_TRUST_MAX) cu_buf_add_byte(&out, '\n');
    OK(cu_trust_read(cu_buf_span(&out), &t, &error));
    cu_buf_add_byte(&out, '\n');
    assert_int_equal(cu_trust_read(cu_buf_span(&out), &t, &error), CU_TOO_LARGE);
}

static void a_malformed_trust_file_is_refused(void **state)
{
    (void)state;
#define EPOCH "epoch 0 -\nlog %a\nquorum none\n"
    static const struct {
        const char *text;
        cu_status status;
    } bad[] = {
        { "", CU_MALFORMED },
        { "custody-trust/v2\n" NETWORK "require signer\n" EPOCH, CU_NEWER_FORMAT },
        { "custody/v1\n" NETWORK "require signer\n" EPOCH, CU_MALFORMED },
        { "custody-trust/v1\nnetwork 00\nrequire signer\n" EPOCH, CU_MALFORMED },
        { "custody-trust/v1\nrequire signer\n" EPOCH, CU_MALFORMED },
        { TRUST EPOCH, CU_MALFORMED },
        { TRUST "require\n" EPOCH, CU_MALFORMED },
        { TRUST "require \n" EPOCH, CU_MALFORMED },
        { TRUST "require signer integrity\n" EPOCH, CU_MALFORMED },
        { TRUST "require signer signer\n" EPOCH, CU_MALFORMED },
        { TRUST "require signer \n" EPOCH, CU_MALFORMED },
        { TRUST "require all\n" EPOCH, CU_MALFORMED },
        { TRUST "require signer\n", CU_MALFORMED },
        { TRUST "require signer\nlog %a\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 0\nlog %a\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 00 -\nlog %a\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 5 4\nlog %a\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\n" EPOCH "epoch 9 -\nlog %b\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 0 9\nlog %a\nquorum none\nepoch 9 -\nlog %b\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 0 -\nquorum none\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 0 -\nlog %a\n", CU_MALFORMED },
        { TRUST "require signer\nepoch 0 -\nlog %a\nquorum none", CU_MALFORMED },
    };
    struct cu_trust t;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cu_trust_read(policy_text(bad[i].text), &t, &error) != bad[i].status) fail_msg("%s", bad[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_of_the_specification_are_read),
        cmocka_unit_test(a_malformed_policy_is_refused),
        cmocka_unit_test(sixty_four_witnesses_and_groups_fit_and_one_more_does_not),
        cmocka_unit_test(a_quorum_is_counted_over_groups),
        cmocka_unit_test(unknown_lines_are_ignored_and_counted),
        cmocka_unit_test(a_known_key_that_fails_rejects_the_note),
        cmocka_unit_test(the_origin_is_the_name_of_the_log_key),
        cmocka_unit_test(a_proof_that_torchwood_made_verifies_and_comes_back),
        cmocka_unit_test(a_proof_in_another_spelling_is_refused),
        cmocka_unit_test(sixty_three_hashes_are_read_and_sixty_four_are_not),
        cmocka_unit_test(a_trust_file_is_a_list_of_epochs),
        cmocka_unit_test(a_line_has_at_most_67_words),
        cmocka_unit_test(a_key_of_small_order_is_refused_wherever_it_stands),
        cmocka_unit_test(sixty_four_logs_fit_and_one_more_does_not),
        cmocka_unit_test(a_receipt_of_256_kib_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(a_receipt_brings_at_most_64_entries_along),
        cmocka_unit_test(a_trust_file_has_at_most_16_epochs),
        cmocka_unit_test(a_trust_file_of_64_kib_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(a_malformed_trust_file_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
