# Workers that cannot be stopped cleanly. A separate program, because each of its tests takes several seconds.
holdfast_test(
  unclean_stop_test
  SOURCES harness.cpp unclean_stop_test.cpp
  LINKS holdfast_fixture holdfast_strict_client
  LABELS integration
  TIMEOUT 120)
foreach(program holdfast unclean)
  if(TARGET ${program})
    add_dependencies(unclean_stop_test ${program})
  endif()
endforeach()
