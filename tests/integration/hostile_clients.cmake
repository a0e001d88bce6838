# Hostile clients of the supervisor: 100,000 without sanitizers; 3,000 with sanitizers, where each client costs ten times
# as much.
if(HOLDFAST_SANITIZE)
  set(hostile_label integration)
  set(hostile_connections 3000)
else()
  set(hostile_label hostile)
  set(hostile_connections 100000)
endif()
holdfast_test(
  hostile_clients_test
  SOURCES harness.cpp operations.cpp rollout_fixture.cpp hostile_clients_test.cpp
  LINKS holdfast_fixture holdfast_strict_client
  LABELS ${hostile_label}
  TIMEOUT 300)
target_compile_definitions(hostile_clients_test PRIVATE DEFAULT_CONNECTIONS=${hostile_connections})
foreach(program holdfast hello-http)
  if(TARGET ${program})
    add_dependencies(hostile_clients_test ${program})
  endif()
endforeach()
