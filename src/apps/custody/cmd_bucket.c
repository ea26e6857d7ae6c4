/* custody bucket check: what the provider signed of its bucket, against that bucket */
#include "apps/custody/app.h"
#include "service/held.h"

struct comparing {
    struct run *run;
    struct cu_json j;
    uint64_t findings;
};

static void found(void *arg, const struct cu_held_difference *d)
{
    struct comparing *c = arg;
    struct cu_buf *out = &c->run->out;

    c->findings++;
    if (c->run->json) {
        cu_json_open(&c->j, NULL, '{');
        cu_json_hash(&c->j, "object", d->object);
        cu_json_str(&c->j, "what", d->what);
        cu_json_close(&c->j, '}');
        return;
    }
    cu_buf_add_str(out, "unheld  ");
    cu_hex_put(out, cu_span_hash(d->object));
    cu_buf_add_str(out, "\n        ");
    put_printable(out, cu_span_str(d->what));
    cu_buf_add_str(out, "\n");
}

static cu_status compare(struct session *s, void *arg, struct cu_err *err)
{
    struct run *run = s->run;
    struct comparing c = { .run = run, .j = cu_json_on(&run->out) };
    struct cu_held_comparing with = { .all = opt_is(run, "all"), .found = found, .arg = &c };

    (void)arg;
    if (run->json) cu_json_open(&c.j, NULL, '{'), cu_json_open(&c.j, "findings", '[');
    TRY(bucket_compare(s, cu_span_str(run->args[0]), &with, err));
    const uint64_t objects = with.objects;
    run->exit = c.findings ? cu_status_exit(CU_CORRUPT) : 0;
    if (run->json) {
        cu_json_close(&c.j, ']');
        cu_json_uint(&c.j, "objects", objects);
        cu_json_uint(&c.j, "left", with.left);
        cu_json_bool(&c.j, "ok", c.findings == 0);
        cu_json_close(&c.j, '}');
        cu_buf_add_str(&run->out, "\n");
    } else if (objects == 0) cu_buf_add_str(&run->out, "the log names no object of a bucket: there was nothing to compare\n");
    else if (c.findings == 0)
        cu_buf_addf(&run->out, "%llu object%s: each is there in the version that the provider signed for, locked as it said\n",
                    LLU(objects), objects == 1 ? "" : "s");
    else
        cu_buf_addf(
            &run->out,
            "%llu of %llu objects are not held as the provider signed: keep this answer and its receipts; they convict it\n",
            LLU(c.findings), LLU(objects));
    if (!run->json && with.left)
        cu_buf_addf(&run->out,
                    "NOT compared: %llu of %llu objects, of folders whose acceptances name the first %d alone; --all does\n",
                    LLU(with.left), LLU(objects + with.left), CU_HELD_OBJECTS_MAX);
    return cu_buf_ok(&run->out, err);
}

static cu_status go_check(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, compare, NULL, err); }

const struct command command_bucket_check = {
    .name = "bucket check",
    .args = "ADDRESS",
    .line = "compare a provider's bucket with what the provider signed of it",
    .help =
        "Asks the bucket at ADDRESS for every object that an acceptance in the log names: is the version there that the provider "
        "signed for, and is it locked as it said? For whoever may read that bucket, an auditor with credentials of his own for "
        "example; "
        "nothing is written, and no content is fetched. An acceptance names the first 64 objects of a folder, and binds the "
        "others by a root: with --all "
        "they are compared, too, for which the folder's manifest and the bucket's packs are read. The address is that of "
        "`custody help init`; the rights needed are s3:GetObject, s3:GetObjectVersion and s3:GetObjectRetention, and for --all "
        "s3:ListBucket and s3:ListBucketVersions.",
    .args_min = 1,
    .args_max = 1,
    .go = go_check,
    .options = { { "all", NULL, "the objects of large folders, too, that no entry names one by one" } },
};
