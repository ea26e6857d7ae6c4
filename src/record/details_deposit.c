/* Details of a deposit: plain, and police-collection.
 *
 * What police-collection demands is what China's 2016 rules on electronic data ask the record of a collection to state: cause,
 * object, content, time, place, method and process; category and format of the data with a check value (the claim's root, and the
 * digests); two investigators or more; whether the original medium was taken and, if not, why, and where it lies (art. 8, 9);
 * and the holder, or why the holder did not sign and who witnessed it (art. 14). The signatures themselves are further statements.
 */
#include "details.h"

static const struct cu_field digest_fields[] = {
    CU_UINT(0, struct cu_detail_digest, alg, 1, 255),
    CU_BYTES(1, struct cu_detail_digest, value, 1, CU_DIGEST_LEN_MAX),
};
const struct cu_schema cu_detail_digest_schema = CU_SCHEMA_OF("digest", digest_fields, struct cu_detail_digest, .tuple = true);

static const struct cu_field earlier_fields[] = {
    CU_FIXED(0, struct cu_detail_earlier, network),
    CU_FIXED(1, struct cu_detail_earlier, id),
    CU_TEXT(2, struct cu_detail_earlier, name, 1, 128),
};
const struct cu_schema cu_detail_earlier_schema = CU_SCHEMA_OF("earlier", earlier_fields, struct cu_detail_earlier,
                                                               .tuple = true);

#define OPTIONAL_TEXT(key, type, member, max) CU_TEXT(key, type, member, 1, max, CU_OPTIONAL(type, has_##member))

#define PERSON struct cu_detail_person
static const struct cu_field person_fields[] = {
    CU_TEXT("name", PERSON, name, 1, 128),
    OPTIONAL_TEXT("title", PERSON, title, 128),
    OPTIONAL_TEXT("organisation", PERSON, organisation, 256),
    CU_BYTES("id-commitment", PERSON, id_commitment, 32, 32, CU_OPTIONAL(PERSON, has_id_commitment)),
};
const struct cu_schema cu_detail_person_schema = CU_SCHEMA_OF("person", person_fields, PERSON, .text_keys = true);

#define DEVICE struct cu_detail_device
/* clang-format off */
static const struct cu_field device_fields[] = {
    OPTIONAL_TEXT("ip", DEVICE, ip, 64),
    OPTIONAL_TEXT("mac", DEVICE, mac, 64),
    OPTIONAL_TEXT("host", DEVICE, host, 256),
    OPTIONAL_TEXT("imei", DEVICE, imei, 64),
    OPTIONAL_TEXT("make", DEVICE, make, 128),
    OPTIONAL_TEXT("model", DEVICE, model, 128),
    OPTIONAL_TEXT("serial", DEVICE, serial, 128),
    OPTIONAL_TEXT("position", DEVICE, position, 128),
};
/* clang-format on */
const struct cu_schema cu_detail_device_schema = CU_SCHEMA_OF("device", device_fields, DEVICE, .text_keys = true);

/* A file name is bytes: most are UTF-8, some are not, and all are kept as they are. */
#define DEPOSIT struct cu_details_deposit
#define NAME CU_BYTES("name", DEPOSIT, name, 1, 1024)
#define NOTE OPTIONAL_TEXT("note", DEPOSIT, note, 4096)
#define TOOL CU_TEXT("tool", DEPOSIT, tool, 1, 128)
#define LABEL OPTIONAL_TEXT("label", DEPOSIT, label, 128)
#define MEDIA OPTIONAL_TEXT("media", DEPOSIT, media, 128)
#define DIGESTS CU_LIST("digests", DEPOSIT, digests, 1, 16, &cu_detail_digest_schema, CU_OPTIONAL(DEPOSIT, has_digests))
#define EARLIER \
    CU_LIST("earlier", DEPOSIT, earlier, 1, CU_EARLIER_MAX, &cu_detail_earlier_schema, CU_OPTIONAL(DEPOSIT, has_earlier))
#define PROFILE CU_TEXT("profile", DEPOSIT, profile, 1, 32)

static const struct cu_field plain_fields[] = { NAME, NOTE, TOOL, LABEL, MEDIA, DIGESTS, EARLIER, PROFILE };
const struct cu_schema cu_details_plain_schema = CU_SCHEMA_OF("plain details", plain_fields, DEPOSIT, .text_keys = true);

static const struct cu_field police_fields[] = {
    NAME,
    NOTE,
    TOOL,
    CU_TEXT("cause", DEPOSIT, cause, 1, 1024),
    LABEL,
    MEDIA,
    CU_TEXT("place", DEPOSIT, place, 1, 1024),
    CU_MAP("device", DEPOSIT, device, &cu_detail_device_schema, CU_OPTIONAL(DEPOSIT, has_device)),
    CU_TEXT("format", DEPOSIT, format, 1, 128),
    CU_MAP("holder", DEPOSIT, holder, &cu_detail_person_schema, CU_OPTIONAL(DEPOSIT, has_holder)),
    CU_TEXT("method", DEPOSIT, method, 1, 4096),
    OPTIONAL_TEXT("source", DEPOSIT, source, 1024),
    DIGESTS,
    CU_TEXT("process", DEPOSIT, process, 1, 8192),
    PROFILE,
    OPTIONAL_TEXT("refusal", DEPOSIT, refusal, 1024),
    OPTIONAL_TEXT("secrecy", DEPOSIT, secrecy, 64),
    OPTIONAL_TEXT("warrant", DEPOSIT, warrant, 128),
    CU_MAP("witness", DEPOSIT, witness, &cu_detail_person_schema, CU_OPTIONAL(DEPOSIT, has_witness)),
    CU_TEXT("category", DEPOSIT, category, 1, 128),
    CU_BOOL("original", DEPOSIT, original),
    CU_TEXT("collected", DEPOSIT, collected, 1, 128),
    CU_LIST("collectors", DEPOSIT, collectors, 2, 16, &cu_detail_person_schema),
    CU_TEXT("case-number", DEPOSIT, case_number, 1, 128),
    CU_BYTES("video-sha256", DEPOSIT, video, 32, 32, CU_OPTIONAL(DEPOSIT, has_video)),
};
const struct cu_schema cu_details_police_schema = CU_SCHEMA_OF("police-collection details", police_fields, DEPOSIT,
                                                               .text_keys = true);

/* Each algorithm once, in the order of their numbers, so sha256 is the first; each of its own length. */
cu_status cu_details_check_digests(const union cu_details *details, struct cu_err *err)
{
    struct cu_detail_digest digest;
    uint64_t expected_from = CU_DIGEST_SHA256;
    size_t at = 0;

    if (!details->deposit.has_digests) return CU_OK;
    while (cu_list_next(&details->deposit.digests, &cu_detail_digest_schema, &at, &digest)) {
        ENSURE(digest.alg >= expected_from, err, CU_MALFORMED,
               "details: digests are not in the order of their algorithms, each once");
        ENSURE(expected_from > CU_DIGEST_SHA256 || digest.alg == CU_DIGEST_SHA256, err, CU_MALFORMED,
               "details: sha256 is missing among the digests");
        ENSURE(digest.value.n == cu_digest_len((enum cu_digest_alg)digest.alg), err, CU_MALFORMED,
               "details: a digest of an unknown algorithm or a wrong length");
        expected_from = digest.alg + 1;
    }
    return CU_OK;
}

cu_status cu_details_check_police(const union cu_details *details, struct cu_err *err)
{
    const struct cu_details_deposit *d = &details->deposit;

    TRY(cu_details_check_digests(details, err));
    ENSURE(d->original || d->has_source, err, CU_MALFORMED,
           "police-collection: \"source\" is missing: when the original medium was not taken, why not, and where it lies or the "
           "data came from");
    ENSURE(d->has_holder || d->has_refusal, err, CU_MALFORMED,
           "police-collection: \"holder\" is missing, or \"refusal\" with a witness");
    ENSURE(!d->has_refusal || d->has_witness, err, CU_MALFORMED,
           "police-collection: \"witness\" is missing, who attests that the holder did not sign");
    return CU_OK;
}
