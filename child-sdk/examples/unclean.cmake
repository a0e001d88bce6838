# A worker that cannot be stopped cleanly, for tests of what is reported about it.
holdfast_program(
  unclean
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/unclean/main.cpp ${CMAKE_CURRENT_LIST_DIR}/unclean/faults.cpp
          ${CMAKE_CURRENT_LIST_DIR}/unclean/queue.cpp
  LINKS holdfast::sdk)
