# What becomes of listeners and their clients in each stage. Also under ThreadSanitizer.
holdfast_test(
  sdk_listeners_test
  SOURCES client.cpp fake_supervisor.cpp health_restart_test.cpp listener_shutdown_test.cpp orphan_test.cpp
  LINKS holdfast_sdk holdfast_wire
  LABELS unit_threads
  TIMEOUT 120)

# ThreadSanitizer delivers no signal to a thread in accept(2).
if(NOT HOLDFAST_SANITIZE MATCHES thread)
  holdfast_test(
    sdk_signal_test
    SOURCES client.cpp fake_supervisor.cpp interrupt_signal_test.cpp
    LINKS holdfast_sdk holdfast_wire
    LABELS unit_threads)
endif()
