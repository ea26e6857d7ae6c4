/* Details: the profiles in one table, and what they have in common. Their deposit fields are in details_deposit.c. */
#include "details.h"

/* ---- the small profiles -------------------------------------------------------------------------------------------- */

#define PROFILE(type) CU_TEXT("profile", type, profile, 1, 32)
#define TEXT_MAX 16384

static const struct cu_field party_name_fields[] = {
    CU_UINT(0, struct cu_party_name, id, 1, CU_PARTIES_MAX),
    CU_TEXT(1, struct cu_party_name, name, 1, 256),
};
const struct cu_schema cu_party_name_schema = CU_SCHEMA_OF("party", party_name_fields, struct cu_party_name, .tuple = true);

static const struct cu_field genesis_fields[] = {
    CU_TEXT("name", struct cu_details_genesis, name, 1, 256),
    CU_LIST("parties", struct cu_details_genesis, parties, 1, CU_PARTIES_MAX, &cu_party_name_schema),
    PROFILE(struct cu_details_genesis),
};

static const struct cu_field case_fields[] = {
    CU_TEXT("name", struct cu_details_case, name, 1, 128),
    CU_TEXT("cause", struct cu_details_case, cause, 1, 1024, CU_OPTIONAL(struct cu_details_case, has_cause)),
    CU_TEXT("number", struct cu_details_case, number, 1, 128, CU_OPTIONAL(struct cu_details_case, has_number)),
    PROFILE(struct cu_details_case),
};

static const struct cu_field text_fields[] = {
    CU_TEXT("text", struct cu_details_text, text, 0, TEXT_MAX),
    PROFILE(struct cu_details_text),
};

#define DISCLOSURE struct cu_details_disclosure
#define DISCLOSED(key, member) CU_TEXT(key, DISCLOSURE, member, 1, 1024, CU_OPTIONAL(DISCLOSURE, has_##member))
static const struct cu_field disclosure_fields[] = {
    CU_TEXT("scope", DISCLOSURE, scope, 1, 4096),
    PROFILE(DISCLOSURE),
    DISCLOSED("purpose", purpose),
    DISCLOSED("authority", authority),
    DISCLOSED("recipient", recipient),
};

static const struct cu_field member_fields[] = {
    CU_TEXT("at", struct cu_details_member, at, 1, 256, CU_OPTIONAL(struct cu_details_member, has_at)),
    CU_TEXT("http", struct cu_details_member, http, 1, 256, CU_OPTIONAL(struct cu_details_member, has_http)),
    CU_TEXT("name", struct cu_details_member, name, 1, 256),
    CU_TEXT("note", struct cu_details_member, note, 1, 4096, CU_OPTIONAL(struct cu_details_member, has_note)),
    PROFILE(struct cu_details_member),
};

#define NOTICE struct cu_details_notice
static const struct cu_field notice_fields[] = {
    CU_TEXT("span", NOTICE, span, 1, 1024, CU_OPTIONAL(NOTICE, has_span)),
    CU_TEXT("basis", NOTICE, basis, 1, 1024),
    CU_TEXT("number", NOTICE, number, 1, 128),
    CU_TEXT("object", NOTICE, object, 1, 4096),
    PROFILE(NOTICE),
};

#define GRANT struct cu_details_grant
static const struct cu_field grant_fields[] = {
    CU_TEXT("note", GRANT, note, 1, 4096, CU_OPTIONAL(GRANT, has_note)),
    CU_BYTES("content", GRANT, content, 1, 4096),
    CU_BYTES("details", GRANT, details, 1, 4096),
    PROFILE(GRANT),
    CU_TEXT("readers", GRANT, readers, 1, 4608),
};

static const struct cu_field finding_fields[] = {
    CU_TEXT(0, struct cu_finding_row, kind, 1, 32),
    CU_TEXT(1, struct cu_finding_row, where, 0, 1024),
    CU_TEXT(2, struct cu_finding_row, id, 0, 128),
    CU_BOOL(3, struct cu_finding_row, repaired),
};
const struct cu_schema cu_finding_row_schema = CU_SCHEMA_OF("finding", finding_fields, struct cu_finding_row, .tuple = true);

static const struct cu_field access_fields[] = {
    CU_FIXED(0, struct cu_access_row, id),
    CU_TEXT(1, struct cu_access_row, who, 0, 256),
    CU_UINT(2, struct cu_access_row, time, 0, CU_TIME_MAX),
    CU_TEXT(3, struct cu_access_row, reason, 0, 1024),
    CU_TEXT(4, struct cu_access_row, authority, 0, 1024),
};
const struct cu_schema cu_access_row_schema = CU_SCHEMA_OF("access", access_fields, struct cu_access_row, .tuple = true);

/* clang-format off */
#define ROWS(element)                                                               \
    {                                                                               \
        CU_LIST("rows", struct cu_details_rows, rows, 0, CU_DETAILS_MAX, (element)), \
        CU_TEXT("text", struct cu_details_rows, text, 0, TEXT_MAX),                 \
        PROFILE(struct cu_details_rows),                                            \
    }
/* clang-format on */
static const struct cu_field incident_fields[] = ROWS(&cu_finding_row_schema);
static const struct cu_field reads_fields[] = ROWS(&cu_access_row_schema);

/* ---- the table of profiles ----------------------------------------------------------------------------------------- */

static const struct cu_schema genesis_schema = CU_SCHEMA_OF("genesis details", genesis_fields, struct cu_details_genesis,
                                                            .text_keys = true);
static const struct cu_schema case_schema = CU_SCHEMA_OF("case details", case_fields, struct cu_details_case, .text_keys = true);
static const struct cu_schema text_schema = CU_SCHEMA_OF("text details", text_fields, struct cu_details_text, .text_keys = true);
static const struct cu_schema incident_schema = CU_SCHEMA_OF("incident details", incident_fields, struct cu_details_rows,
                                                             .text_keys = true);
static const struct cu_schema access_schema = CU_SCHEMA_OF("access details", reads_fields, struct cu_details_rows,
                                                           .text_keys = true);
static const struct cu_schema disclosure_schema = CU_SCHEMA_OF("disclosure details", disclosure_fields, DISCLOSURE,
                                                               .text_keys = true);

static const struct cu_schema member_schema = CU_SCHEMA_OF("member details", member_fields, struct cu_details_member,
                                                           .text_keys = true);
static const struct cu_schema grant_schema = CU_SCHEMA_OF("grant details", grant_fields, GRANT, .text_keys = true);

static const struct cu_schema notice_schema = CU_SCHEMA_OF("notice details", notice_fields, NOTICE, .text_keys = true);

#define KIND(name) (1u << CU_KIND_##name)
#define OF_DEPOSIT (KIND(CLAIM) | KIND(DEPOSIT) | KIND(REFUSAL))

struct profile_row {
    const struct cu_schema *schema;
    unsigned kinds; /* bits: statements that have details of this profile */
    cu_status (*check)(const union cu_details *details, struct cu_err *err);
};
static const struct profile_row rows[] = {
    [CU_PROFILE_PLAIN] = { &cu_details_plain_schema, OF_DEPOSIT, cu_details_check_digests },
    [CU_PROFILE_POLICE_COLLECTION] = { &cu_details_police_schema, OF_DEPOSIT, cu_details_check_police },
    [CU_PROFILE_GENESIS] = { &genesis_schema, KIND(GENESIS), NULL },
    [CU_PROFILE_CASE] = { &case_schema, KIND(CASE), NULL },
    [CU_PROFILE_VOID] = { &text_schema, KIND(VOID), NULL },
    [CU_PROFILE_CORRECTION] = { &text_schema, KIND(CORRECTION), NULL },
    [CU_PROFILE_INCIDENT] = { &incident_schema, KIND(INCIDENT), NULL },
    [CU_PROFILE_ACCESS] = { &access_schema, KIND(ACCESS), NULL },
    [CU_PROFILE_DISCLOSURE] = { &disclosure_schema, KIND(DISCLOSURE), NULL },
    [CU_PROFILE_MEMBER] = { &member_schema, KIND(MEMBER) | KIND(PROPOSE), NULL },
    [CU_PROFILE_NOTICE] = { &notice_schema, KIND(NOTICE), NULL },
    [CU_PROFILE_ANSWER] = { &text_schema, KIND(ANSWER), NULL },
    [CU_PROFILE_GRANT] = { &grant_schema, KIND(GRANT), NULL },
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

#define NAME(num, name, text, line) [CU_PROFILE_##name] = (text),
static const char *const names[] = { CU_PROFILE_TABLE(NAME) };
_Static_assert(sizeof names / sizeof *names == ROW_COUNT, "every profile has its row");

static bool known(enum cu_profile profile) { return profile > CU_PROFILE_NONE && profile < ROW_COUNT; }

const struct cu_schema *cu_profile_schema(enum cu_profile profile) { return known(profile) ? rows[profile].schema : NULL; }

enum cu_profile cu_profile_by_name(struct cu_span name)
{
    for (enum cu_profile p = 1; p < ROW_COUNT; p++)
        if (cu_span_is(name, names[p])) return p;
    return CU_PROFILE_NONE;
}

enum cu_profile cu_details_profile(struct cu_span details)
{
    struct cu_cbor_reader in = cu_cbor_read(details);

    if (cu_cbor_check(details, "details", NULL) != CU_OK) return CU_PROFILE_NONE;
    for (uint64_t n = cu_cbor_enter_map(&in, CU_DETAILS_MAX); n > 0; n--) {
        if (cu_span_is(cu_cbor_text(&in, 0, CU_DETAILS_MAX), "profile"))
            return cu_profile_by_name(cu_cbor_text(&in, 0, CU_DETAILS_MAX));
        if (cu_cbor_item(&in).n == 0) break;
    }
    return CU_PROFILE_NONE;
}

/* ---- reading and writing ------------------------------------------------------------------------------------------- */

cu_status cu_details_read(struct cu_span details, enum cu_profile *ret_profile, union cu_details *ret, struct cu_err *err)
{
    enum cu_profile profile = cu_details_profile(details);
    union cu_details out = { 0 };

    ENSURE(details.n <= CU_DETAILS_MAX, err, CU_TOO_LARGE, "details: %zu bytes, more than %d", details.n, CU_DETAILS_MAX);
    TRY(cu_cbor_check(details, "details", err));
    ENSURE(known(profile), err, CU_NEWER_FORMAT, "details: they name no profile that is known here");
    TRY(cu_schema_read(rows[profile].schema, details, &out, err));
    if (rows[profile].check) TRY(rows[profile].check(&out, err));
    *ret_profile = profile;
    if (ret) *ret = out;
    return CU_OK;
}

cu_status cu_details_check(struct cu_span details, enum cu_kind kind, union cu_details *ret, struct cu_err *err)
{
    enum cu_profile profile;

    TRY(cu_details_read(details, &profile, ret, err));
    ENSURE(rows[profile].kinds & 1u << kind, err, CU_WRONG_KIND, "details of profile %s do not go with a %s", names[profile],
           cu_kind_row(kind) ? cu_kind_row(kind)->name : "statement of an unknown kind");
    return CU_OK;
}

cu_status cu_details_write(enum cu_profile profile, const void *message, struct cu_buf *out, struct cu_err *err)
{
    const struct cu_schema *schema = cu_profile_schema(profile);
    union cu_details copy = { 0 };
    size_t before = out->n;
    cu_status status;

    ENSURE(schema, err, CU_NOT_FOUND, "there is no profile %d", (int)profile);
    memcpy(&copy, message, schema->size);
    copy.text.profile = cu_span_str(names[profile]);
    TRY(cu_schema_write(schema, &copy, out, err));
    TRY(cu_buf_ok(out, err));
    status = cu_details_read(cu_span(out->p + before, out->n - before), &profile, NULL, err);
    if (status != CU_OK) out->n = before;
    return status;
}
#define FIRST(type) _Static_assert(offsetof(struct type, profile) == 0, "every profile's struct begins with its name")
FIRST(cu_details_deposit);
FIRST(cu_details_genesis);
FIRST(cu_details_case);
FIRST(cu_details_text);
FIRST(cu_details_rows);
FIRST(cu_details_disclosure);
FIRST(cu_details_member);
FIRST(cu_details_notice);
FIRST(cu_details_grant);

bool cu_policy_seals(const struct cu_policy *policy, enum cu_profile profile, struct cu_must_seal *ret)
{
    struct cu_must_seal must;
    size_t at = 0;

    while (policy->has_seal && cu_list_next(&policy->seal, &cu_must_seal_schema, &at, &must))
        if (profile != CU_PROFILE_NONE && cu_profile_by_name(must.profile) == profile) return *ret = must, true;
    return false;
}
