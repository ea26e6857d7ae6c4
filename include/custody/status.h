/* The one table of outcomes, and the context that travels beside one.
 *
 * Every fallible call returns a `cu_status` that must be looked at. What went wrong, to what, and what it means for the
 * evidence is written into `struct cu_err` where the failure is understood; nothing in the libraries logs.
 */
#ifndef CUSTODY_STATUS_H
#define CUSTODY_STATUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define CU_MUST_USE __attribute__((warn_unused_result))
#define CU_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define CU_CLEANUP(fn) __attribute__((cleanup(fn)))
#else
#error "custody needs the GNU attributes cleanup, warn_unused_result and format: use gcc or clang"
#endif

/* number, name, HTTP status, exit code of the command line, worth a retry?, what it says, in English and Chinese.
 *
 * The numbers are frozen: under consensus a record's outcome is this byte, so a number is never given a second meaning.
 * 0..31 general, 32..63 bytes and cryptography, 64..127 the ledger's rules, 128.. the world outside. */
#define CU_STATUS_TABLE(X)                                                                                             \
    X(0, OK, 200, 0, NO, "ok", "无误") \
    X(1, USAGE, 400, 1, NO, "the request is not understood", "请求无法理解") \
    X(2, NOT_FOUND, 404, 10, NO, "there is no such thing here", "此处没有") \
    X(3, AMBIGUOUS, 409, 10, NO, "more than one thing matches", "不止一个符合") \
    X(4, BUSY, 503, 11, YES, "another writer is at work", "另有写入者正在工作") \
    X(5, NOT_ALLOWED, 403, 12, NO, "not allowed", "不允许") \
    X(6, COPIES_MISSING, 202, 3, YES, "recorded, but required copies are still missing", "已入账，但所需副本尚不齐全") \
    X(7, INTERRUPTED, 503, 130, YES, "interrupted; it can be resumed", "被中断，可继续") \
    X(8, TOO_LARGE, 413, 1, NO, "larger than the limit", "超过上限") \
    X(9, NO_MEMORY, 503, 1, YES, "out of memory", "内存不足") \
    X(10, NEWER_FORMAT, 501, 1, NO, "written by a newer version", "由更新的版本写成") \
    X(11, COSIGNATURES_MISSING, 202, 3, YES, "recorded, but a quorum of cosignatures is still missing", "已入账，但联署尚未达到法定数目") \
    X(32, MALFORMED, 400, 2, NO, "the bytes are not in the one valid form", "字节不是唯一有效的形式") \
    X(33, BAD_HASH, 422, 2, NO, "the bytes do not have the digest that was recorded", "字节的摘要与所记录的不符") \
    X(34, BAD_PROOF, 422, 2, NO, "the proof does not verify", "证明不成立") \
    X(35, BAD_SIGNATURE, 422, 4, NO, "the signature does not verify", "签名验证不通过") \
    X(36, HIGH_S, 422, 4, NO, "the signature is not in its low-s form", "签名不是低 s 形式") \
    X(37, BAD_KEY, 422, 4, NO, "the key is not a valid public key", "密钥不是有效的公钥") \
    X(38, UNTRUSTED, 422, 4, NO, "no trusted key vouches for this", "没有受信任的密钥为其作证") \
    X(39, WRONG_PASSPHRASE, 403, 12, NO, "the passphrase does not open the key", "口令打不开密钥") \
    X(40, TIME_UNPROVEN, 422, 5, NO, "the time is not proven", "时间未经证明") \
    X(41, CORRUPT, 500, 2, NO, "stored bytes are damaged", "存储的字节已损坏") \
    X(42, SEALED, 403, 12, NO, "sealed for other readers", "已为其他读者密封") \
    X(64, DUPLICATE, 200, 0, NO, "already recorded", "此前已入账") \
    X(65, UNPROTECTED_HEADER, 422, 1, NO, "something stands in an unprotected header", "未受保护的头部含有内容") \
    X(66, WRONG_KIND, 422, 1, NO, "the statement is of another kind", "声明属于另一类") \
    X(67, WRONG_NETWORK, 422, 1, NO, "the statement belongs to another ledger", "声明属于另一账本") \
    X(68, UNKNOWN_KEY, 403, 4, NO, "the signing key is not enrolled here", "签名密钥未在此登记") \
    X(69, WRONG_ROLE, 403, 12, NO, "the signing key may not make this statement", "该密钥无权作此声明") \
    X(70, MISSING_SIGNATURE, 422, 4, NO, "a party has not signed", "有一方没有签名") \
    X(71, BAD_ATTACHMENT, 422, 2, NO, "an attachment does not match what was signed", "附件与所签的不符") \
    X(72, BAD_SERIAL, 409, 1, NO, "the serial number is outside its window", "序号超出窗口") \
    X(73, SERIAL_TAKEN, 409, 1, NO, "another statement holds this serial number", "序号已被另一声明占用") \
    X(74, OUTRANKED, 409, 1, NO, "an outcome that ranks higher is already recorded", "已有更高一级的结果入账") \
    X(75, UNKNOWN_BLOCK, 422, 1, NO, "the block it claims to have seen is not in this log", "其所称见过的区块不在本日志中") \
    X(76, STALE, 409, 1, YES, "signed over too old a block: sign afresh", "签名所依的区块过旧，请重新签名") \
    X(77, UNKNOWN_CASE, 404, 10, NO, "no such case", "没有这个案件") \
    X(78, UNKNOWN_TARGET, 404, 10, NO, "the statement it refers to is not recorded", "所指的声明未入账") \
    X(79, UNTRUE, 422, 1, NO, "the log says otherwise", "与日志不符") \
    X(80, NOT_CONFIRMED, 403, 12, YES, "the key does not act yet", "密钥尚未生效") \
    X(81, OUT_OF_ORDER, 422, 1, NO, "it comes before what it refers to", "先于其所指") \
    X(82, CASE_EXISTS, 409, 1, NO, "the case is open already", "案件已立") \
    X(83, REVOKED, 403, 4, NO, "the signing key was revoked before", "签名密钥此前已撤销") \
    X(84, DISPUTED, 422, 4, NO, "others may have held the signing key by then", "其时他人可能已持有该签名密钥") \
    X(128, IO, 500, 1, YES, "the operating system refused", "操作系统拒绝") \
    X(129, NO_SPACE, 507, 1, YES, "no space left", "空间不足") \
    X(130, READ_ONLY, 403, 12, NO, "it cannot be written to", "不可写入") \
    X(131, CHANGED, 409, 1, YES, "the file changed while it was read", "读取期间文件有变") \
    X(132, CRYPTO, 500, 1, NO, "the cryptographic library failed", "密码库出错")

#define CU_STATUS_ENUM(num, name, http, code, retry, text, zh) CU_##name = (num),
typedef enum cu_status_code { CU_STATUS_TABLE(CU_STATUS_ENUM) } cu_status_code;
#undef CU_STATUS_ENUM

typedef cu_status_code cu_status;

/** What happened, to what, and what it means. `text` is a NUL-terminated sentence without a final newline, cut at its size. */
struct cu_err {
    cu_status status;
    char text[1000];
};

const char *cu_status_name(cu_status status); /* "BAD_PROOF"; "UNKNOWN" outside the table */
const char *cu_status_text(cu_status status);
const char *cu_status_text_zh(cu_status status);
int cu_status_http(cu_status status);
int cu_status_exit(cu_status status);
int cu_status_retry(cu_status status); /* 1 yes, 0 no */

/** Write the sentence and return `status`, so that a failing line reads `return cu_fail(err, CU_X, "…")`. `err` may be NULL. */
cu_status cu_fail(struct cu_err *err, cu_status status, const char *fmt, ...) CU_PRINTF(3, 4);

/** Put what the caller was doing in front of what the callee said: "deposit C1/3: " + text. Returns `status` unchanged. */
cu_status cu_fail_while(struct cu_err *err, cu_status status, const char *fmt, ...) CU_PRINTF(3, 4);

/** A bug: print expression and place to stderr and abort. A ledger stops rather than go on wrong. */
_Noreturn void cu_bug(const char *expr, const char *file, int line);

#define CU_ASSERT(cond) ((cond) ? (void)0 : cu_bug(#cond, __FILE__, __LINE__))

/* A 64-bit number as %llu takes it. */
#define LLU(x) ((unsigned long long)(x))

/* Early returns. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        cu_status try_status_ = (call);                                                                                \
        if (try_status_ != CU_OK) return try_status_;                                                                  \
    } while (0)

#define ENSURE(cond, err, status, ...)                                                                                 \
    do {                                                                                                               \
        if (!(cond)) return cu_fail((err), (status), __VA_ARGS__);                                                     \
    } while (0)

#endif
