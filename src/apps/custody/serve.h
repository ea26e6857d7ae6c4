/* What the commands that serve have in common: where they listen, as whom, how long. */
#ifndef CU_APPS_SERVE_H
#define CU_APPS_SERVE_H

#include "apps/custody/app.h"
#include "http/server.h"

struct tls_files { struct cu_buf cert, key, ca, revoked; struct cu_http_tls tls; };
struct serving {
    struct session *s;
    char address[64];
    unsigned port, workers, rate;
    struct tls_files files;
    const struct cu_http_tls *tls; /* NULL: plain HTTP */
};
/** By the options below; `usual`: where it listens unless told otherwise. `ret` stays where it is. */
CU_MUST_USE cu_status serving_begin(struct session *s, const char *usual, struct serving *ret, struct cu_err *err);
/** It listens: say where, and stay until it is asked to end; certificates are loaded anew meanwhile. `works` is asked now and then, and ends it
 *  by its failure; NULL: nobody is asked. */
CU_MUST_USE cu_status serving_run(struct serving *v, unsigned port, cu_status (*reload)(void *server, const struct cu_http_tls *tls, struct cu_err *err),
                                  void *server, cu_status (*works)(struct session *s, struct cu_err *err), struct cu_err *err);
void serving_free(struct serving *v);
/** What the option names; else what lies in the ledger's folder, NOT_FOUND: nothing does. Heap. */
CU_MUST_USE cu_status serving_file(struct session *s, const char *option, const char *usual, struct cu_buf *ret, struct cu_err *err);
/** For the servers' configurations; their arg is the session. */
CU_MUST_USE cu_status serving_room(void *session, uint64_t bytes, struct cu_err *err);
void serving_log(void *session, const char *line);

// clang-format off
#define SERVING_OPTIONS(usual)                                                                                                                     \
    { "listen", "ADDRESS:PORT", "where to listen (by default " usual "; port 0: any that is free)" },                                               \
    { "name", "NAMES", "further names that clients may call it by, as in Host, separated by spaces" },                                             \
    { "members-only", NULL, "of what is served, only what is public" },                                                                            \
    { "tls", NULL, "TLS 1.3 and certificates, from the folder tls/ but for what the next options name" },                                          \
    { "tls-cert", "FILE", "the server's certificate, with those between it and its CA, PEM (tls/server.pem)" },                                     \
    { "tls-key", "FILE", "its key, PKCS#8 PEM (in the same file)" },                                                                               \
    { "tls-ca", "FILE", "CAs of the clients' certificates, PEM (tls/ca.pem)" },                                                                    \
    { "tls-revoked", "FILE", "what they revoked, PEM (tls/revoked.pem, if it is there)" },                                                         \
    { "workers", "N", "threads that answer (by default 8)" },                                                                                      \
    { "rate", "N", "requests a second of one address, 0: any (by default 1,000 with TLS)" },                                                       \
    { "keep-free", "PERCENT", "of the disk: below it nothing more is taken (by default 5)" },                                                      \
    { "confine", "auto|off", "give up, before it listens, all files but its own folder and those named here, and what calls of the system "         \
                             "a server needs not (by default auto: what this system knows of it)" }
// clang-format on

#endif
