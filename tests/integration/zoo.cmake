# Workers that cannot be stopped cleanly. Apart: it takes its time, second by second.
holdfast_test(
  zoo_test
  SOURCES harness.cpp zoo_test.cpp
  LINKS holdfast_fixture holdfast_strict_client
  LABELS integration
  TIMEOUT 120)
foreach(program holdfast unclean)
  if(TARGET ${program})
    add_dependencies(zoo_test ${program})
  endif()
endforeach()
