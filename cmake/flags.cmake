# Language, warnings, hardening: the same for every room, test and program.
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
if(CMAKE_C_FLAGS_RELEASE STREQUAL "-O3 -DNDEBUG") # CMake's default; a preset may say otherwise
  set(CMAKE_C_FLAGS_RELEASE "-O2")                 # assertions stay on: a ledger stops rather than go on wrong
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT DEFINED CMAKE_COMPILE_WARNING_AS_ERROR)
  set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
  -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wno-missing-braces -Wno-missing-field-initializers -Wconversion -Wno-sign-conversion -fno-strict-aliasing
  -fno-semantic-interposition -ffunction-sections -fdata-sections)
# Sentences are cut at their size, and long ones stand on two lines of a table, on purpose. And gcc does not know that a failure is never OK, so it sees outputs used that a
# failing callee left alone; the analysers are told (cmake/analyzers.h) and look for these.
add_compile_options($<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> $<$<C_COMPILER_ID:Clang>:-Wno-string-concatenation>)
if(NOT CUSTODY_ANALYZE)
  add_compile_options($<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
else()
  add_compile_options(-Wno-unused-value)
endif()
add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
include_directories(include src)

# Sanitizers may come by the option or, by hand, in CMAKE_C_FLAGS.
string(FIND "${CUSTODY_SANITIZE} ${CMAKE_C_FLAGS}" "fsanitize" by_hand)
set(SANITIZED OFF)
if(CUSTODY_SANITIZE)
  add_compile_options(-fsanitize=${CUSTODY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${CUSTODY_SANITIZE})
endif()
if(CUSTODY_SANITIZE OR NOT by_hand EQUAL -1)
  set(SANITIZED ON)
endif()
if(CUSTODY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CUSTODY_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(CUSTODY_ANALYZE)
  add_compile_options(-fanalyzer -include ${CMAKE_SOURCE_DIR}/cmake/analyzers.h)
  # gcc 12 takes memory that a struct of the caller's owns for a leak: in these, which LeakSanitizer judges, it is not asked.
  foreach(source adapters/archive/zip_in.c adapters/bucket/bucket_fs.c adapters/s3/list.c adapters/memory/memory.c adapters/posix/source.c content/put.c court/bag.c court/draft.c)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/${source} PROPERTIES COMPILE_OPTIONS -Wno-analyzer-malloc-leak)
  endforeach()
  # It does not follow arrays that a loop of known length fills.
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/crypto/sha256_lanes.c PROPERTIES COMPILE_OPTIONS -Wno-analyzer-use-of-uninitialized-value)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/base/status.c PROPERTIES COMPILE_DEFINITIONS DEFINES_CU_FAIL)
endif()

# Hardening. FORTIFY needs an optimiser and does not mix with the sanitizers' interceptors.
add_compile_options(-fstack-protector-strong -fstack-clash-protection)
check_c_compiler_flag(-fcf-protection=full HAS_CF_PROTECTION)
if(HAS_CF_PROTECTION)
  add_compile_options(-fcf-protection=full)
endif()
if(NOT SANITIZED)
  add_compile_options($<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3>)
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections)
