# The parts that threads share without a lock, the pure parts, and both together.
holdfast_test(
  sdk_parts_test
  SOURCES request_registry_test.cpp request_registry_threads_test.cpp random_graph_test.cpp request_slot_test.cpp resource_graph_model_test.cpp
          resource_graph_test.cpp
  LINKS holdfast_sdk holdfast_wire
  LABELS unit_threads
  TIMEOUT 240)

# Workers in random stages. scripts/random-stages runs more seeds.
holdfast_test(
  sdk_stages_test
  SOURCES fake_supervisor.cpp random_program.cpp random_program_thread.cpp random_stages_test.cpp
  LINKS holdfast_sdk holdfast_wire
  LABELS unit_threads
  TIMEOUT 240)
