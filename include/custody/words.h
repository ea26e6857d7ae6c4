/* A network id as words that people compare by telephone or on paper.  docs/formats/network-words.md. */
#ifndef CUSTODY_WORDS_H
#define CUSTODY_WORDS_H

#include "custody/types.h"

#define CU_WORDS 24
#define CU_WORD_LEN 8 /* letters of a word at most */
#define CU_WORDS_TEXT (CU_WORDS * (CU_WORD_LEN + 1))

/** The n-th word, from 0 to CU_WORDS - 1, of this id; points into the list. */
struct cu_span cu_word(const cu_hash *id, unsigned n);
/** All of them, one space between. */
void cu_words_put(struct cu_buf *out, const cu_hash *id);
/** What a person typed: 24 words, or 64 hex digits, in either case; between them spaces, line ends, commas, hyphens or the
 *  numbers of a list. One id has many spellings here, but a spelling has one id.
 *  MALFORMED names the word that is not in the list and the one that it may be, or says how many there are; BAD_HASH: all are
 *  in the list, but the check bits say that one is wrong or two are exchanged. */
CU_MUST_USE cu_status cu_words_read(struct cu_span text, cu_hash *ret, struct cu_err *err);

#endif
