/* What is said of a deposit, and where its receipt is put. */
#include "apps/custody/app.h"

#include <sys/stat.h>

struct deposit_output deposit_output_of(struct session *s)
{
    const char *receipts = opt(s->run, "receipts");

    return (struct deposit_output){ .s = s, .folder = receipts ? receipts : CU_DIR_RECEIPTS, .folder_is_ledgers = !receipts };
}

cu_status save_receipt(const struct deposit_output *o, const char *name, struct cu_span bytes, char ret[4400], struct cu_err *err)
{
    char tmp[64];

    if (o->folder_is_ledgers) {
        snprintf(ret, 4400, "%s/%s", o->folder, name);
        snprintf(tmp, sizeof tmp, "%s/.incoming", o->folder);
        TRY(cu_fs_replace(&o->s->place.fs, ret, tmp, bytes, true, err));
        snprintf(ret, 4400, "%s/%s/%s", o->s->root, o->folder, name);
        return CU_OK;
    }
    if (mkdir(o->folder, 0777) != 0 && errno != EEXIST) return cu_posix_fail(err, errno, "make the folder", o->folder);
    snprintf(ret, 4400, "%s/%s", o->folder, name);
    return write_output_file(ret, bytes, err);
}

static cu_status save(const struct deposit_output *o, const struct cu_deposited *d, char ret[4400], struct cu_err *err)
{
    char name[300], manifest_name[320], manifest_path[4400];

    ret[0] = 0;
    if (d->receipt.n == 0) return CU_OK;
    cu_receipt_name(d->exhibit, &d->id, name);
    if (d->manifest.n) {
        snprintf(manifest_name, sizeof manifest_name, "%s.manifest", name);
        TRY(save_receipt(o, manifest_name, cu_buf_span(&d->manifest), manifest_path, err));
    }
    return save_receipt(o, name, cu_buf_span(&d->receipt), ret, err);
}

static void tell_json(const struct cu_deposited *d, const char *receipt, struct cu_buf *out)
{
    struct cu_json j = cu_json_on(out);

    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "path", d->path);
    cu_json_hash(&j, "id", &d->id);
    cu_json_hash(&j, "leaf", &d->leaf);
    cu_json_str(&j, "exhibit", d->exhibit);
    cu_json_str(&j, "case", d->case_name);
    cu_json_uint(&j, "serial", d->serial);
    cu_json_uint(&j, "size", d->size);
    if (d->type == CU_CONTENT_FOLDER) cu_json_uint(&j, "items", d->items);
    if (d->has_sha256) cu_json_hash(&j, "sha256", &d->sha256);
    else cu_json_str(&j, "sha256", NULL);
    if (d->sealed_for[0]) cu_json_str(&j, "sealed_for", d->sealed_for);
    cu_json_hash(&j, "root", &d->root);
    cu_json_time(&j, "time", d->time);
    cu_json_uint(&j, "copies", d->copies);
    cu_json_uint(&j, "required", d->required);
    cu_json_bool(&j, "duplicate", d->duplicate);
    cu_json_str(&j, "same_as", d->same_as[0] ? d->same_as : NULL);
    cu_json_str(&j, "receipt", receipt[0] ? receipt : NULL);
    cu_json_close(&j, '}');
    cu_buf_add_str(out, "\n");
}

static void tell_words(const struct cu_deposited *d, const char *receipt, struct cu_buf *out)
{
    cu_buf_addf(out, "%-9s ", d->exhibit);
    if (d->path) put_printable(out, cu_span_str(d->path));
    cu_buf_add_str(out, d->duplicate ? "  (recorded before)\n" : "\n");
    cu_buf_add_str(out, "  id        ");
    put_short_id(out, &d->id);
    cu_buf_addf(out, "   serial %llu\n  size      ", (unsigned long long)d->serial);
    put_size(out, d->size);
    if (d->type == CU_CONTENT_FOLDER) put_items(out, d->items);
    if (d->sealed_for[0]) {
        cu_buf_add_str(out, " sealed\n  for       ");
        put_printable(out, cu_span_str(d->sealed_for));
    }
    if (d->has_sha256) {
        cu_buf_add_str(out, d->type == CU_CONTENT_FOLDER ? "\n  manifest  " : "\n  sha256    ");
        cu_hex_put(out, cu_span_hash(&d->sha256));
        cu_buf_add_str(out, d->sealed_for[0] ? "  of what was read; the ledger has it in the sealed details alone" : "");
    }
    if (d->same_as[0])
        cu_buf_addf(out, "\n  same as   %s, byte for byte: stored once, and still a deposit of its own", d->same_as);
    cu_buf_add_str(out, "\n  recorded  ");
    put_time(out, d->time);
    cu_buf_addf(out, "\n  copies    %llu of %llu (%llu required)\n", (unsigned long long)d->copies,
                (unsigned long long)(d->copies > d->required ? d->copies : d->required), (unsigned long long)d->required);
    if (receipt[0]) cu_buf_addf(out, "  receipt   %s\n", receipt);
    else
        cu_buf_addf(out, "  receipt   none yet: %s: do not give the original back before `custody receipt %s` succeeds\n",
                    d->copies == 0            ? "only the provider holds this"
                    : d->copies < d->required ? "too few hold a copy of this yet"
                                              : "it was not waited for, or is not cosigned by enough yet",
                    d->exhibit);
}

/* What an earlier run had signed is no answer to what was asked now. */
static void tell_aside(const struct run *run, const struct cu_deposited *d, const char *receipt)
{
    CU_BUF out = cu_buf_heap(16384);

    if (run->quiet) return;
    if (run->json) tell_json(d, receipt, &out);
    else tell_words(d, receipt, &out);
    (void)fwrite(out.p, 1, out.n, stderr);
}

cu_status tell_deposited(void *output, struct cu_deposited *d, struct cu_err *err)
{
    struct deposit_output *o = output;
    char receipt[4400];

    TRY(save(o, d, receipt, err));
    progress_end(o->s);
    if (o->earlier) {
        tell_aside(o->s->run, d, receipt);
        return CU_OK;
    }
    if (o->s->run->json) tell_json(d, receipt, &o->s->run->out);
    else tell_words(d, receipt, &o->s->run->out);
    o->n++;
    if (!receipt[0]) o->missing++;
    run_print(o->s->run);
    return CU_OK;
}
