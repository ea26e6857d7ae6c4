# Programs behind the rows of bench/README.md. Built with everything else where they would be measured: what is not built breaks unseen.
if(SANITIZED)
  add_custom_target(bench)
else()
  add_custom_target(bench ALL)
endif()
file(GLOB benches CONFIGURE_DEPENDS bench/*.c)
foreach(source IN LISTS benches)
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
  link_test(bench_${name} bench ${source})
  add_dependencies(bench bench_${name})
endforeach()
target_link_libraries(bench_node PRIVATE OpenSSL::SSL) # a client of its own
