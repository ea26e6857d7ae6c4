/* What a stranger reads first: README.txt, and the certificate. Each command of README.txt stands on a line of its own, written out for the
 * files of this very package, so that a test can take them from there and run them.
 */
#include "court/certificate.h"
#include "court/export.h"

#include "custody/words.h"

#include <stdio.h>
#include <stdlib.h>

/* For a shell: within single quotes, whatever is in it. */
static void put_quoted(struct cu_buf *out, const char *text)
{
    cu_buf_add_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') cu_buf_add_str(out, "'\\''");
        else cu_buf_add_byte(out, (uint8_t)*text);
    }
    cu_buf_add_byte(out, '\'');
}

static const char *const before[] = {
    "WHAT THIS FOLDER IS\n\n"
    "Electronic evidence with everything that proves it: the files as they were deposited (data/), a receipt of each "
    "(receipts/), what a reader\n"
    "compares with a published source (trust/), the trail of what happened (trail.csv), and a certificate to print "
    "(certificate.pdf, .html).\n"
    "Nothing here asks for a network, for our programs, or for your trust.\n\n"
    "FIRST: WHICH LEDGER? Compare these 24 words with those that the ledger's keeper publishes or reads out to you by telephone. "
    "A file of\n"
    "this folder cannot do that for you.\n\n",
    "BY PAGE: open verify.html in a browser (if it is here; it works offline), and give it this folder. It says PASS, NOT PROVEN "
    "or FAIL for\n"
    "integrity, signer and time, and names what differs.\n\n"
    "BY HAND, on Linux (on a Mac write shasum -a 256 for sha256sum), in this folder. 1. Is every file as the package says? Each "
    "line must end in OK:\n\n",
};
static const char *const before_zh[] = {
    "\n\n======== 中文 ========\n\n本文件夹是什么\n\n"
    "电子证据及证明它的一切：存证时的文件（data/）、每件的回执（receipts/）、供读者与公布来源核对的信任文件（trust/"
    "）、经过情况（trail.csv），以及可打印的证明书\n"
    "（certificate.pdf、.html）。无需联网，无需我们的程序，也无需信任我们。\n\n"
    "首先：这是哪个账本？请将下列24个词与账本保管方公布或电话读出的词核对。本文件夹内的文件不能代替这一步。\n\n",
    "网页核验：用浏览器打开 verify.html（如有；可离线使用），选取本文件夹。它就完整性、签名方、时间分别给出 PASS（通过）、NOT "
    "PROVEN（未经证明）或 FAIL（未通过），\n"
    "并指明何处不同。\n\n手工核验：在 Linux 上（Mac 上以 shasum -a 256 代替 "
    "sha256sum），于本文件夹内执行。一、每个文件是否与材料包所述一致？每行应以 OK "
    "结尾：\n\n",
};
#define STEP_2                                                                                                             \
    "2. Is the ledger's checkpoint in the receipt of %s signed by the key in trust/ledger.trust? It must say \"Signature " \
    "Verified\n"                                                                                                           \
    "Successfully\":\n\n"
#define STEP_2_ZH "二、%s 的回执中的检查点，是否由 trust/ledger.trust 中的密钥签名？应显示 Signature Verified Successfully：\n\n"
static const char step_3[] = "3. Does the entry in the receipt lead to that checkpoint? With Python alone (the sixty lines of "
                             "trust/take_apart.py, for you to read); it must\n"
                             "print True, and the network id of trust/ledger.trust:\n\n";
static const char step_3_zh[] =
    "三、回执中的记录是否通向该检查点？仅用 Python 即可计算（trust/take_apart.py 约六十行，供您阅读），应显示 True\n"
    "及 trust/ledger.trust 中的网络标识：\n\n";

static const char stock[] =
    "Any verifier of C2SP tlog-proof files answers too, with trust/policy as its policy. One of the transparency-log community, "
    "with Go (https://go.dev;\n"
    "this alone needs a network, to fetch it), reads the file from its third line on. It checks this step and step 2 at once, "
    "and "
    "must say \"verified\":\n\n";
static const char stock_zh[] = "任何 C2SP tlog-proof 验证程序均可回答，以 trust/policy 为策略文件。例如透明日志社区的程序（需 "
                               "Go，https://go.dev；仅此一步需联网获取），\n"
                               "它从文件第三行读起，同时检查本步与第二步，应显示 verified：\n\n";

static const char step_4[] =
    "4. Who signed? Step 3 left what the provider and the depositor signed, the one over the other's (COSE_Sign1, RFC 9052: any "
    "COSE library does\n"
    "the same), their signatures, and their keys as the genesis enrols them. Each must say \"Verified OK\":\n\n";
static const char step_4_zh[] = "四、由谁签名？第三步已取出云服务方与存证人各自所签的内容（COSE_Sign1，RFC "
                                "9052，前者签于后者之上，任何 COSE 库亦可）、其签名，以及创始记录登记的公钥。\n"
                                "每行应显示 Verified OK：\n\n";

static const char parts[] =
    "\nPARTS: a file in data/ whose name ends in .bytes-FIRST-LAST is a part of an exhibit, not the whole: its bytes FIRST to "
    "LAST, "
    "counted from 0. That\n"
    "they stand there in what was deposited is proven by receipts/*.proof: verify.html judges it, and so does, "
    "with our program:\n\n";
static const char parts_zh[] =
    "\n部分数据：data/ 中文件名以 .bytes-起-止 结尾者，为物证的一部分而非全部，即自0起计的第“起”至第“止”字节。receipts/*.proof "
    "证明其确为所存数据的该段：可用 "
    "verify.html 核验，\n亦可用我们的程序：\n\n";

static const char sealed[] =
    "\nSEALED: a file sealed.age in data/ was sealed before it was deposited: its receipt proves the sealed bytes, and says "
    "nothing of what is in "
    "them to who has no\n"
    "key. Whoever has one of those that it is sealed for opens it with any program for age files: age -d -i KEYFILE sealed.age\n";
static const char sealed_zh[] = "\n密封数据：data/ 中的 sealed.age "
                                "在存证之前已密封：回执所证明的是密封后的字节，无密钥者不能得知其内容。持有密封对象之密钥者，可用"
                                "任何 age 程序开启：age -d -i "
                                "密钥文件 sealed.age\n";

static bool has_parts(const struct cu_export *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->exhibit[i].parts_n > 0) return true;
    return false;
}

static void put_hand(struct cu_export *x, bool zh, struct cu_buf *out)
{
    const struct cu_export_exhibit *e = &x->exhibit[0];
    char receipt[300];
    CU_BUF quoted = cu_buf_heap(2048);

    snprintf(receipt, sizeof receipt, "receipts/%s.tlog-proof", e->stem);
    put_quoted(&quoted, receipt);
    cu_buf_add_byte(&quoted, 0);
    out->no_memory |= quoted.no_memory;
    const char *r = quoted.p ? (const char *)quoted.p : "";
    cu_buf_addf(out, "    sha256sum -c manifest-sha256.txt\n    sha256sum -c tagmanifest-sha256.txt\n\n");
    if (zh) cu_buf_addf(out, STEP_2_ZH, e->name);
    else cu_buf_addf(out, STEP_2, e->name);
    cu_buf_addf(out, "    sed '1,/^$/d' %s | sed -n 1,3p >/tmp/signed-text\n", r);
    cu_buf_addf(
        out, "    sed '1,/^$/d' %s | grep '^— ' | head -n 1 | awk '{ print $3 }' | base64 -d | tail -c 64 >/tmp/signature\n", r);
    cu_buf_add_str(out, "    { printf '\\x30\\x2a\\x30\\x05\\x06\\x03\\x2b\\x65\\x70\\x03\\x21\\x00'; sed -n 's/^log "
                        "[^+]*+[^+]*+//p' trust/ledger.trust | head -n 1 | "
                        "base64 -d | tail -c 32; } | openssl pkey -pubin -inform DER -out /tmp/log.pem\n");
    cu_buf_add_str(
        out, "    openssl pkeyutl -verify -pubin -inkey /tmp/log.pem -rawin -in /tmp/signed-text -sigfile /tmp/signature\n\n");
    cu_buf_add_str(out, zh ? step_3_zh : step_3);
    cu_buf_addf(out, "    python3 trust/take_apart.py %s /tmp\n\n", r);
    cu_buf_add_str(out, zh ? stock_zh : stock);
    cu_buf_addf(out, "    sed 1,2d %s >/tmp/entry.spicy\n", r);
    cu_buf_add_str(
        out, "    go run filippo.io/torchwood/cmd/spicy@v0.9.0 -verify \"$(sed -n 's/^log //p' trust/ledger.trust | head -n "
             "1)\" /tmp/entry\n\n");
    cu_buf_add_str(out, zh ? step_4_zh : step_4);
    for (int i = 0; i < 2; i++) {
        const char *who = i ? "depositor" : "provider";
        cu_buf_addf(out, "    openssl dgst -sha256 -verify /tmp/%s.der -keyform DER -signature /tmp/%s.sig /tmp/%s.signed\n", who,
                    who, who);
    }
    cu_buf_add_str(out, zh ? "\n若有我们的程序，一条命令即可完成全部核验：\n\n"
                           : "\nWith our program, if you have it, one command checks everything:\n\n");
    cu_buf_addf(out, "    custody-verify --trust trust/ledger.trust %s\n", r);
    if (has_parts(x)) cu_buf_addf(out, "%s    custody verify . --trust trust/ledger.trust\n", zh ? parts_zh : parts);
    if (x->sealed) cu_buf_add_str(out, zh ? sealed_zh : sealed);
}

/* A receipt taken apart by Python's standard library: docs/formats/receipt.md and entry.md, read once more. */
static const char take_apart[] =
    "import base64, hashlib, sys\n"
    "def sha(b): return hashlib.sha256(b).digest()\n"
    "def item(b, at=0):  # one item of CBOR: (value, where it ends)\n"
    "    kind, n, at = b[at] >> 5, b[at] & 31, at + 1\n"
    "    if n > 23: k = 1 << n - 24; n, at = int.from_bytes(b[at:at + k], 'big'), at + k\n"
    "    if kind in (2, 3): return b[at:at + n], at + n\n"
    "    if kind in (0, 1): return (n if kind == 0 else -1 - n), at\n"
    "    if kind == 6: return item(b, at)\n"
    "    if kind == 7: return None, at\n"
    "    out = []\n"
    "    for _ in range(n * (2 if kind == 5 else 1)):\n"
    "        v, at = item(b, at)\n"
    "        out.append(v)\n"
    "    return (dict(zip(out[::2], out[1::2])) if kind == 5 else out), at\n"
    "def string(b):  # a byte string of CBOR\n"
    "    n = len(b)\n"
    "    return (bytes([0x40 + n]) if n < 24 else bytes([0x58, n]) if n < 256 else b'\\x59' + n.to_bytes(2, 'big')) + b\n"
    "def integer(b):  # an integer of DER\n"
    "    b = b.lstrip(b'\\0')\n"
    "    b = b'\\0' + b if b[0] > 127 else b\n"
    "    return b'\\2' + bytes([len(b)]) + b\n"
    "receipt, folder = sys.argv[1:]\n"
    "head, note = open(receipt, encoding='utf-8').read().split('\\n\\n', 1)\n"
    "lines = head.split('\\n')\n"
    "extra = item(base64.b64decode(lines[1][6:]))[0]\n"
    "entry, genesis = item(extra[1])[0][0], extra[2][0][2]\n"
    "# the path from the entry to the checkpoint's root: RFC 9162, 2.1.3.2\n"
    "size, root = int(note.split('\\n')[1]), base64.b64decode(note.split('\\n')[2])\n"
    "fn, sn, r = int(lines[2][6:]), size - 1, sha(b'\\0' + entry)\n"
    "for p in map(base64.b64decode, lines[3:]):\n"
    "    if fn & 1 or fn == sn:\n"
    "        r = sha(b'\\1' + p + r)\n"
    "        while fn and not fn & 1: fn, sn = fn >> 1, sn >> 1\n"
    "    else: r = sha(b'\\1' + r + p)\n"
    "    fn, sn = fn >> 1, sn >> 1\n"
    "# the statement keys of the genesis, by their COSE Key Thumbprint: RFC 9679\n"
    "keys = {}\n"
    "for _, _, _, of_party in item(genesis)[0][7]:\n"
    "    for purpose, alg, pub in of_party:\n"
    "        if (purpose, alg) == (1, 7): keys[sha(b'\\xa4\\1\\2\\x20\\1\\x21\\x58\\x20' + pub[:32] + b'\\x22\\x58\\x20' + "
    "pub[32:])] = pub\n"
    "# both layers of the entry, as openssl wants them: RFC 9052, 4.4\n"
    "layer = entry\n"
    "for name in ('provider', 'depositor'):\n"
    "    protected, _, payload, signature = item(layer)[0]\n"
    "    der = integer(signature[:32]) + integer(signature[32:])\n"
    "    for end, data in (('signed', b'\\x84\\x6aSignature1' + string(protected) + b'\\x40' + string(payload)),\n"
    "                      ('sig', b'\\x30' + bytes([len(der)]) + der),\n"
    "                      ('der', bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d03010703420004') + "
    "keys[item(protected)[0][4]])):\n"
    "        open(f'{folder}/{name}.{end}', 'wb').write(data)\n"
    "    layer = item(payload)[0].get(1)\n"
    "open(f'{folder}/entry', 'wb').write(entry)\n"
    "print('network id', sha(b'\\0' + genesis).hex())\n"
    "print(sn == 0 and r == root)\n"
    "sys.exit(not (sn == 0 and r == root))\n";

static void put_words(struct cu_export *x, struct cu_buf *out)
{
    for (unsigned n = 0; n < CU_WORDS; n++) {
        cu_buf_add_str(out, n % 8 ? " " : "        ");
        cu_buf_add(out, cu_word(&x->p->trust.network, n));
        if (n % 8 == 7) cu_buf_add_byte(out, '\n');
    }
    cu_buf_add_byte(out, '\n');
}

static cu_status put_readme(struct cu_export *x, struct cu_err *err)
{
    CU_BUF out = cu_buf_heap(1 << 16);

    for (int zh = 0; zh < 2; zh++) {
        cu_buf_add_str(&out, zh ? before_zh[0] : before[0]);
        put_words(x, &out);
        cu_buf_add_str(&out, zh ? before_zh[1] : before[1]);
        put_hand(x, zh, &out);
    }
    TRY(cu_buf_ok(&out, err));
    TRY(cu_export_put(x, "trust/take_apart.py", cu_span_str(take_apart), err));
    return cu_export_put(x, "README.txt", cu_buf_span(&out), err);
}

/* ---- the certificate, of the very receipts that are in the package ---- */
static void free_any(void *p) { free(*(void **)p); }

static cu_status put_certificate(struct cu_export *x, struct cu_err *err)
{
    CU_CLEANUP(free_any) struct cu_certificate_exhibit *what = calloc(x->n, sizeof *what);
    CU_CLEANUP(free_any) char(*paths)[2][300] = calloc(x->n, sizeof *paths);
    CU_CLEANUP(cu_draft_free) struct cu_draft draft = { .chunks = NULL };
    CU_BUF out = cu_buf_heap((size_t)1 << 30);

    ENSURE(what && paths, err, CU_NO_MEMORY, "out of memory for the certificate");
    for (size_t i = 0; i < x->n; i++) {
        const struct cu_export_exhibit *e = &x->exhibit[i];
        snprintf(paths[i][0], sizeof paths[i][0], "receipts/%s.tlog-proof", e->stem);
        snprintf(paths[i][1], sizeof paths[i][1], "data/%s/", e->stem);
        what[i] = (struct cu_certificate_exhibit){ e->seq, e->name, paths[i][0], e->content ? paths[i][1] : NULL,
                                                   cu_buf_span(&e->receipt) };
    }
    TRY(cu_certificate(x->p, what, x->n, &draft, err));
    TRY(x->r->press->html(&draft.paper, &out, err));
    TRY(cu_export_put(x, "certificate.html", cu_buf_span(&out), err));
    cu_buf_clear(&out);
    const cu_status set = x->r->press->pdf(&draft.paper, &out, err);
    if (set == CU_NOT_FOUND) return x->told.no_pdf = true, CU_OK;
    TRY(set);
    return cu_export_put(x, "certificate.pdf", cu_buf_span(&out), err);
}

cu_status cu_export_paper(struct cu_export *x, struct cu_err *err)
{
    TRY(put_readme(x, err));
    return x->r->press ? put_certificate(x, err) : CU_OK;
}
