/* custody export: a case, or some exhibits, as a package for a court. */
#include "adapters/archive/archive.h"
#include "adapters/posix/package.h"
#include "apps/custody/app.h"
#include "court/export.h"

#include <unistd.h>

#define PAGE_BYTES ((size_t)16 << 20)

/* ---- the page that verifies ---- */

/* Where the build or the installation leaves it, seen from the program; NULL: nowhere. */
static const char *page_path(char ret[4300])
{
    static const char *const places[] = { "../share/custody/verify.html", "verify.html", "../../bin/verify.html" };
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0) return NULL;
    self[n] = 0;
    *strrchr(self, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(ret, 4300, "%s/%s", self, places[i]);
        if (access(ret, R_OK) == 0) return ret;
    }
    return NULL;
}

/* The page's place for a trust file, in base64 (web/verify/src/page/index.html). */
static const char pin_place[] = "<script type=\"application/custody-trust\" id=\"pinned-trust\"></script>";

static cu_status pin(const struct cu_buf *page, struct cu_span trust, struct cu_buf *ret, struct cu_err *err)
{
    const uint8_t *at = memmem(page->p, page->n, pin_place, strlen(pin_place));

    ENSURE(at, err, CU_NOT_FOUND, "the page that verifies has no place for a trust file: nothing was exported; leave --pin out");
    const size_t head = (size_t)(at - page->p) + strlen(pin_place) - strlen("</script>");
    cu_buf_add(ret, cu_span(page->p, head));
    cu_base64_put(ret, trust);
    cu_buf_add(ret, cu_span(page->p + head, page->n - head));
    return cu_buf_ok(ret, err);
}

static cu_status read_page(struct session *s, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF page = cu_buf_heap(PAGE_BYTES);
    char path[4300];
    const char *found = opt(s->run, "page") ? opt(s->run, "page") : page_path(path);

    ENSURE(
        found || !opt_is(s->run, "pin"), err, CU_NOT_FOUND,
        "--pin: the page that verifies is not installed (share/custody/verify.html), so there is nothing to pin a trust file in");
    if (!found) {
        say(s->run, "verify.html is NOT in the package: the page is not installed here (share/custody/verify.html)\n");
        return CU_OK;
    }
    TRY(read_argument_file(found, PAGE_BYTES, &page, err));
    if (opt_is(s->run, "pin")) return pin(&page, cu_buf_span(&s->place.trust_text), ret, err);
    cu_buf_add(ret, cu_buf_span(&page));
    return cu_buf_ok(ret, err);
}

/* ---- where it goes ---- */
static bool is_zip_name(const char *path)
{
    const size_t n = strlen(path);

    return n > 4 && strcasecmp(path + n - 4, ".zip") == 0;
}

static cu_status open_output(struct session *s, const char *path, struct cu_package_out *ret, struct cu_err *err)
{
    CU_BUF top = cu_buf_heap(300);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    if (!is_zip_name(path)) return cu_posix_folder_out(path, ret, err);
    cu_bag_safe(cu_span(name, strlen(name) - 4), &top);
    cu_buf_add_byte(&top, 0);
    TRY(cu_buf_ok(&top, err));
    return cu_zip_out(path, (const char *)top.p, cu_place_now(&s->place).v / 1000, ret, err);
}

/* ---- words ---- */
static void tell(struct session *s, const char *path, const struct cu_exported *x)
{
    struct cu_json j = cu_json_on(&s->run->out);
    struct cu_buf *out = &s->run->out;

    if (x->damaged) say(s->run, "a copy of the provider's is damaged: the node's was taken; run `custody check --repair`\n");
    if (!s->run->json) {
        cu_buf_addf(out, "%s  %llu exhibits, %llu with their bytes", path, LLU(x->exhibits), LLU(x->whole));
        if (x->parts) cu_buf_addf(out, ", %llu parts", LLU(x->parts));
        cu_buf_addf(out, "; %llu files, ", LLU(x->files));
        put_size(out, x->bytes);
        cu_buf_add_str(out, "\n  given out  on record as ");
        put_short_id(out, &x->disclosure);
        cu_buf_add_str(out, ", ");
        put_time(out, x->time);
        cu_buf_addf(out, "\n  verify     custody verify %s\n", path);
        return;
    }
    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "path", path);
    cu_json_uint(&j, "exhibits", x->exhibits);
    cu_json_uint(&j, "with_content", x->whole);
    cu_json_uint(&j, "parts", x->parts);
    cu_json_uint(&j, "files", x->files);
    cu_json_uint(&j, "bytes", x->bytes);
    cu_json_hash(&j, "disclosure", &x->disclosure);
    cu_json_time(&j, "time", x->time);
    cu_json_bool(&j, "provider_copy_damaged", x->damaged);
    cu_json_close(&j, '}');
    cu_buf_add_str(out, "\n");
}

static void close_output(struct cu_package_out *out)
{
    if (out->ops) out->ops->close(out->self);
}

static cu_status export(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(close_output) struct cu_package_out out = { 0 };
    struct cu_err why = { 0 };
    CU_BUF page = cu_buf_heap(PAGE_BYTES);
    const char *path = opt(s->run, "output");
    struct cu_export_request r = { .names = (const char *const *)s->run->args,
                                   .n = (size_t)s->run->args_n,
                                   .recipient = opt_span(s->run, "to"),
                                   .purpose = opt_span(s->run, "reason"),
                                   .authority = opt_span(s->run, "authority"),
                                   .no_content = opt_is(s->run, "no-content"),
                                   .only = opt_span(s->run, "only"),
                                   .parts = opt_span(s->run, "range") };
    struct cu_exported x;

    (void)arg;
    TRY(read_page(s, &page, err));
    r.page = cu_buf_span(&page);
    if (paper_load(&r.press, &why) != CU_OK) say(s->run, "there is NO certificate in the package: %s\n", why.text);
    TRY(open_output(s, path, &out, err));
    TRY(cu_export(&s->place, &r, &out, &x, err));
    if (x.no_pdf) say(s->run, "certificate.pdf is NOT in the package: a font is missing (fonts-noto-cjk); certificate.html is\n");
    if (x.chain.status != CU_OK)
        say(s->run, "the chain of trust, which leads a reader to the keys of today, is NOT in the package: %s\n", x.chain.text);
    progress_end(s);
    if (!r.recipient.n || !r.purpose.n) say(s->run, "to whom and why is not on record: say it with --to and --reason\n");
    tell(s, path, &x);
    return CU_OK;
}

static cu_status go_export(struct run *run, struct cu_err *err)
{
    const char *path = opt(run, "output");

    ENSURE(path && path[0] && strlen(path) < 4000, err, CU_USAGE, "say where to put it: -o DIR, or -o FILE.zip");
    ENSURE(access(path, F_OK) != 0, err, CU_USAGE, "%s is there already: name one that is not; nothing was written", path);
    catch_interrupts();
    return in_session(run, MODE_WRITE, export, NULL, err);
}

const struct command command_export = {
    .name = "export",
    .args = "CASE|ID… -o DIR|FILE.zip",
    .line = "a case, or some exhibits, as a package for a court",
    .help = "Writes a package (a BagIt bag, as a folder or as a zip) that explains and proves itself: the evidence, every byte "
            "verified, under names that any system can write; receipts; the trust file; an inventory of the case, so that what "
            "is left "
            "out shows; the custody trail; the page that verifies. That it was given out, to whom, why and by what authority is "
            "recorded in the log first.\n\n"
            "What exists is never overwritten. `custody verify DIR|FILE.zip` judges a package; `custody import` takes it into "
            "another "
            "ledger.",
    .args_min = 1,
    .args_max = -1,
    .go = go_export,
    .options = { { "output", "PATH", "a folder that is not there yet, or a name that ends in .zip" },
                 { "to", "WHO", "to whom it is given" },
                 { "reason", "TEXT", "why" },
                 { "authority", "TEXT", "on whose order" },
                 { "no-content", NULL, "records and receipts alone; the bytes stay here" },
                 { "only", "ID,…", "of these exhibits alone the bytes go along, of the others the record" },
                 { "range", "ID[/PATH]:FIRST-LAST,…",
                   "of these items, or items in a folder, a part goes along, with its proof; the first byte is 0" },
                 { "pin", NULL, "put the trust file into the page that verifies, too" },
                 { "page", "FILE", "the page that verifies, unless it is where it was installed" } },
};
