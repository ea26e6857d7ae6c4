/* What is said of notices and timeouts in a conversation; for whoever has a `static struct play p`. */
#ifndef CU_TEST_PLAY_NOTICE_H
#define CU_TEST_PLAY_NOTICE_H

enum { AGE = 5000, TIME = 20000 }; /* the policy's acceptance age; what a notice gives */

static inline void wait_until(uint64_t when)
{
    play_close(&p);
    if (p.now < when) p.now = when;
}

static inline struct cu_notice_standing standing(const cu_hash *notice)
{
    struct cu_notice_standing s;

    play_close(&p);
    assert_ok(cu_ledger_notice(p.l, notice, &s, &err));
    return s;
}

/* ---- what is said ------------------------------------------------------------------------------------------------------ */

static inline struct cu_notice a_notice(void)
{
    return (struct cu_notice){ .time = p.now,
                               .seen = newest(&p),
                               .provider = p.orgs + 1,
                               .case_id = p.case_id,
                               .deadline = p.now + TIME,
                               .commitment = play_commitment() };
}

static inline cu_status asks_so(enum who who, const struct cu_notice *body, cu_hash *ret)
{
    const cu_status said = say(&p, CU_KIND_NOTICE, who, body);

    *ret = p.sub.id;
    return said;
}

static inline cu_hash asked(void)
{
    const struct cu_notice body = a_notice();
    cu_hash id;

    assert_said(OK, asks_so(OFFICER, &body, &id));
    return id;
}

static inline cu_status acknowledges(enum who who, const cu_hash *notice)
{
    const struct cu_acknowledge body = { .time = p.now, .seen = newest(&p), .notice = *notice };

    return say(&p, CU_KIND_ACKNOWLEDGE, who, &body);
}

static inline cu_hash claims_against(enum who who, const cu_hash *notice, uint64_t serial)
{
    struct cu_claim claim = play_claim(&p, serial);

    claim.has_notice = true, claim.notice = *notice;
    return claims_so(&p, who, &claim);
}

static inline cu_status receives(enum who who)
{
    const struct cu_deposit body = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = newest(&p) };

    return say(&p, CU_KIND_DEPOSIT, who, &body);
}

static inline cu_status declines(enum who who)
{
    const struct cu_refusal body = { cu_buf_span(&p.claim), p.now, newest(&p), CU_REASON_DAMAGED };

    return say(&p, CU_KIND_REFUSAL, who, &body);
}

/* With n deposits, under the root that the ledger has for them; none: not held. */
static inline cu_status answers_so(enum who who, const cu_hash *notice, uint64_t n, const cu_hash *root)
{
    const struct cu_answer body = { .time = p.now,
                                    .seen = newest(&p),
                                    .notice = *notice,
                                    .n = n,
                                    .root = *root,
                                    .has_reason = n == 0,
                                    .reason = n ? 0 : CU_REASON_NOT_HELD,
                                    .commitment = play_commitment() };

    return say(&p, CU_KIND_ANSWER, who, &body);
}

static inline cu_status answers(const cu_hash *notice)
{
    const struct cu_notice_standing s = standing(notice);

    return answers_so(PROVIDER, notice, s.deposits, &s.root);
}

static inline cu_status times_out(enum who who, const cu_hash *notice)
{
    const struct cu_timeout body = { .time = p.now, .seen = newest(&p), .notice = *notice, .has_notice = true };

    return say(&p, CU_KIND_TIMEOUT, who, &body);
}

static inline cu_status claim_times_out(enum who who)
{
    const struct cu_timeout body = { .time = p.now, .seen = newest(&p), .claim = cu_buf_span(&p.claim), .has_claim = true };

    return say(&p, CU_KIND_TIMEOUT, who, &body);
}

#endif
