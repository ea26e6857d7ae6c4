# One static library a room, in the order in which rooms may include one another. Who may include whom is the table of
# tools/check_includes.py; a room with no source yet is simply not there.
set(PURE_ROOMS base codec crypto merkle record identity proof)
set(UPPER_ROOMS court service content embedded ledger archive posix memory faulty sqlite paper)

# A fully static program takes OpenSSL's archive, all others its shared library.
find_library(CRYPTO_ARCHIVE libcrypto.a)
set(CRYPTO_BACKEND "$<IF:$<BOOL:$<TARGET_PROPERTY:CUSTODY_STATIC>>,${CRYPTO_ARCHIVE},OpenSSL::Crypto>")

set(PURE "") # those that are there, the highest first
foreach(room IN LISTS PURE_ROOMS)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.c)
  if(sources)
    add_library(cu_${room} STATIC ${sources})
    target_link_libraries(cu_${room} PUBLIC ${PURE})
    list(PREPEND PURE cu_${room})
  endif()
endforeach()
if(TARGET cu_crypto)
  if(ACCELERATOR)
    target_compile_definitions(cu_crypto PRIVATE CUSTODY_LANES)
    target_include_directories(cu_crypto SYSTEM PRIVATE ${ACCELERATOR_DIR}/include)
  endif()
  target_link_libraries(cu_crypto PUBLIC ${ACCELERATOR} "${CRYPTO_BACKEND}" Threads::Threads ${CMAKE_DL_LIBS})
endif()

function(room name dir)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${dir}/*.c)
  if(sources)
    add_library(cu_${name} STATIC ${sources})
    target_link_libraries(cu_${name} PUBLIC ${ARGN} ${PURE} Threads::Threads)
  endif()
endfunction()
room(posix adapters/posix)
room(memory adapters/memory)
room(faulty adapters/faulty)
room(sqlite adapters/sqlite SQLite::SQLite3)
room(paper adapters/paper PkgConfig::PAPER)
room(archive adapters/archive cu_posix PkgConfig::ARCHIVE)
room(ledger ledger)
room(content content)
room(embedded engine/embedded)
set(under_service "")
foreach(lower ledger content)
  if(TARGET cu_${lower})
    list(APPEND under_service cu_${lower})
  endif()
endforeach()
room(service service ${under_service})
if(TARGET cu_service)
  room(court court cu_service)
endif()

set(UPPER "")
foreach(room IN LISTS UPPER_ROOMS)
  if(TARGET cu_${room})
    list(APPEND UPPER cu_${room})
  endif()
endforeach()

# The arrows between rooms, checked with every whole build.
add_custom_target(includes ALL
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check_includes.py ${CMAKE_SOURCE_DIR}
  COMMENT "Checking who includes whom" VERBATIM)
