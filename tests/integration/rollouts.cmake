# Rollouts that fail, are undone or are interrupted: clients notice nothing, and the requester gets the true outcome.
holdfast_test(
  rollouts_test
  SOURCES harness.cpp
          operations.cpp
          rollout_fixture.cpp
          coalescing_test.cpp
          pre_restart_test.cpp
          probation_test.cpp
          rollback_test.cpp
          rollout_failures_test.cpp
          scale_in_rollout_test.cpp
          stop_in_rollout_test.cpp
          undo_test.cpp
  LINKS holdfast_fixture holdfast_strict_client
  LABELS integration
  TIMEOUT 120)
foreach(program all-listeners holdfast hello-http stubborn)
  if(TARGET ${program})
    add_dependencies(rollouts_test ${program})
  endif()
endforeach()
