# The verify page: made by node from web/verify into build/bin/verify.html. Where node or its packages are not to be had, there is no page,
# and its tests are skipped.
if(NOT CUSTODY_BIN_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build/bin")
  return() # one build makes the page
endif()
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/verify/*)
add_custom_command(OUTPUT ${CUSTODY_BIN_DIR}/verify.html COMMAND ${CMAKE_SOURCE_DIR}/tools/web page DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/tools/web)
add_custom_target(verify_page ALL DEPENDS ${CUSTODY_BIN_DIR}/verify.html)
install(FILES ${CUSTODY_BIN_DIR}/verify.html DESTINATION ${CMAKE_INSTALL_DATADIR}/custody OPTIONAL COMPONENT programs)

foreach(what test types browser)
  add_test(NAME web_${what} COMMAND ${CMAKE_SOURCE_DIR}/tools/web ${what})
  set_tests_properties(web_${what} PROPERTIES TIMEOUT 900 LABELS web SKIP_RETURN_CODE 77 RESOURCE_LOCK web COST 100) # not left to the end
endforeach()
