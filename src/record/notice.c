/* The other direction, and what does not come in time: an organisation's notice to a provider, the provider's word that it has it and its
 * last word on it; and a timeout, of a claim or of a notice. What is asked for, and why, is in the details: the log holds no words. */
#include "fields.h"

static const struct cu_field notice_fields[] = {
    TIME(1, struct cu_notice, time),
    SEEN(2, struct cu_notice),
    CU_UINT(3, struct cu_notice, provider, 1, CU_PARTIES_MAX),
    CU_FIXED(4, struct cu_notice, case_id),
    TIME(5, struct cu_notice, deadline),
    CU_FIXED(6, struct cu_notice, commitment),
};
const struct cu_payload_form cu_payload_NOTICE = { CU_SCHEMA_OF("notice", notice_fields, struct cu_notice), NULL };

static const struct cu_field acknowledge_fields[] = {
    TIME(1, struct cu_acknowledge, time),
    SEEN(2, struct cu_acknowledge),
    CU_FIXED(3, struct cu_acknowledge, notice),
};
const struct cu_payload_form cu_payload_ACKNOWLEDGE = { CU_SCHEMA_OF("acknowledge", acknowledge_fields, struct cu_acknowledge),
                                                        NULL };

static const struct cu_field answer_fields[] = {
    TIME(1, struct cu_answer, time),
    SEEN(2, struct cu_answer),
    CU_FIXED(3, struct cu_answer, notice),
    CU_UINT(4, struct cu_answer, n, 0, INT64_MAX),
    CU_FIXED(5, struct cu_answer, root),
    CU_UINT(6, struct cu_answer, reason, 1, UINT32_MAX, CU_OPTIONAL(struct cu_answer, has_reason)),
    CU_FIXED(7, struct cu_answer, commitment),
};
static cu_status check_answer(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_answer *answer = &payload->answer;

    ENSURE(answer->has_reason == (answer->n == 0), err, CU_MALFORMED,
           answer->has_reason ? "answer: there are deposits, and a reason why there are none"
                              : "answer: neither deposits nor a reason");
    return answer->has_reason ? cu_check_reason(answer->reason, err) : CU_OK;
}
const struct cu_payload_form cu_payload_ANSWER = { CU_SCHEMA_OF("answer", answer_fields, struct cu_answer), check_answer };

static const struct cu_field timeout_fields[] = {
    TIME(1, struct cu_timeout, time),
    SEEN(2, struct cu_timeout),
    CU_BYTES(3, struct cu_timeout, claim, 1, CU_ENTRY_MAX, CU_OPTIONAL(struct cu_timeout, has_claim)),
    CU_FIXED(4, struct cu_timeout, notice, CU_OPTIONAL(struct cu_timeout, has_notice)),
};
static cu_status check_timeout(const union cu_payload *payload, struct cu_err *err)
{
    ENSURE(payload->timeout.has_claim != payload->timeout.has_notice, err, CU_MALFORMED, "timeout: of a claim, or of a notice");
    return CU_OK;
}
const struct cu_payload_form cu_payload_TIMEOUT = { CU_SCHEMA_OF("timeout", timeout_fields, struct cu_timeout), check_timeout };
