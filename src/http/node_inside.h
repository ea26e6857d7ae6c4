/* What the files of the node share. */
#ifndef CU_HTTP_NODE_INSIDE_H
#define CU_HTTP_NODE_INSIDE_H

#include "http/node.h"
#include "http/upload.h"
#include "service/cosigned.h"
#include "service/reads.h"

#include "custody/json.h"

#include <pthread.h>
#include <stdatomic.h>

/** A worker's own: its handlers' context. */
struct cu_reader {
    struct cu_upload_context uploads; /* first */
    struct cu_node *node;
    struct cu_place place; /* without a ledger and without keys */
    void *verifier_memory;
    struct cu_sight *sight[CU_PARTIES_MAX + 1]; /* what each party that asked here may see; 0: who is none */
};

struct cu_node {
    struct cu_node_config config;
    struct cu_http_server *server;
    struct cu_reader *readers;
    void **contexts;

    pthread_mutex_t act; /* whoever signs, or lets the index follow, uses config.place under it */

    pthread_mutex_t who; /* members and names, as of the newest entry that says anything of them */
    struct cu_membership membership;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct cu_range *held; /* positions that this node holds and does not attest yet */
    size_t held_n, held_cap;
    uint64_t party; /* whose node this is */
    uint64_t heard; /* entries of the log that the keeper has looked at: his alone, */
    bool members_due; /* and that members changed, and not everybody who is to know has followed yet */
    bool told;      /* something was recorded since he last looked */
    bool due;       /* and what is held is attested now */
    uint64_t due_at;
    struct { cu_hash what; uint64_t at; } noted[64]; /* reads of the last minute */
    bool ending;
    pthread_t keeper;
    bool keeps;
    _Atomic uint64_t unrecorded, damaged, misbehaviour; /* …: incidents of that type in the log */
    struct cu_reads *reads;
    struct cu_pull *pull; /* NULL: nothing is pulled */
    struct cu_accepting *accepting; /* NULL: no key to accept with */
    struct cu_cosigning *cosigning;
    struct cu_cosigned_known known;
    struct cu_upload_host uploads;
};

/* ---- node_cosign.c ---- */
CU_MUST_USE cu_status cu_cosigning_open(struct cu_node *node, struct cu_err *err); /* before the server */
CU_MUST_USE cu_status cu_cosigning_run(struct cu_node *node, struct cu_err *err);  /* after it */
void cu_cosigning_stop(struct cu_node *node);  /* before the server's end; and after it: */
void cu_cosigning_close(struct cu_node *node);
/** Where the trust file asks for a quorum: the newest checkpoint that has one, appended. False: there is none, or none is asked for. */
bool cu_cosigned_checkpoint(struct cu_reader *r, struct cu_buf *out);
/** Something was recorded. */
void cu_cosigning_wake(struct cu_node *node);
void cu_cosigning_tell(struct cu_node *node, struct cu_json *j);
void cu_cosigning_metrics(struct cu_node *node, struct cu_buf *out);

/** The place, as of all that is acknowledged; with `index` the search index too. */
CU_MUST_USE cu_status cu_reader_refresh(struct cu_reader *r, bool index, struct cu_err *err);
/** The same with the index, for whoever asks: what he may not see is not there. */
CU_MUST_USE cu_status cu_reader_begin(struct cu_reader *r, const struct cu_http_request *q, struct cu_err *err);
/** The case that the path names first. One that is not there for who asks is not found, and that he asked is noted. */
CU_MUST_USE cu_status cu_reader_find_case(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err);
/** Who read what (or was `refused` it), and why, into the outbox. `id` NULL: nothing was read, and the words alone are judged. */
CU_MUST_USE cu_status cu_reader_note(struct cu_reader *r, const struct cu_http_request *q, const cu_hash *id, bool refused, struct cu_err *err);
/** The entry that the path names: "C1/3", digits of an id, a label; or, when `positions`, a position in the log. */
CU_MUST_USE cu_status cu_reader_find(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err);
/** "C1/3" or what else the path's {…} say. */
struct cu_span cu_request_name(const struct cu_http_request *q, struct cu_buf *mem);
/** The name of whoever asks, appended; nothing when nobody knows. */
void cu_node_name(struct cu_node *node, uint64_t party, struct cu_buf *out);
/** What was admitted: the keeper attests what it holds of it, who waits is woken, and whoever was enrolled or revoked is. */
CU_MUST_USE cu_status cu_node_recorded(struct cu_node *node, const struct cu_span *records, const struct cu_outcome *outcomes, size_t n, struct cu_err *err);

/** A place to read with, in one thread. */
CU_MUST_USE cu_status cu_reader_open(struct cu_node *node, struct cu_reader *r, struct cu_err *err);
void cu_reader_close(struct cu_reader *r);
/** The log has grown, whoever submitted it: who waits is told. */
void cu_node_grown(struct cu_node *node);
/** This node holds all of that deposit: the keeper attests it. */
void cu_node_hold(struct cu_node *node, uint64_t seq);

/* node_pull.c: content comes from provider and peers. Without sources these do nothing. */
CU_MUST_USE cu_status cu_pull_open(struct cu_node *node, struct cu_err *err); /* before the server */
CU_MUST_USE cu_status cu_pull_start(struct cu_node *node, struct cu_err *err);
void cu_pull_wake(struct cu_node *node); /* something was recorded */
void cu_pull_stop(struct cu_node *node);
void cu_pull_free(struct cu_node *node); /* after the server */
void cu_pull_tell(struct cu_node *node, struct cu_json *j);
void cu_pull_metrics(struct cu_node *node, struct cu_buf *out);

/* node_push.c: content that depositors send themselves */
CU_MUST_USE cu_status cu_push_open(struct cu_node *node, struct cu_err *err);
void cu_push_close(struct cu_node *node);

/* node_accept.c: what answers this organisation's notices */
CU_MUST_USE cu_status cu_accepting_open(struct cu_node *node, struct cu_err *err); /* before the server, after cu_push_open */
CU_MUST_USE cu_status cu_accepting_start(struct cu_node *node, struct cu_err *err);
void cu_accepting_wake(struct cu_node *node);
void cu_accepting_stop(struct cu_node *node);
void cu_accepting_free(struct cu_node *node); /* after the server */

/* node_enrol.c: who asks to be a member */
uint64_t cu_node_waiting(struct cu_reader *r); /* requests that nobody has decided on */

/* node_routes.c */
extern const struct cu_http_route cu_node_routes[];
extern const size_t cu_node_routes_n;

/* node_log.c, node_write.c, node_read.c, node_content.c: the handlers */
cu_http_handler cu_get_checkpoint, cu_get_tile, cu_get_trust_chain, cu_get_health, cu_get_ready, cu_get_metrics, cu_get_openapi, cu_get_problems;
cu_http_handler cu_post_submit, cu_post_inventory;
cu_http_handler cu_get_status, cu_get_entry, cu_get_record, cu_get_show, cu_get_receipt, cu_get_trail, cu_get_cases, cu_get_case, cu_get_find,
    cu_get_inventory;
cu_http_handler cu_get_content, cu_get_chunks;
cu_http_handler cu_post_enrolment, cu_get_enrolments, cu_refuse_enrolment, cu_post_supervised;
cu_http_handler cu_get_cosignatures, cu_get_cosignatures_of, cu_post_cosignatures, cu_post_add_checkpoint, cu_get_forks, cu_get_fork;

#endif
