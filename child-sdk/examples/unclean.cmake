# Workers that cannot be stopped cleanly, for the tests of what is said about them.
holdfast_program(
  unclean
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/unclean/main.cpp ${CMAKE_CURRENT_LIST_DIR}/unclean/faults.cpp
          ${CMAKE_CURRENT_LIST_DIR}/unclean/queue.cpp
  LINKS holdfast::sdk)
