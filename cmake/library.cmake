# libcustody: the pure rooms as one library, shared and static. What include/custody/ declares is exported, nothing else.
if(NOT PURE)
  return()
endif()

set(objects "")
foreach(lib IN LISTS PURE)
  list(APPEND objects $<TARGET_OBJECTS:${lib}>)
endforeach()
file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/custody/*.h)

set(exports ${CMAKE_BINARY_DIR}/custody.map)
add_custom_command(OUTPUT ${exports}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/exports.py ${exports} ${public_headers}
  DEPENDS ${public_headers} ${CMAKE_SOURCE_DIR}/tools/exports.py VERBATIM)
add_custom_target(exports DEPENDS ${exports})

add_library(custody_archive STATIC ${objects})
add_library(custody_shared SHARED ${objects})
set_target_properties(custody_archive custody_shared PROPERTIES OUTPUT_NAME custody LINKER_LANGUAGE C)
set_target_properties(custody_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${exports})
add_dependencies(custody_shared exports)
target_link_options(custody_shared PRIVATE -Wl,--version-script=${exports} -Wl,-Bsymbolic-functions)
if(NOT SANITIZED)
  target_link_options(custody_shared PRIVATE -Wl,--no-undefined)
endif()
target_link_options(custody_shared PRIVATE -Wl,--exclude-libs,libcrypto_mb.a)
target_link_libraries(custody_shared PRIVATE ${ACCELERATOR} OpenSSL::Crypto Threads::Threads)

if(ACCELERATOR) # the archive needs it beside itself
  set(PRIVATE_LIBS "-lcrypto_mb ")
  install(FILES ${ACCELERATOR} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/custody.pc.in ${CMAKE_BINARY_DIR}/custody.pc @ONLY)
install(TARGETS custody_archive custody_shared DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/custody DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES ${CMAKE_BINARY_DIR}/custody.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
