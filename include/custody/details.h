/* Details: what people wrote about a statement. A canonical text-keyed map by profile, attached to its record, bound by the
 * commitment, read by those who may. The step function never looks inside; clients, providers and verifiers do.
 *
 * A profile is a published schema: the fields it may have and those it must have. `docs/formats/details.md` lists them.
 */
#ifndef CUSTODY_DETAILS_H
#define CUSTODY_DETAILS_H

#include "custody/entry.h"

/* number, name in C, name in the map's field "profile", one line for people */
#define CU_PROFILE_TABLE(X)                                                                                            \
    X(1, PLAIN, "plain", "one item or folder, with a name and digests")                                                \
    X(2, POLICE_COLLECTION, "police-collection", "electronic data collected in a criminal case")                       \
    X(3, GENESIS, "genesis", "names of the parties of a ledger")                                                       \
    X(4, CASE, "case", "what a case is about")                                                                         \
    X(5, VOID, "void", "why a serial number was voided")                                                               \
    X(6, CORRECTION, "correction", "what was wrong, and what is right")                                                \
    X(7, INCIDENT, "incident", "what was found damaged, and what was done")                                            \
    X(8, ACCESS, "access", "who read what, when and why")                                                              \
    X(9, DISCLOSURE, "disclosure", "to whom evidence was given out, why, and by what authority")                       \
    X(10, MEMBER, "member", "who got keys, or whose keys were revoked, and why")                                       \
    X(11, NOTICE, "notice", "what a provider is asked for, by what number and on what basis")                          \
    X(12, ANSWER, "answer", "what a provider has to say to a notice")                                                  \
    X(13, GRANT, "grant", "what opens a sealed deposit to further readers")

#define CU_PROFILE_ENUM(num, name, text, line) CU_PROFILE_##name = (num),
enum cu_profile { CU_PROFILE_NONE = 0, CU_PROFILE_TABLE(CU_PROFILE_ENUM) };
#undef CU_PROFILE_ENUM

/* Every profile of a deposit shares the plain fields; police-collection adds those of the norms. One struct holds the union: an
 * optional field that is not there has its `has_` false, and what a profile does not know at all is zero. */
struct cu_detail_digest { uint64_t alg; struct cu_span value; }; /* a tuple [digest number, bytes] */
struct cu_detail_person {
    struct cu_span name, title, organisation, id_commitment; /* the last: SHA-256 of a salt and an identity number */
    bool has_title, has_organisation, has_id_commitment;
};
struct cu_detail_device {
    struct cu_span ip, mac, host, imei, make, model, serial, position;
    bool has_ip, has_mac, has_host, has_imei, has_make, has_model, has_serial, has_position;
};

/** A deposit of another ledger whose receipt is in what is deposited here. A tuple [network id, id, name there]. */
struct cu_detail_earlier { cu_hash network, id; struct cu_span name; };
extern const struct cu_schema cu_detail_earlier_schema;
extern const struct cu_schema cu_detail_digest_schema, cu_detail_person_schema, cu_detail_device_schema;

const struct cu_schema *cu_profile_schema(enum cu_profile profile); /* NULL when unknown */
enum cu_profile cu_profile_by_name(struct cu_span name);
/** The profile that a details map names in its field "profile". CU_PROFILE_NONE when it names none that is known. */
enum cu_profile cu_details_profile(struct cu_span details);
/** How the policy asks that evidence of a profile is sealed. False: as whoever deposits it likes. */
bool cu_policy_seals(const struct cu_policy *policy, enum cu_profile profile, struct cu_must_seal *ret);

/** Fields of a deposit's details, of both profiles. Keys in the map are the names in quotes. */
struct cu_details_deposit {
    struct cu_span profile;      /* "profile"                                                      */
    struct cu_span name;         /* "name"     bytes: the file's or folder's own name, no path     */
    struct cu_span label;        /* "label"    the exhibit's label on paper, "AP/1/1"              */
    struct cu_span note;         /* "note"                                                         */
    struct cu_span media;        /* "media"    media type by magic                                 */
    struct cu_span tool;         /* "tool"     what read it: "custody 0.1.0"                       */
    struct cu_list digests;      /* "digests"  of an item's bytes: cu_detail_digest, sha256 first  */
    struct cu_list earlier;      /* "earlier"  what an imported package holds: cu_detail_earlier       */
    bool has_label, has_note, has_media, has_digests, has_earlier;
    /* police-collection only */
    struct cu_span case_number;  /* "case-number"                                                  */
    struct cu_span cause;        /* "cause"                                                        */
    struct cu_span warrant;      /* "warrant"  warrant or notice number                            */
    struct cu_span category;     /* "category" what kind of data: documents, photos, chats …       */
    struct cu_span format;       /* "format"   file format                                         */
    struct cu_span secrecy;      /* "secrecy"                                                      */
    struct cu_span collected;    /* "collected" time with zone, as written                         */
    struct cu_span place, method, process; /* same names                                           */
    struct cu_span source;       /* "source"   unless original: why not, and where the original lies or the data came from */
    struct cu_detail_device device; /* "device" a map of texts                                     */
    struct cu_list collectors;   /* "collectors" two or more cu_detail_person                      */
    struct cu_detail_person holder, witness; /* same names                                         */
    struct cu_span refusal;      /* "refusal"  why the holder did not sign; then a witness is named */
    struct cu_span video;        /* "video-sha256" digest of the video of the process, 32 bytes    */
    bool original;               /* "original" the original medium was taken (not a copy of its data) */
    bool has_warrant, has_secrecy, has_source, has_device, has_holder, has_witness, has_refusal, has_video;
};
/** "profile", "parties": list of [party id, name, organisation name]; "name": what people call the ledger. */
struct cu_party_name { uint64_t id; struct cu_span name; };
extern const struct cu_schema cu_party_name_schema; /* a tuple */
struct cu_details_genesis { struct cu_span profile, name; struct cu_list parties; };
struct cu_details_case { struct cu_span profile, name, number, cause; bool has_number, has_cause; };
struct cu_details_text { struct cu_span profile, text; };  /* void, correction, answer: "text" */
/** "span": of which time, as written. */
struct cu_details_notice { struct cu_span profile, number, basis, object, span; bool has_span; };
/** "scope": what left, evidence or records alone, whole or in parts. Whoever is not told is not there. */
struct cu_details_disclosure {
    struct cu_span profile, scope, recipient, purpose, authority;
    bool has_recipient, has_purpose, has_authority;
};
/** "at", "http": of a proposal, where the organisation's node is reached by the others', and by clients. */
struct cu_details_member { struct cu_span profile, name, note, at, http; bool has_note, has_at, has_http; };
/** "content", "details": an age header of each layer that is opened, for the new readers, the outer layer's first; "readers": their names. */
struct cu_details_grant { struct cu_span profile, content, details, readers, note; bool has_note; };
/** One finding of `check`: a tuple [kind, where, id (text, may be empty), repaired].
 *  One read: a tuple [id, who, time, reason, authority]. */
struct cu_finding_row { struct cu_span kind, where, id; bool repaired; };
struct cu_access_row { cu_hash id; struct cu_span who; uint64_t time; struct cu_span reason, authority; };
extern const struct cu_schema cu_finding_row_schema, cu_access_row_schema;
/** "profile", "text", "rows": at most what fits; `count` in the payload says how many there were. */
struct cu_details_rows { struct cu_span profile, text; struct cu_list rows; };

union cu_details {
    struct cu_details_deposit deposit;
    struct cu_details_genesis genesis;
    struct cu_details_case a_case;
    struct cu_details_text text;
    struct cu_details_rows rows;
    struct cu_details_disclosure disclosure;
    struct cu_details_member member;
    struct cu_details_notice notice;
    struct cu_details_grant grant;
};

/** Canonical, of a known profile, with every field and every rule of it. `ret` may be NULL. MALFORMED names what is missing,
 *  TOO_LARGE, NEWER_FORMAT (a profile that this version does not know). */
CU_MUST_USE cu_status cu_details_read(struct cu_span details, enum cu_profile *ret_profile, union cu_details *ret,
                                      struct cu_err *err);
/** The same, and of a profile that statements of `kind` have (a claim's serve the deposit or refusal around it). WRONG_KIND. */
CU_MUST_USE cu_status cu_details_check(struct cu_span details, enum cu_kind kind, union cu_details *ret, struct cu_err *err);
/** Append `message` (the profile's struct), its field "profile" filled in. What could not be read is not written. */
CU_MUST_USE cu_status cu_details_write(enum cu_profile profile, const void *message, struct cu_buf *out, struct cu_err *err);

/** Any details map as lines for people, in the order of the map: a list gives one line an element, a map within one line a field
 *  ("device make"). The values are printable. Profiles that are not known are shown as they are. MALFORMED when not canonical. */
typedef void cu_details_line(void *self, struct cu_span key, struct cu_span value);
CU_MUST_USE cu_status cu_details_each(struct cu_span details, cu_details_line *line, void *self, struct cu_err *err);

/** The other way: fill a deposit's details from the lines of a form ("key: value", as `cu_details_each` gives them). Lists repeat
 *  their key, an element reads "name; title; organisation"; blank lines, keys without a value and lines that begin with # are
 *  skipped. What the program itself knows (profile, name, tool, media, digests, earlier) cannot be given, nor what `message` holds already.
 *  Spans of `message` point into `text` and into `scratch`, made by cu_buf_over (CU_DETAILS_MAX bytes are enough).
 *  MALFORMED names the line; whether everything that the profile asks for is there, cu_details_write judges. */
CU_MUST_USE cu_status cu_details_from_text(enum cu_profile profile, struct cu_span text, struct cu_buf *scratch,
                                           struct cu_details_deposit *message, struct cu_err *err);

#endif
