# The second verifier, web/verify, tested by node. Where node or its packages are not to be had its tests are skipped.
if(NOT CUSTODY_BIN_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build/bin")
  return() # one build is enough
endif()
foreach(what test types)
  add_test(NAME web_${what} COMMAND ${CMAKE_SOURCE_DIR}/tools/web ${what})
  set_tests_properties(web_${what} PROPERTIES TIMEOUT 900 LABELS web SKIP_RETURN_CODE 77 RESOURCE_LOCK web)
endforeach()
