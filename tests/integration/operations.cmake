# Operations on a running service, and failures of its workers, each under the strict client.
holdfast_program(all-listeners SOURCES servers/all_listeners.cpp LINKS holdfast::sdk)
target_include_directories(all-listeners PRIVATE ${PROJECT_SOURCE_DIR}/child-sdk/examples)

holdfast_test(
  operations_test
  SOURCES harness.cpp
          operations.cpp
          rollout_fixture.cpp
          admin_test.cpp
          exit_causes_test.cpp
          listener_claim_test.cpp
          commands_test.cpp
          history_test.cpp
          pause_test.cpp
          private_probe_test.cpp
          reload_test.cpp
          queue_for_test.cpp
          watchdog_test.cpp
  LINKS holdfast_fixture holdfast_strict_client
  LABELS integration
  TIMEOUT 120)
add_dependencies(operations_test all-listeners)
foreach(program holdfast hello-http plain-worker stubborn)
  if(TARGET ${program})
    add_dependencies(operations_test ${program})
  endif()
endforeach()

# Runs alone: on machines that count out-of-memory kills only for the whole machine, a worker that another test kills at
# the same time would be counted as one of them.
holdfast_test(
  out_of_memory_test
  SOURCES harness.cpp memory_cgroup.cpp operations.cpp out_of_memory_test.cpp rollout_fixture.cpp
  LINKS holdfast_fixture holdfast_strict_client
  LABELS integration
  SERIAL)
foreach(program holdfast hello-http)
  if(TARGET ${program})
    add_dependencies(out_of_memory_test ${program})
  endif()
endforeach()
