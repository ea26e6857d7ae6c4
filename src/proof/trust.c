/* The trust file: what a reader pins.  docs/formats/trust.md.
 *
 *  1. Four kinds of line, in this order: the version, network, require, and one or more epochs; after an epoch line come the
 *     lines of its tlog-policy, up to the next line that begins with "epoch ".
 *  2. Epochs ascend and do not overlap; only the last one may be open. A size that no epoch covers is trusted to nobody.
 *  3. Every epoch lists at least one log key, and all log keys bear one name: the origin of the one log.
 */
#include "judge.h"

static const char *const verdict_words[CU_VERDICTS] = { "integrity", "signer", "time" };

/* At least one of the three words, in their order, one space between. */
static cu_status read_require(struct cu_span words, bool required[CU_VERDICTS], struct cu_err *err)
{
    struct cu_span word;
    size_t at = 0;
    bool more = true;

    while (more) {
        more = cu_span_split(&words, ' ', &word);
        if (!more) word = words;
        while (at < CU_VERDICTS && !cu_span_is(word, verdict_words[at])) at++;
        ENSURE(at < CU_VERDICTS, err, CU_MALFORMED, "trust: require names integrity, signer and time, in this order");
        required[at++] = true;
    }
    return CU_OK;
}

static cu_status read_head(struct cu_lines *lines, struct cu_trust *ret, struct cu_err *err)
{
    struct cu_span line;

    ENSURE(cu_lines_next(lines, &line), err, CU_MALFORMED, "trust: not a trust file");
    ENSURE(cu_span_is(line, "custody-trust/v1"), err,
           cu_span_starts(line, cu_span_str("custody-trust/")) ? CU_NEWER_FORMAT : CU_MALFORMED,
           "trust: the first line is not \"custody-trust/v1\"");
    ENSURE(cu_lines_next(lines, &line) && cu_span_take(&line, "network "), err, CU_MALFORMED,
           "trust: the second line is network <64 hex digits>");
    TRY(cu_hex_read(line, ret->network.b, sizeof ret->network, err));
    ENSURE(cu_lines_next(lines, &line) && cu_span_take(&line, "require "), err, CU_MALFORMED,
           "trust: the third line is require <verdicts>");
    return read_require(line, ret->required, err);
}

/* "<first> <last or ->" */
static cu_status read_span(struct cu_span words, struct cu_epoch *ret, struct cu_err *err)
{
    struct cu_span first;

    ENSURE(cu_span_split(&words, ' ', &first), err, CU_MALFORMED, "trust: epoch <first size> <last size or ->");
    TRY(cu_decimal_read(first, INT64_MAX, &ret->first.v, err));
    ret->last.v = UINT64_MAX;
    if (!cu_span_is(words, "-")) TRY(cu_decimal_read(words, INT64_MAX, &ret->last.v, err));
    ENSURE(ret->first.v <= ret->last.v, err, CU_MALFORMED, "trust: an epoch's first size is above its last");
    return CU_OK;
}

/* The lines up to the next epoch. `*rest` begins after the epoch's own line. */
static struct cu_span take_policy(struct cu_span *rest)
{
    struct cu_lines lines = cu_lines_on(*rest);
    struct cu_span line, from = *rest;
    size_t n = from.n;

    while (cu_lines_next(&lines, &line)) {
        if (!cu_span_starts(line, cu_span_str("epoch "))) continue;
        n = (size_t)(line.p - from.p);
        break;
    }
    *rest = cu_span(from.p + n, from.n - n);
    return cu_span(from.p, n);
}

/* By (3). `origin` is empty before the first key. */
static cu_status check_policy(struct cu_span text, struct cu_span *origin, struct cu_err *err)
{
    struct cu_tlog_policy policy;

    TRY(cu_tlog_policy_read(text, &policy, err));
    ENSURE(policy.logs_n > 0, err, CU_MALFORMED, "trust: an epoch without a log key");
    for (size_t i = 0; i < policy.logs_n; i++) {
        if (origin->n == 0) *origin = policy.log[i].name;
        ENSURE(cu_span_eq(*origin, policy.log[i].name), err, CU_MALFORMED, "trust: log keys of two origins");
    }
    return CU_OK;
}

cu_status cu_trust_read(struct cu_span text, struct cu_trust *ret, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(text);
    struct cu_span line, rest, origin = CU_SPAN_EMPTY;
    struct cu_trust out = { 0 };

    ENSURE(text.n <= CU_TRUST_MAX, err, CU_TOO_LARGE, "trust: at most %d bytes", CU_TRUST_MAX);
    TRY(read_head(&lines, &out, err));
    for (rest = lines.rest; rest.n > 0; out.epochs_n++) {
        struct cu_epoch *e = &out.epoch[out.epochs_n];
        ENSURE(out.epochs_n < CU_EPOCHS_MAX, err, CU_TOO_LARGE, "trust: more than %d epochs", CU_EPOCHS_MAX);
        lines = cu_lines_on(rest);
        ENSURE(cu_lines_next(&lines, &line) && cu_span_take(&line, "epoch "), err, CU_MALFORMED,
               "trust: an epoch line stands before its keys");
        TRY(read_span(line, e, err));
        ENSURE(out.epochs_n == 0 || e[-1].last.v < e->first.v, err, CU_MALFORMED, "trust: epochs ascend and do not overlap");
        rest = lines.rest;
        e->policy_text = take_policy(&rest);
        TRY(check_policy(e->policy_text, &origin, err));
    }
    ENSURE(out.epochs_n > 0, err, CU_MALFORMED, "trust: no epoch");
    *ret = out;
    return CU_OK;
}

const struct cu_epoch *cu_trust_epoch(const struct cu_trust *trust, cu_size size)
{
    for (size_t i = 0; i < trust->epochs_n; i++)
        if (trust->epoch[i].first.v <= size.v && size.v <= trust->epoch[i].last.v) return &trust->epoch[i];
    return NULL;
}

/* Its keys were checked when the trust file was read, and every verification looks at its key again. */
cu_status cu_trust_policy(const struct cu_trust *trust, cu_size size, struct cu_tlog_policy *ret, struct cu_err *err)
{
    const struct cu_epoch *epoch = cu_trust_epoch(trust, size);

    ENSURE(epoch != NULL, err, CU_UNTRUSTED, "the trust file names no keys for a log of %llu entries", LLU(size.v));
    return cu_policy_parse(epoch->policy_text, ret, err);
}
