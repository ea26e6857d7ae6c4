# Programs behind the rows of bench/README.md. Built on demand: `ninja bench`.
add_custom_target(bench)
file(GLOB benches CONFIGURE_DEPENDS bench/*.c)
foreach(source IN LISTS benches)
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
  link_test(bench_${name} bench ${source})
  add_dependencies(bench bench_${name})
endforeach()
